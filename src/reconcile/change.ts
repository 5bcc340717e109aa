/** What would reconciling a service do, in words and numbers? The plan that `diff` shows and the loop carries out. */
import type { Change, ChangeKind, FieldChange } from '../model/action.ts';
import type { Rejection } from '../model/memory.ts';
import type { RunId } from '../model/names.ts';
import type { Defined, Desired, ServiceSpec } from '../model/spec.ts';
import { resumed } from '../policy/stop.ts';
import { diffSpecs } from './diff.ts';
import { startReason } from './filling.ts';
import { judge } from './judge.ts';
import type { JudgedRun, Judgement } from './judgement.ts';
import type { Situation } from './situation.ts';
import { FILE_GONE, type Wanted, whyNothing } from './wanted.ts';

/**
 * What becomes of a service of which nothing would be started, stopped or written: a schedule, a service that is stopped
 * or disabled, a one-shot that has completed. Its definition counts all the same from now on.
 * @param before what is in force; undefined: no file named it
 * @param approves its file may have been gone before, and that it is removed is approved only now
 * @returns undefined: its definition stays as it is, or nothing can be said
 */
export function changeOfDefinition(
  situation: Situation,
  before: Desired | undefined,
  approves = false,
): Change | undefined {
  const { desired, name, observed } = situation;
  const [was, is] = [before, desired].map((each) => (each?.kind === 'defined' ? each : undefined));
  // Nearly always it stays as it is.
  const isSame = was?.digest === is?.digest && !(approves && is === undefined);
  if (observed.kind === 'unseen' || isSame) return undefined;
  const { wanted, runs } = judge(situation);
  const make = (action: ChangeKind, reason: string, because: readonly FieldChange[] = []): Change => ({
    ...{ service: name, action, because, reason },
    instances: 0,
  });
  if (is === undefined) {
    const isGoing = desired === undefined && wanted.kind === 'none' && wanted.removed && runs.length === 0;
    return isGoing ? make('forget', wanted.reason) : undefined;
  }
  if (was !== undefined) return make('define', 'no process is touched', diffSpecs(was.spec, is));
  // Its file was away for a while, or this daemon has only begun: nobody has forgotten it.
  if (situation.memory.generationHash === is.hash) return undefined;
  const isScheduled = wanted.kind === 'run' && is.spec.process.schedule !== null;
  const why = isScheduled ? 'its schedule says when it runs' : whyNothing(wanted);
  return make('define', why === '' ? 'added' : `added; ${why}`);
}

/**
 * @param before what is in force, where the situation has another reading
 * @returns undefined: nothing would be done
 */
export function changeOf(situation: Situation, before?: Desired): Change | undefined {
  if (situation.observed.kind === 'unseen') return undefined;
  const judgement = judge(situation);
  const { wanted } = judgement;
  const make = (
    action: ChangeKind,
    instances: number,
    reason: string,
    because: readonly FieldChange[] = [],
  ): Change => ({ service: situation.name, action, because, reason, instances });

  if (wanted.kind === 'leave') {
    return wanted.why === 'held' ? undefined : make('keep', aliveRuns(judgement), wanted.reason);
  }
  if (wanted.kind === 'none') {
    const going = judgement.runs.filter(
      (run) => run.life === 'alive' && !isStopping(situation, run.run.key.id),
    ).length;
    if (going > 0) return make('stop', going, wanted.reason);
    // Stopped by hand, and it is not forgotten that it was.
    return isGuarded(situation, wanted) ? make('keep', 0, FILE_GONE) : undefined;
  }
  return changeOfWanted(situation, judgement, wanted.desired, before, make);
}

function isGuarded({ desired, ending }: Situation, wanted: Wanted): boolean {
  return desired === undefined && ending === undefined && wanted.kind === 'none' && !wanted.removed;
}

