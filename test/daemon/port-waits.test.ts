/** Whose end does a service wait for that wants a port? */
import { describe, expect, it } from 'vitest';
import type { Glance } from '../../src/daemon/outcome.ts';
import { PortWaits } from '../../src/daemon/port-waits.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { decide } from '../../src/reconcile/decide.ts';
import type { Dependency, Situation } from '../../src/reconcile/situation.ts';
import {
  defined,
  hash,
  NOW,
  name,
  over,
  run,
  runsRemembered,
  type SituationChanges,
  seen,
  situation,
  slot,
  spec,
  stopProgress,
} from '../builders.ts';

const [OLD, NEW, FOREIGN] = [name('old'), name('new'), 'somebody else'];
const PORT = 8080;
const RUN = run({ service: OLD });

function of(service: ServiceName, changes: SituationChanges): Situation {
  return situation({ name: service, ...changes });
}

/** Its file is gone. */
const removed = of(OLD, { desired: undefined, intent: { removalApproved: true }, runs: [RUN] });

/** What it had had the port; what is wanted of it now has the one given. */
function changed(port: number, changes: SituationChanges = {}, surge = 1, instances = 1): Situation {
  const rollout = { surge };
  return of(OLD, {
    desired: defined({ name: OLD, hash: 'b', spec: { port, rollout, instances } }),
    applied: { [hash('a')]: spec({ name: OLD, port: PORT, rollout }) },
    runs: [RUN],
    ...changes,
  });
}

function wanting(changes: SituationChanges = {}, port: number | null = PORT): Situation {
  return of(NEW, { desired: defined({ name: NEW, spec: { port } }), ...changes });
}

/** The move to another port, after its definition has failed as a whole, or in another place than that of its run. */
function failed(as: 'whole' | 'instance'): Situation {
  const { desired } = changed(9090, {}, 1, 2);
  const digest = desired?.kind === 'defined' ? desired.digest : '';
  const failure = { at: NOW, reason: 'it did not work', pardon: 0 };
  const rejected = { ...failure, generation: 2, digest, run: null };
  const end = { ...failure, kind: 'failed', under: digest, retryAt: null } as const;
  const memory = as === 'whole' ? { rejected } : { slots: { 1: slot({ end }) } };
  return changed(9090, { memory: { ...memory, generation: 2, generationHash: hash('b') } }, 1, 2);
}

interface Around {
  /** Who listens at which port. */
  readonly listening?: Readonly<Record<number, readonly string[]>>;
  readonly decided?: boolean;
  readonly dependencies?: readonly Dependency[];
  /** What services rely on that are neither of the two. */
  readonly others?: readonly Dependency[];
}

function waitsAround(
  others: readonly Situation[],
  { listening = { [PORT]: [OLD] }, decided = true, dependencies = [], others: further = [] }: Around = {},
): PortWaits {
  const glance = (asked: ServiceName): Glance => {
    const other = others.find((each) => each.name === asked) ?? situation();
    const decision = decide(other);
    return { ...other, memory: decision.memory, decision: decided ? decision : undefined };
  };
  const portHolder = (port: number, services: readonly ServiceName[]) =>
    listening[port]?.find((each) => !services.includes(each as ServiceName));
  return new PortWaits(
    { portHolder },
    {
      names: () => others.map((other) => other.name),
      glance,
      decision: (asked) => decide(others.find((each) => each.name === asked) ?? situation()),
    },
    { dependencies: (asked) => (asked === OLD ? dependencies : asked === NEW ? [] : further) },
  );
}

/** What the service that wants the port does: starts, or says what it waits for. */
function does(waits: PortWaits, wants: Situation = wanting()): string | undefined {
  const { actions, slots } = waits.decide(wants);
  if (actions.some((action) => action.do === 'start')) return 'starts';
  const [phase] = slots;
  return phase?.phase === 'waiting' ? phase.reason : phase?.phase;
}

const held = (how: string) => `port 8080 is still held by old, which ${how}`;

