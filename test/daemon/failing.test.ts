/** When has a service of an update failed, and which services of it had not been begun? */
import { beforeEach, describe, expect, test } from 'vitest';
import type { OnFailure } from '../../src/api/changes.ts';
import { Failing, hasBegun, noted, type Verdicts } from '../../src/daemon/failing.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import { sightsOf } from '../../src/daemon/sights.ts';
import { idOf } from '../../src/daemon/snapshots.ts';
import type { Memory } from '../../src/model/memory.ts';
import type { RunId } from '../../src/model/names.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import {
  defined,
  exited,
  memory,
  NOW,
  name,
  run,
  runsRemembered,
  situation,
  slot,
  stopProgress,
  unseen,
} from '../builders.ts';
import { GOOD } from '../twins/program.ts';
import { SmallDaemon } from './small-daemon.ts';

const NEW = defined({ hash: 'b' });
const RUN_ID = 'r' as RunId;

function glance(part: Partial<Memory>, pardon?: number): Glance {
  return {
    desired: NEW,
    intent: pardon === undefined ? {} : { pardon },
    ending: undefined,
    now: NOW,
    memory: memory(part),
    // Another decision is due already: what was noted counts all the same.
    decision: undefined,
    due: true,
  };
}

const rejected = {
  generation: 2,
  digest: NEW.digest,
  pardon: 0,
  at: NOW,
  reason: 'exited with code 3',
  run: RUN_ID,
};

describe('a failure is seen as soon as it is noted', () => {
  test.each([
    ['a rejected roll-out', { rejected }, /the old one goes on: exited with code 3/],
    [
      'a start that is given up',
      {
        slots: {
          0: slot({
            end: {
              kind: 'failed',
              at: NOW,
              reason: 'exit_3 4 times',
              under: NEW.digest,
              pardon: 0,
              retryAt: null,
            },
          }),
        },
      },
      /exit_3 4 times/,
    ],
    [
      'a start that is tried again',
      {
        slots: {
          0: slot({
            next: { at: NOW + 1000, delay: 1000, digest: NEW.digest, pardon: 0 },
            exits: [{ outcome: exited(3), at: NOW, by: 'itself', run: RUN_ID, uptime: 100 }],
          }),
        },
      },
      /code 3; it is tried again/,
    ],
  ] as const)('%s', (_, part, detail) => {
    expect(noted(glance(part))).toMatchObject({ result: 'failed', detail: expect.stringMatching(detail) });
  });

  test.each([
    ['an older definition', { ...rejected, digest: 'another' }, 0],
    ['what somebody has forgiven since', rejected, 1],
  ])('not that of %s', (_, of, pardon) => {
    expect(noted(glance({ rejected: of }, pardon))).toBeUndefined();
  });

  test('a start that was refused beside an older run waits to be judged: the older one may go on', () => {
    const refused = {
      outcome: {
        kind: 'not_started',
        problem: { code: 'command-missing', severity: 'error', message: 'no' },
      },
      ...({ at: NOW, by: 'itself', run: null, uptime: 0 } as const),
    } as const;
    const next = { at: NOW + 1000, delay: 1000, digest: NEW.digest, pardon: 0 };
    const slots = { 0: slot({ next, exits: [refused] }) };
    expect(noted(glance({ slots, runs: runsRemembered([run({ hash: 'a' }), {}]) }))).toBeUndefined();
    // Nobody is left who could go on.
    expect(noted(glance({ slots }))).toMatchObject({ result: 'failed' });
    const stopped = runsRemembered([run({ hash: 'a' }), { stop: stopProgress() }]);
    expect(noted(glance({ slots, runs: stopped }))).toMatchObject({ result: 'failed' });
  });

  test('not in a place that is wanted no longer, nor of what is not to run', () => {
    const exit = { outcome: exited(1), at: NOW, by: 'itself', run: RUN_ID, uptime: 100 } as const;
    const next = { at: NOW + 1000, delay: 1000, digest: NEW.digest, pardon: 0 };
    const failed = glance({ slots: { 0: slot({}), 1: slot({ next, exits: [exit] }) } });
    expect(noted(failed)).toBeUndefined();
    const asked = { by: 'bob', at: NOW };
    const wide = { scale: { ...asked, instances: 2, file: 1 } };
    expect(noted({ ...failed, intent: wide })).toMatchObject({ result: 'failed' });
    expect(noted({ ...failed, intent: { ...wide, stopped: asked } })).toBeUndefined();
    expect(noted({ ...glance({ rejected }), intent: { held: asked } })).toBeUndefined();
  });

  test('a completion is none', () => {
    const end = {
      kind: 'completed',
      at: NOW,
      reason: 'done',
      under: NEW.digest,
      pardon: 0,
      retryAt: null,
    } as const;
    expect(noted(glance({ slots: { 0: slot({ end }) } }))).toBeUndefined();
  });
});

