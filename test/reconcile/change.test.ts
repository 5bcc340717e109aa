import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action, Change } from '../../src/model/action.ts';
import type { Intent } from '../../src/model/memory.ts';
import type { ObservedRun } from '../../src/model/observed.ts';
import { NO_PROBE } from '../../src/model/probe.ts';
import type { Defined } from '../../src/model/spec.ts';
import { changeOf, changeOfDefinition } from '../../src/reconcile/change.ts';
import { decide } from '../../src/reconcile/decide.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import {
  defined,
  exited,
  hash,
  mainEnded,
  memory,
  NOW,
  over,
  problem,
  run,
  runsRemembered,
  type SituationChanges,
  schedule,
  situation,
  slot,
  spec,
  stopProgress,
  unseen,
  WEB,
} from '../builders.ts';

const STOPPED = { stopped: { by: 'bob', at: NOW } };
const HELD = { held: { by: 'bob', at: NOW } };

function change(changes: SituationChanges): Change | undefined {
  return changeOf(situation(changes));
}

const two = [run({ slot: 0 }), run({ slot: 1 })];

describe('nothing to do', () => {
  it('when everything is as wanted', () => {
    expect(change({ runs: [run()] })).toBeUndefined();
  });

  it('for a service that is held', () => {
    expect(change({ intent: HELD, desired: defined({ hash: 'b' }), runs: [run()] })).toBeUndefined();
  });

  it('for a service that could not be seen', () => {
    expect(change({ observed: unseen() })).toBeUndefined();
  });

  it('for a service that is stopped already, or is on its way', () => {
    expect(change({ intent: STOPPED })).toBeUndefined();
    const runs = runsRemembered([run(), { stop: stopProgress() }]);
    expect(change({ intent: STOPPED, runs: [run()], memory: { runs } })).toBeUndefined();
  });

  it('for a crash that is being waited out: that is the daily work of the loop', () => {
    const known = { generation: 1, generationHash: hash('a'), slots: { 0: slot({ generation: 1 }) } };
    expect(change({ runs: [over(exited(1))], memory: known })).toBeUndefined();
    const { memory: after } = decide(situation({ runs: [over(exited(1))], memory: known }));
    expect(change({ memory: after, now: NOW + 1000 })).toBeUndefined();
  });
});

describe('roll and replace', () => {
  const changed = defined({
    hash: 'b',
    spec: { instances: 2, process: { args: ['--port=81'] } },
    lines: { 'process.args[0]': 9 },
  });
  const applied = { a: spec({ instances: 2, process: { args: ['--port=80'] } }) };

  it('a field that processes are started with rolls, with its cause and line', () => {
    expect(change({ desired: changed, applied, runs: two })).toEqual({
      service: WEB,
      action: 'roll',
      instances: 2,
      reason: 'definition changed',
      because: [
        {
          path: 'process.args[0]',
          from: '"--port=80"',
          to: '"--port=81"',
          class: 'roll',
          file: 'config.d/web.yaml',
          line: 9,
        },
      ],
    });
  });

  it('one field of class replace makes it a replacement', () => {
    const desired = defined({ hash: 'b', spec: { instances: 2, process: { type: 'oneshot', args: ['x'] } } });
    expect(change({ desired, applied, runs: two })).toMatchObject({ action: 'replace', instances: 2 });
  });

  it('counts only the runs that are still to be replaced', () => {
    const runs = [run({ slot: 0, hash: 'b', generation: 2 }), run({ slot: 1 })];
    expect(change({ desired: changed, applied, runs })).toMatchObject({ action: 'roll', instances: 1 });
  });

  it('counts what starts or stops on the way as well', () => {
    const more = defined({ hash: 'b', spec: { instances: 3 } });
    const grown = change({ desired: more, applied, runs: two });
    expect(grown).toMatchObject({ action: 'roll', instances: 3, added: 1 });
    expect(grown).not.toHaveProperty('removed');
    const fewer = defined({ hash: 'b', spec: { instances: 1 } });
    const shrunk = change({ desired: fewer, applied, runs: two });
    expect(shrunk).toMatchObject({ action: 'roll', instances: 2, removed: 1 });
    expect(shrunk).not.toHaveProperty('added');
  });

  it('says so when the old definition is lost', () => {
    expect(change({ desired: changed, applied: {}, runs: two })).toMatchObject({
      action: 'roll',
      because: [],
      reason: 'the definition it was started with is no longer known',
    });
  });

  describe('a definition that failed to take over', () => {
    const refused = (rollout: Partial<Defined['spec']['rollout']>, pardon = 0): Change | undefined => {
      const desired = defined({ hash: 'b', spec: { rollout } });
      const { digest } = desired;
      const rejected = { generation: 2, digest, pardon: 0, at: NOW - 1000, reason: 'it failed', run: null };
      const runs = [run({ generation: 1 })];
      const memory = { generation: 2, generationHash: hash('b'), rejected };
      return change({ desired, runs, memory, intent: { pardon } });
    };

    it.each([{ surge: 1 }, { surge: 0 }])('is told as one, with %o', (rollout) => {
      expect(refused(rollout)).toMatchObject({ action: 'roll', instances: 1, rejected: 'it failed' });
    });

    it('is not told as one once somebody asks for another try, or where it takes over all the same', () => {
      expect(refused({ surge: 1 }, 1)).not.toHaveProperty('rejected');
      expect(refused({ surge: 1, on_failure: 'replace' })).not.toHaveProperty('rejected');
      expect(refused({ surge: 0, on_failure: 'replace' })).not.toHaveProperty('rejected');
    });
  });

  it('a restart by hand is told as such', () => {
    const desired = defined({ spec: { instances: 2 } });
    expect(change({ desired, intent: { minGeneration: 2 }, runs: two })).toMatchObject({
      action: 'roll',
      because: [],
      reason: 'restart requested',
      instances: 2,
    });
  });
});