describe('a service waits for its port while it is held by another', () => {
  it('that is stopping, also because it moves to another port', () => {
    expect(does(waitsAround([removed]))).toBe(held('is stopping'));
    const [stop, met] = [stopProgress({ reason: 'reload_retire_generation_1' }), true];
    const memory = { runs: runsRemembered([RUN, { met, stop }]) };
    expect(does(waitsAround([changed(9090, { memory }, 0)]))).toBe(held('is stopping'));
  });

  it('that is removed and was not looked at since', () => {
    const memory = { runs: runsRemembered([RUN, { met: true }]) };
    const waits = waitsAround([{ ...removed, memory: { ...removed.memory, ...memory } }], { decided: false });
    expect(does(waits)).toBe(held('is about to stop'));
  });

  it('that is scaled to none', () => {
    const none = of(OLD, {
      desired: defined({ name: OLD, spec: { port: PORT, instances: 0 } }),
      runs: [RUN],
    });
    expect(does(waitsAround([none]))).toBe(held('is stopping'));
  });

  it('that moves to another port and is to be replaced, also where it relies on this one, which is there', () => {
    expect(does(waitsAround([changed(9090)]))).toBe(held('is to be replaced'));
    const dependencies = [{ name: NEW, state: 'met', detail: '' }] as const;
    expect(does(waitsAround([changed(9090)], { dependencies }))).toBe(held('is to be replaced'));
  });

  it('that waited for a port which is free by now, also through others', () => {
    const [third, own] = [name('third'), run({ service: name('third') })];
    const moves = (service: ServiceName, to: number, has: typeof own) =>
      of(service, {
        desired: defined({ name: service, hash: 'b', spec: { port: to, rollout: { surge: 1 } } }),
        applied: { [hash('a')]: spec({ name: service, rollout: { surge: 1 } }) },
        runs: [has],
      });
    const listening: Record<number, readonly string[]> = { [PORT]: [OLD], 7070: [third], 9090: [NEW] };
    const [one, other] = [moves(OLD, 7070, RUN), moves(third, 9090, own)];
    const before = moves(NEW, 9999, run({ service: NEW }));
    const waits = waitsAround([one, other, before], { listening });
    for (const each of [one, other]) expect(waits.decide(each).actions).toEqual([]);
    listening[9090] = [];
    expect(does(waits)).toBe(held('is to be replaced'));
  });

  it('also before it is prepared, and when it comes back after an end', () => {
    const hooks = { pre_start: { command: ['prepare'], timeout: 1000 } };
    const prepared = wanting({ desired: defined({ name: NEW, spec: { port: PORT, hooks } as never }) });
    const waits = waitsAround([removed]);
    expect(waits.decide(prepared)).toMatchObject({ actions: [], slots: [{ phase: 'waiting' }] });
    const ended = over({ kind: 'exited', code: 1 }, { service: NEW, age: 60_000 });
    const { memory } = decide(wanting({ runs: [ended] }));
    expect(does(waits, wanting({ memory, now: NOW + 2000 }))).toBe(held('is stopping'));
  });

  it('and is to be looked at again when something has ended there, and a little later in any case', () => {
    const waits = waitsAround([removed]);
    expect(waits.decide(wanting()).wakeAt).toBe(NOW + 500);
    const ended = decide({
      ...removed,
      observed: { kind: 'seen', runs: [over({ kind: 'exited', code: 0 })] },
    });
    expect(waits.woken(OLD, ended)).toEqual([NEW]);
    expect(waits.woken(NEW, ended)).toEqual([]);
    expect(waits.woken(OLD, decide(removed))).toEqual([]);
    // Who does not want to start any more waits for nobody.
    waits.decide(wanting({ intent: { stopped: { by: 'root', at: NOW } } }));
    expect(waits.woken(OLD, ended)).toEqual([]);
  });
});

