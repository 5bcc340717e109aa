/** Which runs have ended since the last look, and what does that mean for their instances? */
import {
  EXITS_KEPT,
  type Exit,
  type Memory,
  NO_RUN,
  NO_SLOT,
  type RunMemory,
  type SlotMemory,
} from '../model/memory.ts';
import type { RunId, SpecHash } from '../model/names.ts';
import type { ObservedRun, Outcome } from '../model/observed.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { isCurrent } from '../policy/generation.ts';
import { afterExit, endingOf } from '../policy/restart.ts';
import { lifeOf, type RunLife } from '../policy/run-life.ts';
import { shareOf } from '../policy/spread.ts';
import { isLate } from '../policy/stop.ts';
import type { Notice, Situation } from './situation.ts';

/** Stopped for these reasons, a run counts as one that crashed. */
const UNFIT: Readonly<Record<string, (run: RunMemory) => string>> = {
  startup_failed: ({ probes }) => `its startup probe failed: ${probes.startup?.last?.detail ?? ''}`,
  liveness_failed: ({ probes }) => `its liveness probe failed: ${probes.liveness?.last?.detail ?? ''}`,
  max_time_per_run: () => 'it took longer than max_time_per_run',
};

export interface LivingRun {
  readonly run: ObservedRun;
  readonly life: RunLife;
  /** What it was started with, live fields as they are wanted now where the file still says the same. */
  readonly spec: ServiceSpec | undefined;
}

/** Judges each run, writes the ends into the memory (once each) and forgets runs that are gone. */
export function noticeExits(
  situation: Situation,
  runs: readonly ObservedRun[],
): {
  readonly living: readonly LivingRun[];
  readonly memory: Memory;
  readonly notices: readonly Notice[];
} {
  const slots: Record<number, SlotMemory> = { ...situation.memory.slots };
  const remembered: Record<RunId, RunMemory> = {};
  const notices: Notice[] = [];
  const living = runs.map((run) => {
    const spec = specOf(situation, run.key.hash);
    const life = lifeOf(run, spec);
    const known = unlessSurvived(situation.memory.runs[run.key.id] ?? NO_RUN, life, situation.now);
    const before = slots[run.key.slot] ?? NO_SLOT;
    const ended = (life === 'over' || life === 'leftovers') && !known.noted;
    const slot = ended ? noteEnd(situation, run, known, before, spec) : before;
    if (ended) slots[run.key.slot] = slot;
    // A stop has succeeded when nothing is left: until then nobody knows whether SIGKILL was needed.
    const stopping = known.untold || (ended && known.stop !== null);
    const told = stopping ? life === 'over' : ended;
    remembered[run.key.id] = ended || told ? { ...known, noted: true, untold: stopping && !told } : known;
    if (told) notices.push(noticeOf(situation, run, known, slot));
    return { run, life, spec };
  });
  return { living, memory: { ...situation.memory, slots, runs: remembered }, notices };
}

/** The definition that a run is judged and stopped by. */
export function specOf(
  { desired, applied }: Pick<Situation, 'desired' | 'applied'>,
  hash: SpecHash,
): ServiceSpec | undefined {
  return desired?.kind === 'defined' && desired.hash === hash ? desired.spec : applied.get(hash);
}

/** Whoever lives on after the grace of a stop that may never have begun was not stopped, and ends by itself later. */
function unlessSurvived(known: RunMemory, life: RunLife, now: number): RunMemory {
  const { stop, untold } = known;
  const survived = stop?.step === 'due' && !untold && life === 'alive' && now >= stop.since + stop.grace;
  return survived ? { ...known, stop: null } : known;
}

function noteEnd(
  situation: Situation,
  run: ObservedRun,
  known: RunMemory,
  before: SlotMemory,
  spec: ServiceSpec | undefined,
): SlotMemory {
  // With a lost memory, only the run still tells that this place was filled before.
  const slot = { ...before, generation: Math.max(before.generation, run.key.generation) };
  const { outcome, at } = endOf(run, situation.now);
  const unfit = known.stop === null ? undefined : UNFIT[known.stop.reason]?.(known);
  const by = known.stop === null ? 'itself' : unfit === undefined ? 'stop' : 'policy';
  const because = unfit === undefined ? {} : { because: unfit };
  const uptime = Math.max(0, at - run.startedAt);
  const job = spec !== undefined && spec.process.schedule !== null;
  const { logFrom, errFrom } = known;
  const isNoted = known.main !== null && (job || errFrom !== null);
  const logged = isNoted ? { logFrom, ...(errFrom === null ? {} : { errFrom }) } : {};
  const exit: Exit = { outcome, at, by, run: run.key.id, uptime, ...because, ...logged };
  // A newer run was started beside it meanwhile: what the place waits for is that one's affair.
  const isSucceeded = before.generation > run.key.generation;
  if (spec === undefined || isSucceeded)
    return { ...slot, exits: [exit, ...slot.exits].slice(0, EXITS_KEPT) };
  const desired = situation.desired?.kind === 'defined' ? situation.desired : undefined;
  // How a run of an older definition ends says nothing about the new one: it must not wait or fail for that.
  const outdated = desired !== undefined && !isCurrent(run, desired.hash, situation.intent);
  return afterExit(slot, exit, {
    policy: spec.restart_policy,
    type: endingOf(spec),
    // What completed has completed, should its definition come back; unless a restart was asked for meanwhile.
    hash: run.key.generation < (situation.intent.minGeneration ?? 0) ? '' : run.key.hash,
    digest: outdated ? '' : (desired?.digest ?? ''),
    pardon: situation.intent.pardon ?? 0,
    // Places that end together must not start together.
    chance: shareOf(situation.chance, run.key.slot),
  });
}

function endOf(run: ObservedRun, now: number): { outcome: Outcome; at: number } {
  if (run.main.is === 'ended') return { outcome: run.main.outcome, at: Math.min(run.main.at, now) };
  return { outcome: { kind: 'unknown', oom: false }, at: now };
}

/** Whether a respawn follows is not known here yet: that depends on what is wanted. */
function noticeOf(situation: Situation, run: ObservedRun, known: RunMemory, { exits }: SlotMemory): Notice {
  // An earlier daemon may have seen how its main process ended.
  const { outcome } = exits.find((exit) => exit.run === run.key.id) ?? endOf(run, situation.now);
  if (known.stop === null) return { notice: 'exited', run: run.key, outcome, respawn: false };
  const late = isLate(known.stop) ? '_grace_timeout' : '';
  return { notice: 'stopped', run: run.key, outcome, reason: `${known.stop.reason}${late}` };
}