function changeOfWanted(
  situation: Situation,
  judgement: Judgement,
  desired: Defined,
  before: Desired | undefined,
  make: (action: ChangeKind, instances: number, reason: string, because?: readonly FieldChange[]) => Change,
): Change | undefined {
  const outdated = judgement.runs.filter((run) => run.fate === 'outdated' && run.life === 'alive');
  const surplus = judgement.runs.filter(
    (run) => run.fate === 'surplus' && run.life === 'alive' && !isStopping(situation, run.run.key.id),
  );
  const starts = judgement.vacancies.filter(
    ({ answer, memory }) =>
      answer.say === 'now' && startReason(memory, judgement.generation) !== 'respawn_after_exit',
  );
  const touched = outdated.length + surplus.length + starts.length;
  if (outdated.length > 0) {
    const first = outdated[0];
    const from = first === undefined ? undefined : situation.applied.get(first.run.key.hash);
    const because = from === undefined ? [] : diffSpecs(from, desired);
    const action = because.some((field) => field.class === 'replace') ? 'replace' : 'roll';
    const change = {
      ...make(action, touched, rollReason(from !== undefined, because), because),
      ...(starts.length === 0 ? {} : { added: starts.length }),
      ...(surplus.length === 0 ? {} : { removed: surplus.length }),
    };
    return keepsOlder(judgement, desired) ? { ...change, rejected: judgement.rejected.reason } : change;
  }
  const base = baseOf(situation, judgement, desired, before);
  const because = base === undefined ? [] : diffSpecs(base, desired);
  if (surplus.length > 0) {
    const change = make('stop', touched, surplusReason(surplus), because);
    return starts.length === 0 ? change : { ...change, added: starts.length };
  }
  if (starts.length > 0) {
    const reason = aliveRuns(judgement) > 0 ? 'fewer instances run than are wanted' : 'not running';
    return make('start', touched, reason, because);
  }
  if (judgement.live) return make('live', 0, 'no process is touched', because);
  if (desired.problems.length > 0) {
    return make('keep', aliveRuns(judgement), 'keeps running the last good definition');
  }
  return undefined;
}

/** What the fields are compared with: what runs was started with; where nothing runs, what was in force. */
function baseOf(
  { applied }: Situation,
  { runs }: Judgement,
  { hash, digest }: Defined,
  before: Desired | undefined,
): ServiceSpec | undefined {
  const alive = runs.filter(({ life }) => life === 'alive').map(({ run }) => run.key.hash);
  const started = alive.includes(hash) ? hash : alive.find((each) => applied.has(each));
  const known = applied.get(started ?? hash);
  if (started !== undefined && known !== undefined) return known;
  return before?.kind === 'defined' && before.digest !== digest ? before.spec : known;
}

function surplusReason(surplus: readonly JudgedRun[]): string {
  const reasons = new Set(surplus.map((run) => (run.fate === 'surplus' ? run.reason : '')));
  if (reasons.has('schedule_added')) return 'from now on its schedule says when it runs';
  const isTooMany = reasons.has('scaled_down') || reasons.has('duplicate');
  return isTooMany ? 'more instances run than are wanted' : 'what runs is not well, or its time is over';
}

/** The newer definition has failed, and what runs goes on. */
function keepsOlder(
  judgement: Judgement,
  { spec: { rollout } }: Defined,
): judgement is Judgement & { readonly rejected: Rejection } {
  return judgement.rejected !== null && rollout.on_failure === 'keep_old';
}

function rollReason(known: boolean, because: readonly FieldChange[]): string {
  if (!known) return 'the definition it was started with is no longer known';
  return because.length === 0 ? 'restart requested' : 'definition changed';
}

function aliveRuns(judgement: Judgement): number {
  return judgement.runs.filter((run) => run.life === 'alive').length;
}

function isStopping({ memory, now }: Situation, id: RunId): boolean {
  return resumed(memory.runs[id]?.stop ?? null, now) !== null;
}