describe('a change has begun', () => {
  const older = run({ hash: 'a' });

  test('not while only the older definition runs', () => {
    const now = situation({
      desired: NEW,
      runs: [older],
      memory: { generation: 2, generationHash: NEW.hash },
    });
    expect(hasBegun(now, 'roll')).toBe(false);
  });

  test('not when it is new and waits', () => {
    expect(hasBegun(situation({ desired: NEW }), 'start')).toBe(false);
  });

  test('when a run of it is there', () => {
    const successor = run({ hash: 'b', generation: 2, age: 10 });
    expect(hasBegun(situation({ desired: NEW, runs: [older, successor] }), 'roll')).toBe(true);
  });

  test('when a run of it was there, or its hook was', () => {
    const known = { generation: 2, generationHash: NEW.hash };
    expect(
      hasBegun(
        situation({ desired: NEW, memory: { ...known, slots: { 0: slot({ generation: 2 }) } } }),
        'start',
      ),
    ).toBe(true);
    const preStart = { run: RUN_ID, generation: 2, digest: NEW.digest, state: 'running' } as const;
    expect(
      hasBegun(situation({ desired: NEW, memory: { ...known, slots: { 0: slot({ preStart }) } } }), 'start'),
    ).toBe(true);
  });

  test('when the older run has been told to stop', () => {
    const runs = runsRemembered([older, { stop: stopProgress() }]);
    expect(hasBegun(situation({ desired: NEW, runs: [older], memory: { runs } }), 'roll')).toBe(true);
  });

  test('in doubt: nothing is taken back of what cannot be seen', () => {
    expect(hasBegun(situation({ desired: NEW, observed: unseen() }), 'roll')).toBe(true);
    // What ran when the update was planned is gone: it was stopped to be replaced.
    expect(hasBegun(situation({ desired: NEW }), 'roll')).toBe(true);
    expect(hasBegun(situation({ desired: NEW, runs: [older] }), 'roll')).toBe(false);
  });

  test('of a removal, as long as it runs, not', () => {
    expect(hasBegun(situation({ desired: undefined, runs: [older] }), 'stop')).toBe(false);
    expect(hasBegun(situation({ desired: undefined }), 'stop')).toBe(true);
  });
});

const UNANSWERED = {
  ...{ how: { tcp: { host: '127.0.0.1', port: 1 } }, interval: 1000, timeout: 500, failure_threshold: 3 },
  ...{ success_threshold: 1, initial_delay: 0 },
} as const;

