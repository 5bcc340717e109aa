/** What commands beside a run promise, against the real kernel: nothing of them is ever left. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunKey } from '../../src/model/names.ts';
import type { Beside, BesideOutcome, Containment } from '../../src/world/world.ts';
import {
  emptied,
  GROUNDS,
  type Ground,
  isGone,
  keyOf,
  launchOf,
  outcomeOf,
  runOf,
  runsOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

/** A child in a session of its own, made by a double fork: it writes its pid and stays. */
const RUNAWAY = '(setsid sh -c \'echo $$ >> "$0"; exec sleep 1000\' "$0" &) ; ';
/** The same for the command itself. */
const STAYS = 'echo $$ >> "$0"; exec sleep 1000';

describe.each(GROUNDS)('a command beside a run in %s', (_, makeGround, missing) => {
  describe.skipIf(missing)('on this host', () => {
    let ground: Ground;
    let containment: Containment;
    let directory: string;
    let told: BesideOutcome[];

    beforeEach(() => {
      ground = makeGround();
      containment = ground.containment;
      directory = temporaryDirectory();
      told = [];
    });
    afterEach(() => {
      ground.clear();
      fs.rmSync(directory, { recursive: true });
    });

    function beside(key: RunKey, script: string, options: { what?: string; timeout?: number } = {}): Beside {
      const launch = launchOf(key, ['sh', '-c', script, join(directory, 'pids')]);
      const { what = 'liveness', timeout = 20_000 } = options;
      const answer = containment.runBeside(key, what, launch, timeout, (outcome) => told.push(outcome));
      if ('code' in answer) throw new Error(answer.message);
      return answer;
    }

    function writtenPids(count: number): Promise<readonly number[]> {
      const file = join(directory, 'pids');
      return until(`${count} pids`, () => {
        const pids = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
        return pids.length === count && pids[0] !== '' ? pids.map(Number) : undefined;
      });
    }

    const outcome = () => until('its end', () => told[0]);

    /** Everything in the place of the service. */
    const places = (key: RunKey) => {
      const place = join(ground.place, key.service);
      const entries = fs.existsSync(place) ? fs.readdirSync(place, { withFileTypes: true }) : [];
      return entries
        .filter((entry) => ground.kind === 'process_group' || entry.isDirectory())
        .map((entry) => entry.name);
    };

    it.each<[string, string, BesideOutcome]>([
      ['code 0', 'exit 0', { kind: 'exited', code: 0 }],
      ['code 5', 'exit 5', { kind: 'exited', code: 5 }],
      ['the code of a refused launch', 'exit 125', { kind: 'exited', code: 125 }],
      ['a signal', 'kill -s TERM $$', { kind: 'signaled', signal: 'SIGTERM', oom: false }],
    ])('tells its end with %s, before its run is there', async (_title, script, expected) => {
      const key = keyOf('web');
      beside(key, script, { what: 'pre_start' });
      expect(await outcome()).toEqual(expected);
      expect(places(key)).toEqual([]);
      expect(runsOf(containment, key.service)).toEqual([]);
      containment.forget(key.service);
      expect(containment.services()).toEqual([]);
    });

    it('is no member of its run, and neither ends the other', async () => {
      const key = keyOf('web');
      const { pid } = started(containment.start(key, launchOf(key, ['sleep', '1000'])));
      beside(key, STAYS);
      const [command] = await writtenPids(1);
      await until('the place', () => containment.members(key).includes(pid) || undefined);
      expect(containment.members(key)).toEqual([pid]);
      expect(runsOf(containment, key.service).map((run) => run.key)).toEqual([key]);
      containment.kill(key);
      await outcomeOf(containment, key);
      await emptied(containment, key);
      expect(containment.remove(key)).toBeUndefined();
      expect(containment.forget(key.service)).toMatchObject({ code: 'stop-blocked', passing: true });
      expect(isGone(command!)).toBe(false);
      expect(containment.services()).toEqual(['web']);
      expect(told).toEqual([]);

      process.kill(command!, 'SIGKILL');
      expect(await outcome()).toEqual({ kind: 'signaled', signal: 'SIGKILL', oom: false });
      beside(key, 'exit 0', { what: 'post_stop' });
      await until('the second end', () => told[1]);
    });

    it('is killed with its whole tree when its time is over', async () => {
      const key = keyOf('web');
      const begun = performance.now();
      beside(key, `trap "" TERM INT; ${RUNAWAY} ${STAYS}`, { timeout: 2000 });
      const pids = await writtenPids(2);
      expect(await outcome()).toEqual({ kind: 'timed_out' });
      expect(performance.now() - begun).toBeGreaterThanOrEqual(1999);
      expect(pids.map(isGone)).toEqual([true, true]);
      expect(places(key)).toEqual([]);
      expect(told).toHaveLength(1);
    });

    it('takes what it leaves behind with it, before its end is told', async () => {
      const key = keyOf('web');
      beside(key, `${RUNAWAY} while [ ! -s "$0" ]; do sleep 0.01; done; exit 3`);
      expect(await outcome()).toEqual({ kind: 'exited', code: 3 });
      const [runaway] = await writtenPids(1);
      expect(isGone(runaway!)).toBe(true);
      expect(places(key)).toEqual([]);
    });

    it('is killed and not heard of again when it is cancelled, and wakes when it has gone', async () => {
      const key = keyOf('web');
      const woken: string[] = [];
      containment.onChange((service) => woken.push(service));
      const command = beside(key, `${RUNAWAY} ${STAYS}`);
      const pids = await writtenPids(2);
      command.cancel();
      await until('the wake', () => woken[0]);
      expect(pids.map(isGone)).toEqual([true, true]);
      expect(places(key)).toEqual([]);
      command.cancel();
      beside(key, 'exit 0');
      expect(await outcome()).toEqual({ kind: 'exited', code: 0 });
      expect(told).toHaveLength(1);
    });

    it('is killed although it was started this very moment', async () => {
      for (let round = 0; round < 20; round++) {
        const key = keyOf('web');
        beside(key, STAYS).cancel();
        await until('its place to be gone', () => (places(key).length === 0 ? true : undefined));
      }
      expect(told).toEqual([]);
    });

    it('has one of each word and run at a time', async () => {
      const key = keyOf('web');
      const first = beside(key, STAYS);
      await writtenPids(1);
      const launch = launchOf(key, ['true']);
      const never = () => expect.unreachable('never started');
      expect(containment.runBeside(key, 'liveness', launch, 1000, never)).toMatchObject({
        code: 'start-failed',
        service: 'web',
        message: expect.stringContaining('liveness'),
      });
      beside(key, 'exit 1', { what: 'readiness' });
      beside(keyOf('web'), 'exit 2');
      await until('both', () => (told.length === 2 ? true : undefined));
      expect(told).toEqual(
        expect.arrayContaining([
          { kind: 'exited', code: 1 },
          { kind: 'exited', code: 2 },
        ]),
      );
      first.cancel();
    });

    it('leaves nothing when it cannot be started', () => {
      const key = keyOf('web');
      const never = () => expect.unreachable('never started');
      const launch = launchOf(key, ['no-such-probe']);
      expect(containment.runBeside(key, 'liveness', launch, 1000, never)).toMatchObject({
        code: 'command-missing',
      });
      expect(containment.services()).toEqual([]);
      expect(() => containment.runBeside(key, '../x', launch, 1000, never)).toThrow(/no word/);
    });

    it('tells a refused launch as such', async () => {
      const key = keyOf('web');
      const rlimits = { nofile: { soft: 200, hard: 100 } };
      const done = (outcome: BesideOutcome) => told.push(outcome);
      containment.runBeside(key, 'liveness', launchOf(key, ['true'], { rlimits }), 10_000, done);
      expect(await outcome()).toMatchObject({ kind: 'not_started', problem: { code: 'start-failed' } });
      expect(places(key)).toEqual([]);
    });

    it('is gone once its containment has closed; the run stays', async () => {
      const key = keyOf('web');
      const { pid } = started(containment.start(key, launchOf(key, ['sleep', '1000'])));
      beside(key, `${RUNAWAY} ${STAYS}`);
      const pids = await writtenPids(2);
      await until('the place', () => containment.members(key)[0]);
      containment.close();
      expect(pids.map(isGone)).toEqual([true, true]);
      expect(places(key)).toHaveLength(1);
      expect(isGone(pid)).toBe(false);
      const later = ground.reopen();
      expect(runOf(later, key)?.members).toEqual({ is: 'some' });
      expect(told).toEqual([]);
      later.kill(key);
      await emptied(later, key);
    });

    it('leaves no descriptor, no zombie and no trace after many', async () => {
      const key = keyOf('web');
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const cycle = async () => {
        const count = told.length;
        beside(key, 'exit 0');
        await until('its end', () => (told.length > count ? true : undefined));
      };
      await cycle();
      const before = descriptors();
      const rounds = ground.kind === 'cgroup' ? 200 : 60;
      for (let round = 0; round < rounds; round++) await cycle();
      await until('all to be closed', () => (descriptors() <= before ? true : undefined), descriptors);
      expect(places(key)).toEqual([]);
      const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
      expect(children.filter((pid) => pid !== '' && isGone(Number(pid)))).toEqual([]);
    });
  });
});