describe('live', () => {
  it('touches no instance and names its fields', () => {
    const desired = defined({ spec: { description: 'new' } });
    expect(change({ desired, applied: { a: spec({ description: 'old' }) }, runs: [run()] })).toMatchObject({
      action: 'live',
      instances: 0,
      because: [{ path: 'description', class: 'live', from: '"old"', to: '"new"' }],
    });
  });
});

it('what nobody knows to have been applied is applied again, without naming fields', () => {
  expect(change({ applied: {}, runs: [run()] })).toMatchObject({ action: 'live', because: [] });
});

describe('start and stop', () => {
  it('a new service starts', () => {
    const desired = defined({ spec: { instances: 2 } });
    expect(change({ desired })).toEqual({
      service: WEB,
      action: 'start',
      instances: 2,
      because: [],
      reason: 'not running',
    });
  });

  it('more instances start, with the line that says so', () => {
    const desired = defined({ spec: { instances: 3 }, lines: { instances: 4 } });
    expect(change({ desired, applied: { a: spec({ instances: 2 }) }, runs: two })).toMatchObject({
      action: 'start',
      instances: 1,
      reason: 'fewer instances run than are wanted',
      because: [{ path: 'instances', from: '2', to: '3', line: 4 }],
    });
  });

  it('a place is filled while another one is emptied', () => {
    const runs = [run({ slot: 0 }), run({ slot: 3 })];
    const desired = defined({ spec: { instances: 2 } });
    expect(change({ desired, runs })).toMatchObject({ action: 'stop', instances: 2, added: 1 });
  });

  it('fewer instances stop', () => {
    expect(change({ applied: { a: spec({ instances: 2 }) }, runs: two })).toMatchObject({
      action: 'stop',
      instances: 1,
      because: [{ path: 'instances', from: '2', to: '1' }],
    });
  });

  it.each<[string, SituationChanges]>([
    ['stopped by bob', { intent: STOPPED }],
    ['file removed', { desired: undefined, intent: { removalApproved: true } }],
    ['disabled in its file', { desired: defined({ spec: { enabled: false } }) }],
    ['processmaster is stopping', { ending: { reason: 'signal_term', hurry: false } }],
  ])('%s', (reason, changes) => {
    expect(change({ ...changes, runs: two })).toMatchObject({ action: 'stop', instances: 2, reason });
  });

  it('a failed service starts when its file changes', () => {
    const end = { kind: 'failed', at: NOW, reason: '', under: 'old', pardon: 0, retryAt: null } as const;
    const slots = { 0: slot({ end, generation: 1, exits: [] }) };
    expect(change({ memory: { generation: 1, generationHash: hash('a'), slots } })).toMatchObject({
      action: 'start',
      instances: 1,
    });
  });
});

