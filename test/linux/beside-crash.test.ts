/** What a daemon that was killed leaves behind, and what the next one makes of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bundledFixture,
  cgroupsMissing,
  freshBaseName,
  isGone,
  isRoot,
  mountPoint,
  removeTree,
  temporaryDirectory,
} from './ground.ts';

const NOBODY = 65534;

describe('a daemon that was killed', () => {
  let directory: string;
  let program: string;
  let daemon: ChildProcess | undefined;

  beforeEach(() => {
    directory = temporaryDirectory();
    program = bundledFixture('beside-daemon', directory);
  });
  afterEach(() => {
    daemon?.kill('SIGKILL');
    fs.rmSync(directory, { recursive: true });
  });

  /** The same story for each: a job that is still running, and a probe with a runaway child. */
  async function tell(prefix: readonly string[], place: readonly string[]): Promise<void> {
    const argv = (part: string) => [...prefix, process.execPath, program, ...place, directory, part];
    const options = { env: { PATH: '/usr/bin:/bin' } };
    const [file = '', ...args] = argv('first');
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
    daemon = child;
    const line = await new Promise<string>((resolve) =>
      createInterface({ input: child.stdout }).once('line', resolve),
    );
    const pids = JSON.parse(line) as number[];
    expect(pids.map(isGone)).toEqual([false, false]);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(pids.map(isGone)).toEqual([false, false]);

    const [next = '', ...nextArgs] = argv('second');
    const { stdout, stderr } = spawnSync(next, nextArgs, { ...options, encoding: 'utf8', timeout: 20_000 });
    expect(stderr).toBe('');
    const told = JSON.parse(stdout);
    expect(told.first.runs).toMatchObject([{ adopted: true, members: { is: 'some' } }]);
    expect(told).toMatchObject({
      last: { kind: 'seen', runs: [{ main: { is: 'ended', outcome: { kind: 'exited', code: 143 } } }] },
      removed: null,
      services: [],
    });
    expect(pids.map(isGone)).toEqual([true, true]);
    expect(fs.readdirSync(join(directory, 'exits'))).toEqual([]);
  }

  it.skipIf(cgroupsMissing)('has its probes ended and its jobs known by the next one', async () => {
    const name = freshBaseName();
    try {
      await tell([], ['cgroup', mountPoint ?? '', name]);
    } finally {
      removeTree(`${mountPoint}/${name}`);
    }
  });

  it('has the same promised without cgroups', async () => {
    await tell([], ['process_group', join(directory, 'state'), '-']);
  });

  it.skipIf(!isRoot)('has the same promised as an ordinary user', async () => {
    fs.chownSync(directory, NOBODY, NOBODY);
    const prefix = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    await tell(prefix, ['process_group', join(directory, 'state'), '-']);
  });
});
