/** What is known of the end of a program that was to be recorded: the same, whether the daemon was there or not. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunKey } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import { RunRecords } from '../../src/world/run-records.ts';
import type { Containment, Launch } from '../../src/world/world.ts';
import {
  emptied,
  GROUNDS,
  type Ground,
  isGone,
  keyOf,
  launchOf,
  outcomeOf,
  outputOf,
  processGroupGround,
  runOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

const exited = (code: number): Outcome => ({ kind: 'exited', code });
const signaled = (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGSEGV' | 'SIGUSR1'): Outcome => ({
  kind: 'signaled',
  signal,
  oom: false,
});

const ENDS: readonly (readonly [string, string, Outcome])[] = [
  ['code 0', 'exit 0', exited(0)],
  ['code 3', 'exit 3', exited(3)],
  ['the code of a refused launch', 'exit 125', exited(125)],
  ['the code of SIGTERM', 'exit 143', exited(143)],
  ['the code of SIGKILL', 'exit 137', exited(137)],
  ['code 255', 'exit 255', exited(255)],
  ['SIGTERM', 'kill -s TERM $$', signaled('SIGTERM')],
  ['SIGKILL', 'kill -s KILL $$', signaled('SIGKILL')],
  ['SIGINT', 'kill -s INT $$', signaled('SIGINT')],
  ['SIGSEGV', 'ulimit -c 0; kill -s SEGV $$', signaled('SIGSEGV')],
  ['SIGUSR1', 'kill -s USR1 $$', signaled('SIGUSR1')],
];

describe.each(GROUNDS)('a recorded run in %s', (_, makeGround, missing) => {
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

    /** It says that it is there, waits for {@link go}, and then does what it is for. */
    async function waiting(script: string, changes: Partial<Launch> = {}): Promise<RunKey> {
      const key = keyOf('job');
      const waits = `: > "$0/ready"; while [ ! -e "$0/go" ]; do sleep 0.01; done; ${script}`;
      const launch = launchOf(key, ['sh', '-c', waits, directory], { record: true, ...changes });
      started(containment.start(key, launch));
      await until('the program', () => (fs.existsSync(join(directory, 'ready')) ? true : undefined));
      return key;
    }

    const go = () => fs.writeFileSync(join(directory, 'go'), '');

    const records = () => (fs.existsSync(ground.exits) ? fs.readdirSync(ground.exits) : []);

    it.each(ENDS)('ends with %s for the daemon that started it', async (_title, script, outcome) => {
      const key = await waiting(script);
      go();
      expect(await outcomeOf(containment, key)).toEqual(outcome);
      await emptied(containment, key);
      expect(records()).toEqual([key.id]);
      expect(containment.remove(key)).toBeUndefined();
      expect(records()).toEqual([]);
    });

    it.each(ENDS)('ended with %s for a daemon that came later', async (_title, script, outcome) => {
      const key = await waiting(script);
      containment.close();
      // The times of files come from a clock that ticks (CLOCK_REALTIME_COARSE), up to 10 ms apart.
      const before = Date.now() - 10;
      go();
      const later = ground.reopen();
      expect(await outcomeOf(later, key)).toEqual(outcome);
      const run = runOf(later, key);
      expect(run).toMatchObject({ adopted: true, everRan: true });
      if (run?.main.is !== 'ended') throw new Error('it has not ended');
      expect(run.main.at).toBeGreaterThanOrEqual(before);
      expect(run.main.at).toBeLessThanOrEqual(Date.now());
      await emptied(later, key);
      expect(later.remove(key)).toBeUndefined();
      expect(records()).toEqual([]);
    });

    it.each([
      ['and the next one adopted', 1],
      ['and one after the other adopted', 2],
    ])(
      'ends as it did although its record was lost, where a daemon started it %s',
      async (_title, daemons) => {
        const key = await waiting('exit 7');
        let later = containment;
        for (let count = 0; count < daemons; count++) {
          later.close();
          later = ground.reopen();
          expect(runOf(later, key)).toBeDefined();
        }
        const before = Date.now() - 10;
        fs.rmSync(ground.exits, { recursive: true });
        go();
        expect(await outcomeOf(later, key)).toEqual(exited(7));
        const { main } = runOf(later, key) ?? {};
        if (main?.is !== 'ended') throw new Error('it has not ended');
        expect(main.at).toBeGreaterThanOrEqual(before);
        expect(main.at).toBeLessThanOrEqual(Date.now());
        await emptied(later, key);
        const held = () =>
          fs.readdirSync('/proc/self/fd').filter((fd) => {
            try {
              return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(ground.exits, key.id));
            } catch {
              return false;
            }
          });
        expect(held()).toHaveLength(1);
        expect(later.remove(key)).toBeUndefined();
        expect(held()).toEqual([]);
      },
    );

    it.runIf(makeGround === processGroupGround)(
      'ends as it did although the record of its process was lost without a daemon',
      async () => {
        const key = await waiting('exit 7');
        containment.close();
        fs.rmSync(ground.place, { recursive: true });
        const later = ground.reopen();
        expect(runOf(later, key)).toBeDefined();
        go();
        expect(await outcomeOf(later, key)).toEqual(exited(7));
      },
    );

    it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGALRM'] as const)(
      'lets the program answer a %s to the whole run in its own way',
      async (signal) => {
        const key = keyOf('job');
        const script = `trap "exit 7" ${signal.slice(3)}; : > "$0/ready"; while :; do sleep 0.01; done`;
        const launch = launchOf(key, ['sh', '-c', script, directory], { record: true });
        started(containment.start(key, launch));
        await until('the trap', () => (fs.existsSync(join(directory, 'ready')) ? true : undefined));
        containment.close();
        const later = ground.reopen();
        expect(later.signal(key, signal)).toBeUndefined();
        expect(await outcomeOf(later, key)).toEqual(exited(7));
      },
    );

    it('has run, also for a daemon that follows one which died before it noted the process', async () => {
      const key = await waiting('exit 7');
      const [shell = 0] = containment.members(key);
      // As it is on disk between the two writes of a start.
      if (ground.kind === 'process_group') new RunRecords(ground.place).write(key, null);
      fs.writeFileSync(join(directory, 'go'), '');
      await until('its end', () => (isGone(shell) ? true : undefined));
      expect(runOf(ground.reopen(), key)).toMatchObject({
        everRan: true,
        main: { is: 'ended', outcome: exited(7) },
      });
    });

    it('is unknown when all of it was killed, also the shell that records', async () => {
      const key = await waiting('exit 0');
      containment.close();
      const later = ground.reopen();
      const [pid] = later.members(key);
      later.kill(key);
      await emptied(later, key);
      const observed = later.look(key.service, () => ({ pid: pid!, ticks: null }));
      expect(observed).toMatchObject({
        runs: [{ main: { is: 'ended', outcome: { kind: 'unknown', oom: false } } }],
      });
      expect(later.remove(key)).toBeUndefined();
      expect(records()).toEqual([]);
    });

    it('has its program see nothing of the shell', async () => {
      // The record is of one run alone, so that its path differs.
      const environment = 'env | sed "s/^\\(PROCESSMASTER_RECORD\\)=.*/\\1/"';
      const look = `ls /proc/$$/fd; grep -E "^Sig(Ign|Blk)" /proc/self/status; umask; ${environment}`;
      const changes = {
        environment: { PATH: '/usr/bin:/bin', PROCESSMASTER_RUN_ID: 'run', PWD: '/x', code: 'a', how: 'b' },
        umask: 0o27,
      };
      const plain = await outputOf(containment, ['sh', '-c', look], changes);
      const recorded = await outputOf(containment, ['sh', '-c', look], { ...changes, record: true });
      expect(recorded).toBe(plain);
    });

    it('has its output and its errors where they belong', async () => {
      expect(await outputOf(containment, ['sh', '-c', 'echo out; echo err >&2'], { record: true })).toBe(
        'out\nerr\n',
      );
      expect(await outputOf(containment, ['echo', 'not the one of a shell'], { record: true })).toBe(
        'not the one of a shell\n',
      );
    });

    it('answers the environment of the program, not that of the shell', async () => {
      const environment = { LD_EXAMPLE: 'late' };
      const key = await waiting('exit 0', { environment: { ...environment, PATH: '/usr/bin:/bin' } });
      expect(containment.environment(key)).toMatchObject(environment);
      go();
      await outcomeOf(containment, key);
    });

    it('is not taken for an exit when its launch was refused', async () => {
      const key = keyOf('job');
      const rlimits = { nofile: { soft: 200, hard: 100 } };
      started(containment.start(key, launchOf(key, ['true'], { record: true, rlimits })));
      expect(await outcomeOf(containment, key)).toMatchObject({ kind: 'not_started' });
      await emptied(containment, key);
      expect(containment.remove(key)).toBeUndefined();
      expect(containment.start(key, launchOf(key, ['no-such-program'], { record: true }))).toMatchObject({
        code: 'command-missing',
      });
      expect(records()).toEqual([]);
    });

    it('runs without a record where none can be made', async () => {
      fs.writeFileSync(ground.exits, 'a file where a directory is needed');
      const key = keyOf('job');
      started(containment.start(key, launchOf(key, ['sh', '-c', 'exit 4'], { record: true })));
      expect(await outcomeOf(containment, key)).toEqual(exited(4));
    });

    it('keeps its record from others, and a later daemon drops those of runs that are gone', async () => {
      const key = await waiting('exit 6');
      expect(fs.statSync(ground.exits).mode & 0o777).toBe(0o700);
      expect(fs.statSync(join(ground.exits, key.id)).mode & 0o777).toBe(0o600);
      fs.writeFileSync(join(ground.exits, '0abcdefg-abcdef'), 'exited 0\n');
      containment.close();
      const later = ground.reopen();
      expect(runOf(later, key)).toBeDefined();
      expect(records()).toEqual([key.id]);
      go();
      expect(await outcomeOf(later, key)).toEqual(exited(6));
    });

    it('keeps no shell where nobody asked for a record', async () => {
      const key = keyOf('web');
      const { pid } = started(containment.start(key, launchOf(key, ['sleep', '1000'])));
      await until('the program', () => (containment.describe(pid).endsWith('sleep 1000') ? true : undefined));
      expect(containment.members(key)).toEqual([pid]);
      expect(records()).toEqual([]);
    });

    it('leaves no descriptor and no zombie after many', async () => {
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const cycle = async () => {
        const key = keyOf('job');
        started(containment.start(key, launchOf(key, ['true'], { record: true })));
        expect(await outcomeOf(containment, key)).toEqual(exited(0));
        await emptied(containment, key);
        expect(containment.remove(key)).toBeUndefined();
      };
      await cycle();
      const before = descriptors();
      for (let round = 0; round < 60; round++) await cycle();
      await until('all to be closed', () => (descriptors() <= before ? true : undefined), descriptors);
      const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
      expect(children.filter((pid) => pid !== '' && isGone(Number(pid)))).toEqual([]);
    });
  });
});