describe('what starts or stops because its definition says something else', () => {
  const job = (text: string, command = 'one') =>
    defined({ hash: 'j', spec: { process: { command: [command], schedule: schedule(text) } } });
  const service = (command: string) => defined({ hash: 's', spec: { process: { command: [command] } } });
  const paths = (told: Change | undefined) => told?.because.map(({ path, from, to }) => [path, from, to]);
  const after = (changes: SituationChanges, before: Defined) => changeOf(situation(changes), before);

  it('a service that gets a schedule stops for that, and says what differs from what it was started with', () => {
    const before = service('one');
    const runs = [run({ hash: 's' })];
    const told = after({ desired: job('0 3 * * *', 'two'), runs, applied: { s: before.spec } }, before);
    expect(told).toMatchObject({
      action: 'stop',
      instances: 1,
      reason: 'from now on its schedule says when it runs',
    });
    expect(paths(told)).toEqual([
      ['process.command[0]', '"one"', '"two"'],
      ['process.schedule', 'none', '"0 3 * * *"'],
    ]);
  });

  it('a job that becomes a service starts with what differs from what was in force', () => {
    const told = after({ desired: service('two'), applied: {} }, job('0 3 * * *'));
    expect(told).toMatchObject({ action: 'start', instances: 1 });
    expect(paths(told)).toEqual([
      ['process.command[0]', '"one"', '"two"'],
      ['process.schedule', '"0 3 * * *"', 'none'],
    ]);
  });

  it('so does a service that is enabled, and a one-shot that has completed by another definition', () => {
    const disabled = defined({ hash: 's', spec: { enabled: false, process: { command: ['one'] } } });
    const enabled = after({ desired: service('two'), applied: {} }, disabled);
    expect(paths(enabled)).toEqual([
      ['enabled', 'false', 'true'],
      ['process.command[0]', '"one"', '"two"'],
    ]);
    const once = (command: string, letter: string) =>
      defined({ hash: letter, spec: { process: { type: 'oneshot', command: [command] } } });
    const end = {
      kind: 'completed',
      at: NOW,
      reason: '',
      under: hash('o'),
      pardon: 0,
      retryAt: null,
    } as const;
    const known = { generation: 1, generationHash: hash('o'), slots: { 0: slot({ end, generation: 1 }) } };
    // The first of the two ran before the other one as well: what was in force counts.
    const applied = { o: once('one', 'o').spec, p: once('two', 'p').spec };
    const again = after({ desired: once('two', 'p'), memory: known, applied }, once('one', 'o'));
    expect(again?.action).toBe('start');
    expect(paths(again)).toEqual([['process.command[0]', '"one"', '"two"']]);
  });

  it('a service that was not there before has nothing to be compared with', () => {
    expect(changeOf(situation({ desired: service('one'), applied: {} }))).toMatchObject({
      ...{ action: 'start', because: [], reason: 'not running' },
    });
  });

  it('what is not well is not told as too many', () => {
    const probe = {
      interval: 1000,
      timeout: 500,
      failure_threshold: 1,
      success_threshold: 1,
      initial_delay: 0,
    };
    const liveness = { how: { tcp: { host: 'web', port: 80 } }, ...probe };
    const desired = defined({ spec: { probes: { liveness } } });
    const failing = { ...NO_PROBE, asked: NOW - 1, failures: 1 };
    const runs = runsRemembered([run(), { met: true, probes: { liveness: failing } }]);
    expect(change({ desired, runs: [run()], memory: { runs } })).toMatchObject({
      action: 'stop',
      reason: 'what runs is not well, or its time is over',
    });
  });
});