describe('a service does not wait for its port', () => {
  it.each<[string, readonly Situation[], Around]>([
    ['where nobody listens', [removed], { listening: {} }],
    ['where nothing of another one runs', [{ ...removed, observed: seen() }], { decided: false }],
    ['where a foreign process has it', [removed], { listening: { [PORT]: [FOREIGN] } }],
    ['where a foreign process shares it', [removed], { listening: { [PORT]: [OLD, FOREIGN] } }],
    ['where another one wants it for good', [changed(PORT)], {}],
    ['where another one is left alone', [of(OLD, { desired: undefined, runs: [RUN] })], {}],
    [
      'where a process survives SIGKILL',
      [
        {
          ...removed,
          memory: situation({
            memory: {
              runs: runsRemembered([
                RUN,
                {
                  met: true,
                  stop: stopProgress({ since: NOW - 60_000, step: 'kill', killedAt: NOW - 4000 }),
                },
              ]),
            },
          }).memory,
        },
      ],
      {},
    ],
    ['where what would replace the other one has failed', [failed('whole')], {}],
    ['where another instance of what replaces the other one has failed', [failed('instance')], {}],
    [
      'where what would replace the other one waits for what does not come',
      [changed(9090, { dependencies: [{ name: name('db'), state: 'away', detail: 'db is not defined' }] })],
      {},
    ],
    [
      'where what would replace the other one waits for this one',
      [changed(9090)],
      { dependencies: [{ name: NEW, state: 'waiting', detail: 'new is not ready' }] },
    ],
  ])('%s', (_, others, around) => {
    expect(does(waitsAround(others, around))).toBe('starts');
  });

  it('when it has none of its own', () => {
    expect(does(waitsAround([removed]), wanting({}, null))).toBe('starts');
  });

  it('where the other one waits for its port in turn', () => {
    const own = run({ service: NEW });
    const listening = { [PORT]: [OLD], 9090: [NEW] };
    const moving = (service: ServiceName, from: number, to: number, has: typeof own) =>
      of(service, {
        desired: defined({ name: service, hash: 'b', spec: { port: to, rollout: { surge: 1 } } }),
        applied: { [hash('a')]: spec({ name: service, port: from, rollout: { surge: 1 } }) },
        runs: [has],
      });
    const [one, other] = [moving(OLD, PORT, 9090, RUN), moving(NEW, 9090, PORT, own)];
    const waits = waitsAround([one, other], { listening });
    const first = waits.decide(one);
    expect(first.actions.filter((action) => action.do === 'start')).toEqual([]);
    const why = 'port 9090 is still held by new, which is to be replaced';
    expect(first.slots).toMatchObject([{ phase: 'running', outdated: true, heldBack: { why } }]);
    expect(waits.decide(other).actions).toContainEqual(expect.objectContaining({ do: 'start' }));
  });
});

