import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { signalCgroup } from '../../src/world/cgroup-signals.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('signalCgroup', () => {
  it.each([
    ['is a member already', '4242\n4243\n', [4242, 4243]],
    ['has not joined yet', '4243\n', [4243, 4242]],
  ])('signals each process once when the first one %s', (_, members, told) => {
    const cgroup = fs.mkdtempSync(join(os.tmpdir(), 'pm-signals-'));
    try {
      fs.writeFileSync(join(cgroup, 'cgroup.procs'), members);
      // A second SIGTERM right after the first ends a server that was about to finish its requests.
      const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
      expect(signalCgroup(cgroup, 'SIGTERM', 4242)).toBeUndefined();
      expect(kill.mock.calls).toEqual(told.map((pid) => [pid, 'SIGTERM']));
    } finally {
      fs.rmSync(cgroup, { recursive: true });
    }
  });

  it('signals whom it can read, and then tells what it could not', () => {
    const cgroup = fs.mkdtempSync(join(os.tmpdir(), 'pm-signals-'));
    try {
      fs.writeFileSync(join(cgroup, 'cgroup.procs'), '4242\n');
      for (const [name, pid] of [['first'], ['second', 4243]] as const) {
        fs.mkdirSync(join(cgroup, name));
        if (pid === undefined) fs.mkdirSync(join(cgroup, name, 'cgroup.procs'));
        else fs.writeFileSync(join(cgroup, name, 'cgroup.procs'), `${pid}\n`);
      }
      const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
      const problem = { code: 'observe-failed', message: expect.stringContaining('EISDIR') };
      expect(signalCgroup(cgroup, 'SIGTERM', undefined)).toMatchObject(problem);
      expect(kill.mock.calls).toEqual([4242, 4243].map((pid) => [pid, 'SIGTERM']));
    } finally {
      fs.rmSync(cgroup, { recursive: true });
    }
  });
});
