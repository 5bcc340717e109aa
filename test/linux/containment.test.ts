/** What both kinds of containment promise, against the real kernel. */
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunKey } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { Containment } from '../../src/world/world.ts';
import {
  emptied,
  GROUNDS,
  type Ground,
  isGone,
  keyOf,
  launchOf,
  named,
  outcomeOf,
  outputOf,
  runOf,
  runsOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

/** A child in a session of its own, made by a double fork: it prints its pid and stays. */
const RUNAWAY = '(setsid sh -c \'echo $$ >> "$0"; exec sleep 1000\' "$0" &) ; ';

describe.each(GROUNDS)('%s', (_, makeGround, missing) => {
  describe.skipIf(missing)('on this host', () => {
    let ground: Ground;
    let containment: Containment;
    let directory: string;

    beforeEach(() => {
      ground = makeGround();
      containment = ground.containment;
      directory = temporaryDirectory();
    });
    afterEach(() => {
      ground.clear();
      fs.rmSync(directory, { recursive: true });
    });

    function start(argv: readonly string[], key: RunKey = keyOf('web')): RunKey & { readonly pid: number } {
      return { ...key, pid: started(containment.start(key, launchOf(key, argv))).pid };
    }

    /** Pids that the processes of a test wrote, one a line, once there are `count`. */
    function writtenPids(count: number): Promise<readonly number[]> {
      const file = join(directory, 'pids');
      return until(`${count} pids`, () => {
        const pids = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
        return pids.length === count && pids[0] !== '' ? pids.map(Number) : undefined;
      });
    }

    it.each<[string, string, Outcome]>([
      ['code 0', 'exit 0', { kind: 'exited', code: 0 }],
      ['code 3', 'exit 3', { kind: 'exited', code: 3 }],
      ['the code of a refused launch', 'exit 125', { kind: 'exited', code: 125 }],
      ['a code that looks like a signal', 'exit 137', { kind: 'exited', code: 137 }],
      ['SIGSEGV', 'kill -s SEGV $$', { kind: 'signaled', signal: 'SIGSEGV', oom: false }],
      ['SIGKILL by somebody', 'kill -s KILL $$', { kind: 'signaled', signal: 'SIGKILL', oom: false }],
    ])('tells an end with %s', async (_title, script, outcome) => {
      const key = start(['sh', '-c', script]);
      expect(await outcomeOf(containment, key)).toEqual(outcome);
      await emptied(containment, key);
      expect(containment.remove(key)).toBeUndefined();
      expect(runsOf(containment, key.service)).toEqual([]);
    });

    it('shows a run as running from the first instant, with the pid that was answered', async () => {
      const key = start(['sleep', '1000']);
      const { pid, ...name } = key;
      expect(runOf(containment, key)).toEqual({
        key: name,
        startedAt: Number.parseInt(key.id, 36),
        main: { is: 'running', pid },
        members: { is: 'some' },
        everRan: true,
        adopted: false,
      });
      expect(containment.services()).toEqual(['web']);
      await until('membership', () => containment.members(key).includes(pid) || undefined);
      await until('the program', () =>
        /^\d+ sleep 1000$/.test(containment.describe(pid)) ? true : undefined,
      );
    });

    it('wakes by the name of the service when the main process ends', async () => {
      const woken: string[] = [];
      containment.onChange((service) => woken.push(service));
      start(['true']);
      await until('a wake', () => (woken.length > 0 ? true : undefined));
      expect(new Set(woken)).toEqual(new Set(['web']));
    });

    it('counts a double-forked child in its own session as part of the run, and ends it', async () => {
      const key = start(['sh', '-c', `${RUNAWAY} exec sleep 1000`, join(directory, 'pids')]);
      const [runaway] = await writtenPids(1);
      expect(containment.members(key)).toEqual(expect.arrayContaining([key.pid, runaway]));
      expect(containment.signal(key, 'SIGTERM')).toBeUndefined();
      expect(await outcomeOf(containment, key)).toEqual({ kind: 'signaled', signal: 'SIGTERM', oom: false });
      await emptied(containment, key);
      expect(isGone(runaway!)).toBe(true);
    });

    it('signals the first process alone when it is told to', async () => {
      const key = start([
        'sh',
        '-c',
        // The trap comes first: the pid says that it is set.
        `trap 'exit 7' HUP; ${RUNAWAY} while :; do sleep 0.05; done`,
        join(directory, 'pids'),
      ]);
      const [runaway] = await writtenPids(1);
      expect(containment.signalMain(key, { pid: key.pid, ticks: 1 }, 'SIGHUP')).toMatchObject({
        code: 'reload-failed',
      });
      expect(containment.signalMain(key, { pid: process.pid, ticks: null }, 'SIGHUP')).toBeDefined();
      expect(runOf(containment, key)?.main).toMatchObject({ is: 'running' });
      expect(containment.signalMain(key, { pid: key.pid, ticks: null }, 'SIGHUP')).toBeUndefined();
      expect(await outcomeOf(containment, key)).toEqual({ kind: 'exited', code: 7 });
      expect(isGone(runaway!)).toBe(false);
      containment.kill(key);
      await emptied(containment, key);
    });

    it('keeps a run whose main process is gone while a child of it lives', async () => {
      const key = start([
        'sh',
        '-c',
        `${RUNAWAY} while [ ! -s "$0" ]; do :; done; exit 4`,
        join(directory, 'pids'),
      ]);
      expect(await outcomeOf(containment, key)).toEqual({ kind: 'exited', code: 4 });
      expect(runOf(containment, key)?.members).toEqual({ is: 'some' });
      const [runaway] = await writtenPids(1);
      await until(
        'its program',
        () => containment.describe(runaway!) === `${runaway} sleep 1000` || undefined,
      );
      const refused = containment.remove(key);
      expect(refused).toMatchObject({ code: 'stop-blocked', service: 'web' });
      expect(refused?.message).toContain(`${runaway} sleep 1000`);

      const woken = new Promise<string>((resolve) => containment.onChange(resolve));
      process.kill(runaway!, 'SIGKILL');
      expect(await woken).toBe('web');
      await emptied(containment, key);
      expect(containment.remove(key)).toBeUndefined();
    });

    it('kills what ignores SIGTERM', async () => {
      const key = start([
        'sh',
        '-c',
        'trap \'\' TERM; echo $$ > "$0"; while :; do sleep 1000; done',
        join(directory, 'pids'),
      ]);
      await writtenPids(1);
      containment.signal(key, 'SIGTERM');
      expect(containment.kill(key)).toBeUndefined();
      expect(await outcomeOf(containment, key)).toEqual({ kind: 'signaled', signal: 'SIGKILL', oom: false });
      await emptied(containment, key);
    });

    it('ends a tree that forks as fast as it can and ignores SIGTERM', async () => {
      const script =
        "trap '' TERM; f() { while :; do sh -c 'trap \"\" TERM; sleep 0.02' & sleep 0.01; done; }; f & f & f";
      const key = start(['sh', '-c', script]);
      await until('a crowd', () => (containment.members(key).length > 10 ? true : undefined));
      await until('an empty run', () => {
        expect(containment.kill(key)).toBeUndefined();
        return runOf(containment, key)?.members.is === 'none' ? true : undefined;
      });
      expect(containment.members(key)).toEqual([]);
      expect(containment.remove(key)).toBeUndefined();
    });

    it('reaches a process that was started this very moment', async () => {
      for (let round = 0; round < 20; round++) {
        const key = start(['sleep', '1000']);
        containment.kill(key);
        const outcome = await outcomeOf(containment, key);
        expect(outcome).toEqual({ kind: 'signaled', signal: 'SIGKILL', oom: false });
        await emptied(containment, key);
        expect(containment.remove(key)).toBeUndefined();
      }
    });

    it('leaves a second service alone when the first is ended', async () => {
      const first = start(['sleep', '1000']);
      const second = start(['sleep', '1000'], keyOf('other'));
      containment.kill(first);
      await emptied(containment, first);
      expect(runOf(containment, second)?.main).toEqual({ is: 'running', pid: second.pid });
      expect(isGone(second.pid)).toBe(false);
    });

    it('lets a later daemon adopt the run under the same pids, and tells its end', async () => {
      const key = start(['sh', '-c', 'sleep 1000 & echo $! >> "$0"; wait', join(directory, 'pids')]);
      const [child] = await writtenPids(1);
      const ticks = Number(fs.readFileSync(`/proc/${key.pid}/stat`, 'utf8').split(' ')[21]);
      const later = ground.reopen();
      const known = () => ({ pid: key.pid, ticks });
      const look = () => {
        const seen = later.look(key.service, known);
        return seen.kind === 'seen' ? seen.runs[0] : undefined;
      };
      expect(later.services()).toEqual(['web']);
      expect(look()).toMatchObject({ adopted: true, everRan: true, main: { is: 'running', pid: key.pid } });
      expect(later.members(key)).toEqual([key.pid, child]);
      expect(later.environment(key)).toMatchObject({ PROCESSMASTER_RUN_ID: key.id });

      const woken = new Promise<string>((resolve) => later.onChange(resolve));
      process.kill(key.pid, 'SIGKILL');
      expect(await woken).toBe('web');
      expect(look()).toMatchObject({
        main: { is: 'ended', outcome: { kind: 'unknown', oom: false } },
        members: { is: 'some' },
      });
      expect(later.signal(key, 'SIGTERM')).toBeUndefined();
      await emptied(later, key);
      expect(later.remove(key)).toBeUndefined();
      expect(look()).toBeUndefined();
    });

    it('goes on without the listener once it was closed, and the process stays', async () => {
      const key = start(['sleep', '1000']);
      await until('its place', () => containment.members(key)[0]);
      containment.onChange(() => expect.unreachable('closed'));
      containment.close();
      const later = ground.reopen();
      expect(runOf(later, key)?.members).toEqual({ is: 'some' });
      expect(isGone(key.pid)).toBe(false);
      later.kill(key);
      await emptied(later, key);
    });

    describe('a launch that cannot be', () => {
      const cases: readonly (readonly [string, readonly string[], object, string, RegExp])[] = [
        [
          'a program that is not in PATH',
          ['no-such-program'],
          {},
          'command-missing',
          /"no-such-program" in PATH$/,
        ],
        ['a missing file', ['/no/such/file'], {}, 'command-missing', /\/no\/such\/file does not exist/],
        ['a directory', ['/etc'], {}, 'command-missing', /\/etc is a directory/],
        [
          'a file without the x bit',
          ['/etc/passwd'],
          {},
          'command-missing',
          /\/etc\/passwd is not executable/,
        ],
        ['an empty command', [], {}, 'command-missing', /empty/],
        [
          'a missing directory',
          ['true'],
          { workingDirectory: '/no/where' },
          'working-directory-missing',
          /\/no\/where does not exist/,
        ],
        [
          'a file as directory',
          ['true'],
          { workingDirectory: '/etc/passwd' },
          'working-directory-missing',
          /is no directory/,
        ],
        ['a NUL in an argument', ['true', 'a\0b'], {}, 'start-failed', /null bytes/],
      ];
      it.each(cases)(
        'is refused with a sentence and leaves nothing: %s',
        (_title, argv, changes, code, message) => {
          const key = keyOf('web');
          expect(containment.start(key, launchOf(key, argv, changes))).toMatchObject({
            code,
            message: expect.stringMatching(message),
          });
          expect(containment.services()).toEqual([]);
        },
      );

      it('names the interpreter that a script lacks', () => {
        const script = join(directory, 'script');
        fs.writeFileSync(script, '#!/no/such/interpreter -x\n', { mode: 0o755 });
        const key = keyOf('web');
        expect(containment.start(key, launchOf(key, [script]))).toMatchObject({
          code: 'command-missing',
          message: expect.stringContaining('/no/such/interpreter'),
        });
      });

      it('looks again at a script that is another one by now, and at its interpreter each time', async () => {
        const script = join(directory, 'script');
        const interpreter = join(directory, 'interpreter');
        let key = keyOf('web');
        const answer = () => {
          key = keyOf('web');
          return containment.start(key, launchOf(key, [script]));
        };
        fs.writeFileSync(script, `#!${interpreter}\n`, { mode: 0o755 });
        const lacking = { code: 'command-missing', message: expect.stringContaining(interpreter) };
        expect(answer()).toMatchObject(lacking);
        fs.copyFileSync('/bin/true', interpreter);
        fs.chmodSync(interpreter, 0o755);
        started(answer());
        await outcomeOf(containment, key);
        fs.rmSync(interpreter);
        expect(answer()).toMatchObject(lacking);
        fs.rmSync(script);
        fs.writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 });
        expect(answer()).toMatchObject({ message: expect.stringContaining('/no/such/interpreter') });
      });

      it('is not taken for an exit when a link of the launcher refuses', async () => {
        const key = keyOf('web');
        const rlimits = { nofile: { soft: 200, hard: 100 } };
        started(containment.start(key, launchOf(key, ['sleep', '1000'], { rlimits })));
        const outcome = await outcomeOf(containment, key);
        expect(outcome).toMatchObject({ kind: 'not_started', problem: { code: 'start-failed' } });
        expect(JSON.stringify(outcome)).toContain('prlimit');
        await emptied(containment, key);
        expect(containment.remove(key)).toBeUndefined();
      });
    });

    describe('a command inside a run', () => {
      it('is a member of the run and its end is told once', async () => {
        const key = start(['sleep', '1000']);
        const outcomes: Outcome[] = [];
        const script = 'echo $$ >> "$0"; read line < "$1"; exit 5';
        const fifo = join(directory, 'fifo');
        await outputOf(containment, ['mkfifo', fifo]);
        const launch = launchOf(key, ['sh', '-c', script, join(directory, 'pids'), fifo]);
        expect(containment.runInside(key, launch, (outcome) => outcomes.push(outcome))).toBeUndefined();
        const [command] = await writtenPids(1);
        expect(containment.members(key)).toContain(command);
        fs.writeFileSync(fifo, 'go\n');
        await until('its end', () => outcomes[0]);
        expect(outcomes).toEqual([{ kind: 'exited', code: 5 }]);
        expect(runOf(containment, key)?.main).toEqual({ is: 'running', pid: key.pid });
      });

      it('is refused with a sentence when it does not exist, or the run is gone', () => {
        const key = start(['sleep', '1000']);
        const done = () => expect.unreachable('never started');
        expect(containment.runInside(key, launchOf(key, ['no-such-stop']), done)?.code).toBe(
          'command-missing',
        );
        const gone = keyOf('web');
        expect(containment.runInside(gone, launchOf(gone, ['true']), done)?.code).toBe('start-failed');
      });
    });

    describe('a port', () => {
      it('is free, taken by somebody else, or the own one', async () => {
        const server = net.createServer();
        const port = await new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port));
        });
        expect(containment.portHolder(port, [named('web')])).toMatch(new RegExp(`^${process.pid} `));
        await new Promise((resolve) => server.close(resolve));
        expect(containment.portHolder(port, [named('web')])).toBeUndefined();

        const script = `require("net").createServer().listen(${port}, "127.0.0.1")`;
        const key = start([process.execPath, '-e', script]);
        await until('the listener', () => containment.portHolder(port, [named('other')]));
        expect(containment.portHolder(port, [named('other')])).toMatch(new RegExp(`^${key.pid} `));
        expect(containment.portHolder(port, [key.service])).toBeUndefined();
        expect(containment.portHolder(port, [named('other'), key.service])).toBeUndefined();
      });
    });

    it('counts processor time and memory', async () => {
      const key = start(['sh', '-c', 'while :; do :; done']);
      const usage = await until('some time', () => {
        const now = containment.usage(key);
        return (now.cpuMicroseconds ?? 0) > 20_000 ? now : undefined;
      });
      expect(usage.memoryBytes).toBeGreaterThan(10_000);
      expect(containment.usage(keyOf('web'))).toEqual({ cpuMicroseconds: null, memoryBytes: null });
    });

    it('answers a limit that cannot be applied with a warning that names it', () => {
      const none = {
        max_cpu: null,
        max_memory: null,
        memory_high: null,
        max_swap: null,
        max_pids: null,
        cpu_weight: null,
        io_weight: null,
      };
      const key = start(['sleep', '1000']);
      expect(containment.limit(key.service, none)).toEqual([]);
      const missing = containment.shortcomings.map((problem) => problem.message).join();
      if (ground.kind === 'cgroup' && !missing.includes('max_pids')) return;
      expect(containment.limit(key.service, { ...none, max_pids: 7 })).toEqual([
        {
          code: 'limit-unapplied',
          severity: 'warning',
          service: 'web',
          message: expect.stringMatching(/^max_pids cannot be applied/),
        },
      ]);
    });

    it('leaves no descriptor, no zombie and no trace after hundreds of starts and stops', async () => {
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const cycle = async (round: number) => {
        const key = start(['sleep', '1000'], keyOf(`web${round % 3}`));
        containment.kill(key);
        await outcomeOf(containment, key);
        await emptied(containment, key);
        expect(containment.remove(key)).toBeUndefined();
        containment.forget(key.service);
      };
      await cycle(0);
      const before = descriptors();
      // Without cgroups each stop looks at every process of the host, so fewer do.
      const rounds = ground.kind === 'cgroup' ? 300 : 100;
      for (let round = 0; round < rounds; round++) await cycle(round);
      await until('all to be closed', () => (descriptors() <= before ? true : undefined), descriptors);
      expect(containment.services()).toEqual([]);
      const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
      const zombies = children.filter((pid) => pid !== '' && isGone(Number(pid)));
      expect(zombies).toEqual([]);
    });

    it('forgets a service of which nothing is left', async () => {
      const key = start(['true']);
      await outcomeOf(containment, key);
      await emptied(containment, key);
      expect(containment.forget(key.service)).toMatchObject({ code: 'stop-blocked', service: key.service });
      expect(runOf(containment, key)).toBeDefined();
      containment.remove(key);
      expect(containment.forget(key.service)).toBeUndefined();
      expect(containment.services()).toEqual([]);
      // It is gone already.
      expect(containment.forget(key.service)).toBeUndefined();
    });
  });
});
