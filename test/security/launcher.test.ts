/** What does a process of a service's user get hold of that root has opened? */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { launchChain } from '../../src/world/launch-chain.ts';
import type { Launch } from '../../src/world/world.ts';
import {
  cgroupGround,
  cgroupsMissing,
  type Ground,
  keyOf,
  launchOf,
  started,
  temporaryDirectory,
  until,
} from '../linux/ground.ts';

const USER: Credentials = {
  ...{ uid: 65_534, gid: 65_534, groups: [], user: 'nobody' },
  ...{ home: '/', shell: '/bin/sh' },
};

const SELF = { uid: 0, gid: 0, niceness: 0 };

function chainOf(changes: Partial<Launch>, records = false): readonly string[] {
  const launch = launchOf(keyOf('web'), ['prog'], { environment: {}, credentials: USER, ...changes });
  const tool = (name: string): string => `/bin/${name}`;
  const input = { launch, program: '/bin/prog', self: SELF, joinsCgroup: true, joinIsSeen: true };
  const chain = launchChain({ ...input, records, tool });
  if ('code' in chain) throw new Error(chain.message);
  return chain.argv;
}

describe('the launcher of another user', () => {
  test.each([
    ['plain', {}, false],
    ['with everything', { oomScoreAdjust: -5, nice: 3, umask: 0o27, noNewPrivileges: true }, false],
    ['recorded', {}, true],
  ] as const)(
    'has joined the cgroup and closed its descriptor before it is that user: %s',
    (_, changes, records) => {
      const argv = chainOf(changes, records);
      const setpriv = argv.indexOf('/bin/setpriv');
      const [before, after] = [argv.slice(0, setpriv).join(' '), argv.slice(setpriv).join(' ')];
      expect(before).toMatch(/echo 0 >&(\d) .*exec "\$@" \1>&-/);
      expect(after).not.toMatch(/echo 0 >/);
    },
  );
});

describe.skipIf(cgroupsMissing)('a process of another user', () => {
  let ground: Ground;
  let directory: string;
  beforeEach(() => {
    ground = cgroupGround();
    directory = temporaryDirectory();
    fs.chmodSync(directory, 0o777);
  });
  afterEach(() => {
    ground.clear();
    fs.rmSync(directory, { recursive: true });
  });

  // With cgroup.procs opened by root (pidfd_getfd(2), ptrace(2)) it could move any process of the host here.
  test.each([false, true])(
    'finds no cgroup.procs in any process of its run; recorded: %s',
    async (record) => {
      const key = keyOf('web');
      // Whoever may list the descriptors of a process may take them.
      const script =
        'for p in $PPID $$; do for f in /proc/$p/fd/*; do readlink "$f"; done; done > "$0.new"; mv "$0.new" "$0"; sleep 100';
      const file = join(directory, 'seen');
      started(
        ground.containment.start(
          key,
          launchOf(key, ['sh', '-c', script, file], { record, credentials: USER }),
        ),
      );
      const seen = await until('what it found', () =>
        fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined,
      );
      expect(seen).toContain('/dev/null');
      expect(seen).not.toContain('cgroup');
      const members = fs.readFileSync(
        join(
          ground.place,
          'web',
          fs.readdirSync(join(ground.place, 'web')).find((name) => name.includes(key.id)) ?? '',
          'cgroup.procs',
        ),
        'utf8',
      );
      expect(members.trim().split('\n').length).toBeGreaterThanOrEqual(record ? 2 : 1);
      ground.containment.kill(key);
    },
  );
});