describe('keep', () => {
  it('a removed file that the guard holds back', () => {
    expect(change({ desired: undefined, runs: two })).toMatchObject({
      action: 'keep',
      instances: 2,
      reason: 'its file is gone; pmctl update --prune removes it',
    });
  });

  it('a broken file without a good version', () => {
    const desired = { kind: 'broken', name: WEB, file: 'web.yaml', problems: [problem()] } as const;
    expect(change({ desired, runs: two })).toMatchObject({ action: 'keep', instances: 2 });
  });

  it('a broken file with a good version that is in force', () => {
    const desired = defined({ problems: [problem()] });
    expect(change({ desired, runs: [run()] })).toMatchObject({
      action: 'keep',
      instances: 1,
      reason: 'keeps running the last good definition',
    });
  });
});

describe('a definition of which nothing runs', () => {
  const cron = (text: string) => defined({ hash: text, spec: { process: { schedule: schedule(text) } } });
  const approved = { removalApproved: true };
  const of = (changes: SituationChanges, before?: ReturnType<typeof defined>) =>
    changeOfDefinition(situation(changes), before);

  it('is told when it is new, with why nothing is started', () => {
    const disabled = defined({ spec: { enabled: false } });
    expect(of({ desired: disabled })).toMatchObject({
      action: 'define',
      instances: 0,
      reason: 'added; disabled in its file',
    });
    const scheduled = of({ desired: cron('0 3 * * *') });
    expect(scheduled?.reason).toBe('added; its schedule says when it runs');
  });

  it('is told when it changes, field by field', () => {
    const change = of({ desired: cron('0 4 * * *') }, cron('0 3 * * *'));
    expect(change).toMatchObject({ action: 'define', instances: 0, reason: 'no process is touched' });
    expect(change?.because).toMatchObject([
      { path: 'process.schedule.cron', from: '"0 3 * * *"', to: '"0 4 * * *"' },
    ]);
  });

  it('also of a service that is stopped or held; faults in its file change nothing', () => {
    const before = defined({ spec: { description: 'old' } });
    const desired = defined({ spec: { description: 'new' } });
    for (const intent of [STOPPED, HELD]) {
      expect(of({ desired, intent }, before)?.because).toMatchObject([{ path: 'description' }]);
    }
    expect(of({ desired: defined({ problems: [problem()] }) }, defined())).toBeUndefined();
  });

  it('is not new where it is what it was before its file was away', () => {
    const desired = cron('0 3 * * *');
    expect(of({ desired, memory: { generationHash: desired.hash } })).toBeUndefined();
    expect(of({ desired, memory: { generationHash: hash('b') } })?.action).toBe('define');
  });

  it('is told when it goes, unless the guard holds it or something of it is there', () => {
    expect(of({ desired: undefined, intent: approved }, defined())).toMatchObject({
      action: 'forget',
      instances: 0,
      reason: 'file removed',
    });
    expect(of({ desired: undefined }, defined())).toBeUndefined();
    expect(of({ desired: undefined, intent: approved })).toBeUndefined();
    expect(of({ desired: undefined, intent: approved, runs: [run()] }, defined())).toBeUndefined();
  });

  it('is not told while it stays as it is, or nothing can be said', () => {
    expect(of({ desired: cron('0 3 * * *') }, cron('0 3 * * *'))).toBeUndefined();
    expect(of({ desired: cron('0 3 * * *'), observed: unseen() })).toBeUndefined();
  });
});