describe('an update looks after what it changes', () => {
  let daemon: SmallDaemon;
  let failing: Failing;
  /** What was gone back for. */
  let failed: string[];
  /** Services whose env files say something else by now, whatever text is followed. */
  let besides: readonly string[];
  const WAITING = { depends_on: { db: 'ready' as const } };

  beforeEach(() => {
    daemon = new SmallDaemon();
    failed = [];
    besides = [];
    const known = new Map<string, DesiredState>();
    failing = new Failing({
      clock: daemon.clock,
      loop: daemon.loop,
      goBack: (to, { failed: service }) => {
        failed.push(service);
        const state = 'files' in to ? undefined : known.get(idOf(to));
        if (state === undefined) expect.fail('these texts have never been in force');
        const again = besides.flatMap((each) => daemon.files.get(each) ?? []);
        const services = new Map([...state.services, ...again.map((each) => [each.name, each] as const)]);
        daemon.loop.use({ ...state, services });
        return undefined;
      },
      lastGood: () => undefined,
      textsOf: (desired) => {
        const texts = [...desired.services.values()].map((each) => {
          const isSame = besides.includes(each.name) || each.kind !== 'defined';
          return { path: each.name, text: isSame ? '' : each.digest };
        });
        known.set(idOf(texts), desired);
        return texts;
      },
    });
    daemon.save('db', { enabled: false });
    daemon.save('x');
    daemon.save('y');
    daemon.save('w', WAITING);
    daemon.loop.reload();
    daemon.pass(1000);
  });

  function update(on_failure: OnFailure): Verdicts {
    const { loop } = daemon;
    const [before, reading] = [loop.desired, daemon.reading()];
    const planned = loop.plan(reading);
    loop.use(reading);
    return failing.watch({ services: [], prune: false, wait: 0, on_failure }, 'update', planned, before);
  }

  function comesAndCrashes(service: string): void {
    for (let passed = 0; passed < 10_000 && !daemon.running().includes(service); passed++) daemon.pass(1);
    expect(daemon.running()).toContain(service);
    daemon.crash(service);
    daemon.pass(100);
  }

  test('and not after who only waited, and comes with a later command', () => {
    daemon.save('x', { description: 'newer', process: { args: ['newer'] } });
    update('rollback');
    daemon.pass(5000);
    daemon.save('db');
    daemon.loop.reload();
    comesAndCrashes('w');
    expect(failed).toEqual([]);
  });

  test('after who has waited before, where the update changes that one', () => {
    daemon.save('w', { ...WAITING, process: { args: ['newer'] } });
    update('rollback');
    daemon.pass(5000);
    daemon.save('db');
    daemon.loop.reload();
    comesAndCrashes('w');
    expect(failed).toEqual(['w']);
  });

  test.each(['stop', 'rollback'] as const)('%s: holds nothing back that only waited', (policy) => {
    daemon.save('new', { restart_policy: { policy: 'never' } });
    update(policy);
    comesAndCrashes('new');
    expect(failed).toEqual(policy === 'stop' ? [] : ['new']);
  });

  test.each(['stop', 'rollback'] as const)('%s: until a one-shot has completed', (policy) => {
    const never = { restart_policy: { policy: 'never' as const } };
    daemon.save('migration', { process: { type: 'oneshot' }, ...never });
    daemon.save('app', { depends_on: { [name('migration')]: 'completed' } });
    daemon.save('later', { depends_on: { [name('app')]: 'ready' } });
    const verdicts = update(policy);
    daemon.pass(60_000);
    expect(failed).toEqual([]);
    comesAndCrashes('migration');
    expect(failed).toEqual(['migration']);
    const held = [...(verdicts.failure?.services ?? [])].sort();
    expect(held).toEqual(policy === 'stop' ? ['app', 'later'] : ['app', 'later', 'migration']);
  });

  describe.each(['stop', 'rollback'] as const)('%s: where only env files have changed', (policy) => {
    const relying = { app: 'db', later: 'app' } as const;

    beforeEach(() => {
      const save = (hash: string): void => {
        daemon.save('db', { process: { command: [`/${hash}`] }, rollout: { surge: 1 } }, hash);
        for (const [service, on] of Object.entries(relying))
          daemon.save(service, { depends_on: { [name(on)]: 'ready' }, process: { args: [hash] } }, hash);
      };
      daemon.install('/b', { ...GOOD, ends: { how: 'exit', code: 3, after: 50 } });
      save('a');
      daemon.loop.reload();
      daemon.pass(5000);
      save('b');
    });

    test('says that nothing can be taken back, and freezes nothing', () => {
      besides = ['db', 'app', 'later'];
      const verdicts = update(policy);
      daemon.pass(120_000);
      expect(failed).toEqual([]);
      expect(verdicts.failure).toMatchObject({
        services: [],
        detail: expect.stringMatching(/could .*be .*: only env files or secrets have changed/),
      });
      expect(verdicts.of(name('app'))).toBeUndefined();
    });

    test('names who follows them all the same', () => {
      besides = ['later'];
      const verdicts = update(policy);
      daemon.pass(120_000);
      expect(failed).toEqual(['db']);
      expect(verdicts.failure?.services).toEqual(policy === 'stop' ? ['app'] : ['app', 'db']);
      expect(verdicts.failure?.detail).toContain('env files or secrets of later have changed as well');
      expect(verdicts.of(name('later'))).toBeUndefined();
    });
  });

  test.each(['stop', 'rollback'] as const)('%s: not for who waits for what had failed before', (policy) => {
    daemon.save('broken', { restart_policy: { policy: 'never' } });
    daemon.loop.reload();
    comesAndCrashes('broken');
    daemon.save('app', { depends_on: { [name('broken')]: 'ready' } });
    update(policy);
    daemon.pass(60_000);
    expect(daemon.loop.decision(name('app'))?.slots).toMatchObject([
      { phase: 'waiting', dueToFailure: true },
    ]);
    expect(failed).toEqual([]);
  });

  test.each([
    ['one that ends at once', { ends: { how: 'exit', code: 3, after: 50 } }, 'exited with code 3'],
    ['one that does not become ready', {}, 'not ready within 5 s'],
  ] as const)('and tells what is done about %s', (_, behaviour, reason) => {
    daemon.install('/bad', { ...GOOD, ...behaviour });
    const bad = { process: { command: ['/bad'] }, probes: { readiness: UNANSWERED } };
    for (const [service, on_failure] of [
      ['x', 'keep_old'],
      ['y', 'replace'],
    ] as const)
      daemon.save(service, { ...bad, rollout: { surge: 1, timeout: 5000, on_failure } }, 'b');
    const details = new Map<string, string>();
    const sights = new Set<string>();
    daemon.loop.onPass(() => {
      for (const service of ['x', 'y']) {
        const now = daemon.loop.glance(name(service));
        const outcome = noted(now);
        if (outcome !== undefined && !details.has(service)) details.set(service, outcome.detail);
        for (const { trouble, sight } of sightsOf(service, now))
          if (trouble === 'rolled_back' && sight.is === 'in_trouble')
            sights.add(`${service} ${sight.detail}`);
      }
    });
    update('continue');
    daemon.pass(20_000);
    expect(details.get('x')).toMatch(`the new definition failed, the old one goes on: ${reason}`);
    expect(details.get('y')).toMatch(
      `the new definition failed, and replaces the old one all the same: ${reason}`,
    );
    // To nobody it is told that something was kept that was not.
    expect([...sights]).toEqual([expect.stringMatching(`^x .* the old one goes on: ${reason}`)]);
  });

  test('also when an update that brings nothing is asked for meanwhile, though somebody waits', () => {
    daemon.save('new', { restart_policy: { policy: 'never' } });
    update('rollback');
    const again = update('continue');
    comesAndCrashes('new');
    expect(failed).toEqual(['new']);
    // Who asked for that one is told what became of the service, which may be up again as it was.
    expect([again.of(name('new'))?.result, again.failure?.did]).toEqual(['failed', 'rolled_back']);
  });
});
