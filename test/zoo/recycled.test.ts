/** A process number that was ours and is somebody else's now: neither seen as ours nor signalled. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  cgroupsMissing,
  freshBaseName,
  isRoot,
  mountPoint,
  removeTree,
  temporaryDirectory,
} from '../linux/ground.ts';
import type { Seen } from './recycling.ts';

const ROUNDS = process.env['ZOO'] === 'long' ? 100 : 4;

/** A process namespace with a shell that reaps, and the choice of the next number. */
const NAMESPACE = ['--pid', '--fork', '--mount-proc'] as const;
const namespaceMissing =
  !isRoot ||
  spawnSync('unshare', [...NAMESPACE, 'sh', '-c', 'echo 300 > /proc/sys/kernel/ns_last_pid']).status !== 0;

describe.skipIf(namespaceMissing).each(['process_group', ...(cgroupsMissing ? [] : ['cgroup'])])(
  'the daemon with %s',
  (containment) => {
    test('leaves strangers alone that got the number of a process of its own, also within the same tick', () => {
      const directory = temporaryDirectory();
      onTestFinished(() => fs.rmSync(directory, { recursive: true }));
      const base = freshBaseName();
      onTestFinished(() => removeTree(`${mountPoint}/${base}`));
      const program = join(directory, 'recycling.mjs');
      buildSync({
        entryPoints: [fileURLToPath(new URL('recycling.ts', import.meta.url))],
        ...{ bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' },
      });
      const root = containment === 'cgroup' ? (mountPoint ?? '') : '';
      const daemon = [process.execPath, program, join(directory, 'state'), root, base, String(ROUNDS)];
      const { stdout, stderr } = spawnSync(
        'unshare',
        [...NAMESPACE, '--kill-child', 'sh', '-c', '"$@"; exit $?', 'sh', ...daemon],
        { encoding: 'utf8', timeout: 50_000, cwd: directory },
      );
      expect(stderr).toBe('');
      const all = JSON.parse(stdout) as readonly Seen[];
      const met = all.filter(({ recycled }) => recycled);
      // A thread of the daemon may be quicker, but not each time.
      const tried = new Set(met.map(({ kind, sameTick }) => `${kind} ${sameTick}`));
      expect(tried.size, JSON.stringify(all)).toBe(6);
      expect(
        met.filter(({ main, members, harmed, removed }) => {
          return main !== 'ended' || members.length > 0 || harmed || !removed;
        }),
      ).toEqual([]);
    });
  },
);