describe('the plan shown is the plan carried out', () => {
  const arbitraryRun: fc.Arbitrary<ObservedRun> = fc
    .record({
      slot: fc.nat(3),
      hash: fc.constantFrom('a', 'b', 'c'),
      generation: fc.integer({ min: 1, max: 4 }),
      age: fc.integer({ min: 0, max: 10_000 }),
      life: fc.constantFrom('alive', 'over', 'left', 'unborn', 'unseen'),
      code: fc.constantFrom(0, 1),
    })
    .map(({ life, code, ...rest }) => {
      if (life === 'over') return over(exited(code), rest);
      if (life === 'left') return mainEnded(exited(code), rest);
      if (life === 'unseen') return run({ ...rest, members: 'unseen' });
      if (life === 'unborn') {
        return run({ ...rest, members: 'none', main: { is: 'unknown' }, everRan: false });
      }
      return run(rest);
    });
  const asked = { by: 'bob', at: NOW };
  const intents: fc.Arbitrary<Intent> = fc.constantFrom<Intent[]>(
    {},
    {},
    { stopped: asked },
    { held: asked },
    { minGeneration: 3, pardon: 1 },
    { removalApproved: true },
    { scale: { ...asked, instances: 4, file: 2 } },
  );
  const desired = fc.constantFrom(
    defined({ spec: { instances: 2 } }),
    defined({ hash: 'b', spec: { instances: 3, process: { stop_command: ['x'], exit_on: 'main' } } }),
    defined({ spec: { instances: 2, restart_policy: { policy: 'never' } } }),
    defined({ spec: { enabled: false } }),
    undefined,
  );
  const arbitrary: fc.Arbitrary<Situation> = fc
    .record({
      desired,
      intent: intents,
      runs: fc.uniqueArray(arbitraryRun, { maxLength: 5, selector: ({ key }) => key.id }),
      stopping: fc.boolean(),
      known: fc.boolean(),
    })
    .map(({ runs, stopping, known, ...rest }) => {
      const [first] = runs;
      return situation({
        ...rest,
        runs,
        applied: { a: spec({ instances: 2 }), b: spec() },
        memory: memory({
          ...(known ? { generation: 2, generationHash: hash('a') } : {}),
          ...(stopping && first ? { runs: runsRemembered([first, { stop: stopProgress() }]) } : {}),
        }),
      });
    });

  const isStop = (action: Action): action is Extract<Action, { do: 'signal' | 'kill' | 'stop_command' }> =>
    ['signal', 'stop_command', 'kill'].includes(action.do);

  it('whatever a first look starts, stops or updates is in the plan', () => {
    fc.assert(
      fc.property(arbitrary, (now) => {
        const { actions } = decide(now);
        const alive = (id: string): boolean =>
          now.observed.kind === 'seen' &&
          now.observed.runs.some(({ key, main }) => key.id === id && main.is === 'running');
        const starts = actions.some((one) => one.do === 'start' && one.because !== 'respawn_after_exit');
        const stops = actions.some((one) => isStop(one) && alive(one.run.id));
        const lives = actions.some((one) => one.do === 'apply_live');
        if (!starts && !stops && !lives) return;
        expect(changeOf(now)?.action).toMatch(/^(start|stop|roll|replace|live)$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('whatever the plan starts, stops or updates is begun at the first look, or waits for its turn', () => {
    fc.assert(
      fc.property(arbitrary, (now) => {
        const planned = changeOf(now);
        const { actions, wakeAt } = decide(now);
        if (planned === undefined || planned.action === 'keep') return;
        expect(actions.length > 0 || wakeAt !== undefined).toBe(true);
        if (planned.action === 'start') expect(actions.some((one) => one.do === 'start')).toBe(true);
        if (planned.action === 'stop') expect(actions.some(isStop)).toBe(true);
        if (planned.action === 'live') expect(actions.some((one) => one.do === 'apply_live')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('a place is never filled while anything may live in it, and never twice', () => {
    fc.assert(
      fc.property(arbitrary, (now) => {
        const { actions } = decide(now);
        const started = actions.flatMap((one) => (one.do === 'start' ? [one.slot] : []));
        expect(new Set(started).size).toBe(started.length);
        const runs = now.observed.kind === 'seen' ? now.observed.runs : [];
        for (const { key, members, main } of runs) {
          if (members.is === 'none' && main.is !== 'running') continue;
          expect(started).not.toContain(key.slot);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('the same situation gives the same decision, and is left as it was', () => {
    fc.assert(
      fc.property(arbitrary, (now) => {
        const before = structuredClone(now);
        expect(decide(now)).toEqual(decide(now));
        expect(now).toEqual(before);
      }),
    );
  });

  it('whoever waits for a moment is woken for it', () => {
    fc.assert(
      fc.property(arbitrary, (now) => {
        const { slots, wakeAt } = decide(now);
        for (const phase of slots) {
          if (phase.phase === 'backoff' || (phase.phase === 'stopping' && phase.until !== null)) {
            expect(wakeAt ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(phase.until ?? 0);
          }
        }
      }),
    );
  });
});