describe('a port is held by one that relies on the service', () => {
  const [BASE, other] = [run({ service: NEW }), name('other')];
  const ports = { [PORT]: [OLD], 9090: [NEW] };
  const on = (each: ServiceName, state: Dependency['state']) => [{ name: each, state, detail: '' }] as const;

  /** What is relied on moves to the port that the other one has. */
  function base(changes: SituationChanges = {}): Situation {
    const rollout = { surge: 0 };
    return of(NEW, {
      desired: defined({ name: NEW, hash: 'b', spec: { port: PORT, rollout } }),
      applied: { [hash('a')]: spec({ name: NEW, port: 9090, rollout }) },
      runs: [BASE],
      ...changes,
    });
  }

  const keeps = (waits: PortWaits, asked: Situation, why: string, failed: { dueToFailure?: true }) => {
    const decision = waits.decide(asked);
    expect(decision.actions).toEqual([]);
    const heldBack = { why, away: true, ...failed };
    expect(decision.slots).toEqual([expect.objectContaining({ phase: 'running', heldBack })]);
    expect(decision.wakeAt).toBe(asked.now + 2000);
  };
  const [STUCK, COMING] = [{ dueToFailure: true }, {}] as const;

  it.each([
    ['itself', on(NEW, 'rolling')],
    ['through another one', on(other, 'rolling')],
  ])('%s, and wants its port: both go on', (_, dependencies) => {
    const relying = changed(9090, {}, 0);
    const waits = waitsAround([base(), relying], {
      ...{ listening: ports, dependencies, others: on(NEW, 'met') },
    });
    keeps(waits, base(), 'port 8080 is held by old, which depends on new', STUCK);
    keeps(waits, relying, 'port 9090 is held by new', STUCK);
    keeps(waits, base(), 'port 8080 is held by old, which depends on new', STUCK);
    const noticed = decide(of(OLD, { runs: [over({ kind: 'exited', code: 0 })] }));
    expect(waits.woken(OLD, noticed)).toEqual([NEW]);
  });

  it('itself, and moves elsewhere: that one goes first', () => {
    const dependencies = on(NEW, 'met');
    const relying = changed(9999, { dependencies }, 0);
    const waits = waitsAround([base(), relying], { listening: ports, dependencies });
    keeps(waits, base(), 'port 8080 is held by old, which depends on new', COMING);
    expect(waits.decide(relying).slots).toMatchObject([{ phase: 'stopping' }]);
  });

  it.each([
    ['a stranger has it', { listening: { [PORT]: ['811 nginx'] } }, [], 'port 8080 is taken by 811 nginx'],
    ['another one keeps it', { listening: ports }, [changed(PORT, {}, 0)], 'port 8080 is held by old'],
  ])('or %s: what would be stopped for it goes on', (_, around, others, why) => {
    keeps(waitsAround([base(), ...others], around), base(), why, STUCK);
  });

  const MOVED = changed(9999, {}, 0);
  const unasked = of(OLD, { desired: defined({ name: OLD }), runs: [RUN] });
  const UNASKED = { ...unasked, memory: decide(unasked).memory };
  it.each<[string, Around, Situation, { dueToFailure?: true }]>([
    ['that was to move away and has failed', { listening: ports }, failed('whole'), STUCK],
    ['that has it unasked', { listening: ports, decided: false }, UNASKED, STUCK],
    ['whose own port a stranger has', { listening: { ...ports, 9999: ['811 nginx'] } }, MOVED, STUCK],
    [
      'that waits for what does not come',
      { listening: ports, dependencies: on(other, 'away') },
      MOVED,
      COMING,
    ],
  ])('or by one %s: what would be stopped for it goes on', (_, around, holder, failure) => {
    keeps(waitsAround([base(), holder], around), base(), 'port 8080 is held by old', failure);
  });

  it('or by one of two that cannot exchange theirs: what would be stopped for it goes on', () => {
    const third = run({ service: other });
    const exchanging = of(other, {
      desired: defined({ name: other, hash: 'b', spec: { port: PORT, rollout: { surge: 1 } } }),
      applied: { [hash('a')]: spec({ name: other, port: 9999, rollout: { surge: 1 } }) },
      runs: [third],
    });
    const waits = waitsAround([base(), changed(9999), exchanging], {
      listening: { ...ports, 9999: [other] },
    });
    keeps(waits, base(), 'port 8080 is held by old', STUCK);
  });

  it.each([
    ['stopped for it, because this one was held', 0, { held: { by: 'root', at: NOW } }],
    ['started beside what runs', 1, {}],
  ])('or by one that waits for its port to be %s: the service is replaced', (_, surge, intent) => {
    const others = [base({ intent }), changed(9090, {}, surge)];
    const waits = waitsAround(others, { listening: ports });
    expect(waits.decide(changed(9090, {}, surge)).actions).toEqual([]);
    others[0] = base();
    expect(waits.decide(base()).slots).toMatchObject([{ phase: 'stopping' }]);
  });

  it('is asked for anew only after a while, or when something else happened', () => {
    const later = NOW + 2000;
    const listening: Record<number, readonly string[]> = { ...ports };
    const waits = waitsAround([base(), changed(PORT, {}, 0)], { listening });
    const goesOn = (now = NOW) => waits.decide(base({ now })).slots[0]?.phase === 'running';
    const forgetting: (() => void)[] = [
      () => waits.askAgain(),
      () => void waits.woken(OLD, decide(of(OLD, { runs: [over({ kind: 'exited', code: 0 })] }))),
    ];
    for (const forget of forgetting) {
      listening[PORT] = [OLD];
      expect(goesOn()).toBe(true);
      listening[PORT] = [];
      expect(goesOn(later - 1)).toBe(true);
      forget();
      expect(goesOn()).toBe(false);
    }
    listening[PORT] = [OLD];
    expect(goesOn()).toBe(true);
    listening[PORT] = [];
    expect(goesOn(later)).toBe(false);
  });

  it('no more: the service is replaced', () => {
    const waits = waitsAround([base()], { listening: { 9090: [NEW] } });
    expect(waits.decide(base()).slots).toMatchObject([{ phase: 'stopping' }]);
  });
});
