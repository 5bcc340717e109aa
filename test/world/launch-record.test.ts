import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launcherDescriptors } from '../../src/world/launch-descriptors.ts';
import { parseExitRecord, recordScript } from '../../src/world/launch-record.ts';

const SHELLS: readonly (readonly [string, readonly string[]])[] = [
  ['dash', ['/bin/dash']],
  ['bash as sh', ['/bin/bash', '--posix']],
  ['bash', ['/bin/bash']],
  ['busybox', ['/bin/busybox', 'sh']],
];

/** The id of the user who owns nothing. */
const NOBODY = 65_534;

/** Whether the daemon listens to the launcher. */
const EARS = [true, false] as const;

const CASES = SHELLS.flatMap(([name, shell]) =>
  EARS.map((ear) => [`${name} ${ear ? 'with' : 'without'} an ear`, ear, shell] as const),
);

describe.each(CASES)('the script of %s', (_, ear, [shell = '', ...options]) => {
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const heard = ear ? 'launched\n' : '';

  /** How the shell itself ended, and what it wrote down. */
  function run(script: string, before: readonly string[] = [], uid?: number) {
    const descriptors = launcherDescriptors(!ear, undefined);
    const path = join(directory, 'record');
    const record = fs.openSync(path, 'wx');
    const log = fs.openSync(join(directory, 'log'), 'wx');
    const stdio: (number | 'ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe'];
    stdio[descriptors.stderr] = log;
    stdio[descriptors.cgroup] = 'ignore';
    stdio[descriptors.record] = record;
    const argv = [
      ...[...before, shell, ...options],
      '-c',
      recordScript(ear ? 'launched' : null, descriptors),
      '/bin/sh',
      '/bin/sh',
      '-c',
      script,
    ];
    const who = uid === undefined ? {} : { uid, gid: uid };
    const { status, signal, stdout, stderr } = spawnSync(argv[0] ?? '', argv.slice(1), {
      stdio,
      encoding: 'utf8',
      ...who,
    });
    fs.closeSync(record);
    fs.closeSync(log);
    const logged = fs.readFileSync(join(directory, 'log'), 'utf8');
    return { status, signal, stdout, stderr: stderr ?? '', logged, text: fs.readFileSync(path, 'utf8') };
  }

  const there = fs.existsSync(shell);

  it.skipIf(!there).each([0, 1, 124, 125, 126, 127, 128, 129, 131, 134, 137, 139, 143, 159, 160, 255])(
    'tells an exit with %i',
    (code) => {
      const { text, ...end } = run(`echo out; echo err >&2; exit ${code}`);
      expect(end).toEqual({
        ...{ status: code, signal: null },
        ...{ stdout: 'out\n', stderr: heard, logged: 'err\n' },
      });
      expect(parseExitRecord(text)).toEqual({ kind: 'exited', code });
    },
  );

  const signals = ['HUP', 'INT', 'QUIT', 'ABRT', 'KILL', 'SEGV', 'PIPE', 'ALRM', 'TERM', 'USR1', 'SYS'];
  it.skipIf(!there).each(signals)('tells an end by SIG%s', (name) => {
    const { text, ...end } = run(`ulimit -c 0; kill -s ${name} $$`);
    // bash and busybox mind no SIGQUIT, not even their own.
    const code = name === 'QUIT' && /bash$|busybox$/.test(shell) ? 131 : null;
    expect(end).toEqual({
      ...{ status: code, signal: code === null ? `SIG${name}` : null },
      ...{ stdout: '', stderr: heard, logged: '' },
    });
    expect(parseExitRecord(text)).toEqual({ kind: 'signaled', signal: `SIG${name}`, oom: false });
  });

  it.skipIf(!there).each([
    [130, 'SIGINT'],
    [141, 'SIGPIPE'],
  ])('takes an exit with %i for %s, which it cannot tell apart', (code, signal) => {
    expect(parseExitRecord(run(`exit ${code}`).text)).toEqual({ kind: 'signaled', signal, oom: false });
  });

  it.skipIf(!there)('outlives what is sent to it, and does not hand on what it catches', () => {
    const { text, status, stdout } = run(
      'kill -TERM $PPID; kill -HUP $PPID; kill -INT $PPID; grep SigIgn /proc/self/status; exit 9',
    );
    expect(status).toBe(9);
    expect(stdout).toMatch(/^SigIgn:\t0{16}\n$/);
    expect(parseExitRecord(text)).toEqual({ kind: 'exited', code: 9 });
  });

  it.skipIf(!there)('has written nothing whole when it was killed', () => {
    const { text, signal } = run('kill -KILL $PPID; sleep 0.1');
    expect(signal).toBe('SIGKILL');
    expect(parseExitRecord(text)).toBeUndefined();
  });

  // Root has no limit of processes; bash tries for half a minute.
  const canFail = there && process.getuid?.() === 0 && !shell.endsWith('bash');
  it.skipIf(!canFail)('that cannot fork has said why, and has written no end', () => {
    const { text, status, stderr, logged } = run('exit 0', ['/usr/bin/prlimit', '--nproc=0'], NOBODY);
    expect(status).toBe(2);
    expect(text).toMatch(/fork/);
    expect(parseExitRecord(text)).toBeUndefined();
    expect({ stderr, logged }).toEqual({ stderr: '', logged: '' });
  });
});

describe('a record', () => {
  it.each(['', 'exited 0', 'exited', 'Terminated\n', 'exited 0\nmore', 'exited 1000\n', 'xexited 0\n'])(
    'says nothing yet: %j',
    (text) => expect(parseExitRecord(text)).toBeUndefined(),
  );

  it('may name a signal that has no name here', () => {
    expect(parseExitRecord('Real-time signal 0\nsignaled 34\n')).toEqual({ kind: 'unknown', oom: false });
  });
});

describe('the descriptors of a launcher', () => {
  it.each([undefined, 3, 4, 5, 6, 7, 12])('are single digits and leave %s alone', (taken) => {
    for (const quiet of [true, false]) {
      const { stderr, ...others } = launcherDescriptors(quiet, taken);
      const all = [stderr, ...Object.values(others)];
      expect(new Set(all).size).toBe(4);
      expect(all).not.toContain(taken);
      for (const fd of all) expect(fd === 2 ? quiet : fd >= 3 && fd <= 9).toBe(true);
    }
  });
});
