/** How does a service look to a person or program that asks? */
import type {
  Drift,
  ExitView,
  InstanceView,
  ProbeView,
  ScheduleView,
  ServiceState,
  ServiceView,
} from '../api/contract.ts';
import type { Exit } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { ObservedRun } from '../model/observed.ts';
import { sentence } from '../model/problem.ts';
import { SIGNALS } from '../model/signals.ts';
import { count } from '../model/units.ts';
import { CpuSampler } from '../observe/cpu-sampler.ts';
import { exitReason, jobFailure } from '../policy/restart.ts';
import { PROBE_KINDS } from '../reconcile/health.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Decision, Situation, SlotPhase } from '../reconcile/situation.ts';
import { holdOf, wantedOf, whyNothing } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import { whoIsLeft } from './blockers.ts';
import { holdView } from './holds.ts';
import type { Jobs } from './jobs.ts';
import { scaleOf } from './scaling.ts';

export class Views {
  readonly #world: World;
  readonly #jobs: Jobs;
  readonly #cpu = new CpuSampler();

  constructor(world: World, jobs: Jobs) {
    this.#world = world;
    this.#jobs = jobs;
  }

  /**
   * Whoever is not among them is gone, and nothing is kept of it.
   * @returns the same
   */
  only(services: readonly ServiceName[]): readonly ServiceName[] {
    this.#cpu.keepOnly(services);
    return services;
  }

  service(situation: Situation, decision: Decision | undefined): ServiceView {
    const { desired, intent, memory } = situation;
    const spec = desired?.kind === 'defined' ? desired.spec : undefined;
    const phases = decision?.slots ?? [];
    const instances = phases.map((phase) => this.#instance(phase, situation));
    this.#cpu.keep(situation.name, new Set(phases.flatMap((each) => ('run' in each ? each.run.id : []))));
    const state = stateOf(situation, phases);
    const first = instances.find((instance) => instance.state === 'running' && instance.pid !== null);
    const exits = exitsOf(situation);
    const restarts = Object.values(memory.slots).reduce((sum, slot) => sum + slot.restarts, 0);
    const startedAt = first?.started_at ?? null;
    const scaled = scaleOf(desired, intent);
    const held = holdView(situation);
    return {
      name: situation.name,
      description: spec?.description ?? '',
      labels: spec?.labels ?? {},
      enabled: spec?.enabled ?? false,
      state,
      ready: new Set(
        phases.flatMap((phase) => (phase.phase === 'running' && phase.ready ? [phase.slot] : [])),
      ).size,
      desired: spec?.enabled === false ? 0 : (intent.scale?.instances ?? spec?.instances ?? 0),
      generation: memory.generation,
      restarts,
      drift: driftOf(situation, phases),
      reason: this.#reason(situation, phases),
      instances,
      last_exit: exits[0] ?? null,
      schedule: this.#schedule(situation, exits[0] ?? null),
      file: desired?.file ?? null,
      ...(scaled === undefined ? {} : { scaled }),
      ...(held === undefined ? {} : { held }),
      id: situation.name,
      isRunning: instances.some((instance) => instance.state === 'running'),
      pid: first?.pid ?? null,
      startTime: startedAt,
      uptime: first?.uptime_ms ?? null,
      restartCount: restarts,
      healthCheckFailures: Math.max(
        0,
        ...instances.flatMap(({ probes }) => probes.map((probe) => probe.failures)),
      ),
      lastHealthCheck: lastOf(instances.flatMap(({ probes }) => probes.map((probe) => probe.at))),
    };
  }

  #schedule(situation: Situation, exit: ExitView | null): ScheduleView | null {
    const { desired, memory } = situation;
    if (desired?.kind !== 'defined' || desired.spec.process.schedule === null) return null;
    const runs = whyNothing(wantedOf(situation)) === '';
    const next = runs ? this.#jobs.coming(desired, this.#world.clock.wall(), COMING).map(iso) : [];
    const [last] = memory.slots[0]?.exits ?? [];
    return {
      cron: desired.spec.process.schedule.cron,
      next,
      next_at: next[0] ?? null,
      last_run_at: last === undefined ? null : iso(last.at - last.uptime),
      last_result: exit?.reason ?? null,
      skipped: memory.job?.skipped ?? { missed: 0, running: 0 },
    };
  }

  #instance(phase: SlotPhase, situation: Situation): InstanceView {
    const run = 'run' in phase ? runOf(situation, phase.run.id) : undefined;
    const usage = run === undefined ? undefined : this.#world.containment.usage(run.key);
    const cpu = usage?.cpuMicroseconds ?? null;
    const pids = run === undefined ? [] : this.#world.containment.members(run.key);
    return {
      instance: phase.slot,
      generation: run?.key.generation ?? null,
      run_id: run?.key.id ?? null,
      state: phase.phase === 'running' && run?.members.is === 'unseen' ? 'unknown' : phase.phase,
      pid: run === undefined ? null : (mainPid(run) ?? pids[0] ?? null),
      pids,
      started_at: run === undefined ? null : iso(run.startedAt),
      uptime_ms: run === undefined ? null : Math.max(0, situation.now - run.startedAt),
      cpu_percent:
        run === undefined || cpu === null
          ? null
          : this.#cpu.percent(run.key, run.startedAt, cpu, situation.now),
      memory_bytes: usage?.memoryBytes ?? null,
      restarts: situation.memory.slots[phase.slot]?.restarts ?? 0,
      adopted: run?.adopted ?? false,
      reason: this.#phaseReason(phase, situation),
      ready: phase.phase === 'running' && phase.ready,
      port: run === undefined ? null : portOf(situation, run),
      probes: run === undefined ? [] : probesOf(situation, run),
    };
  }

  /** The one thing that explains the state best. */
  #reason(situation: Situation, phases: readonly SlotPhase[]): string {
    const { desired } = situation;
    if (situation.observed.kind === 'unseen') return situation.observed.problem.message;
    const telling = [...phases]
      .sort((a, b) => RANK.indexOf(a.phase) - RANK.indexOf(b.phase))
      .map((phase) => this.#phaseReason(phase, situation))
      .find((text) => text !== '');
    const wanted = wantedOf(situation);
    const problem = desired?.problems[0];
    if (wanted.kind === 'leave') return problem === undefined ? wanted.reason : sentence(problem);
    if (telling !== undefined) return telling;
    if (problem !== undefined) return sentence(problem);
    return lastFailureOf(situation, phases) ?? whyNothing(wanted);
  }

  #phaseReason(phase: SlotPhase, situation: Situation): string {
    switch (phase.phase) {
      case 'running':
        if (phase.mainEnded) return `main exited, ${this.#count(phase.run)} left`;
        if (phase.rejected !== null) return `the new definition failed: ${phase.rejected}`;
        if (phase.outdated) return replacementOf(phase, situation);
        return phase.ready ? '' : `not ready: ${phase.health}`;
      case 'starting':
        return phase.hook === undefined ? '' : `its ${phase.hook} hook runs`;
      case 'stopped':
      case 'waiting':
        return phase.reason;
      case 'scheduled':
        return '';
      case 'stopping':
        return this.#stoppingReason(phase, situation);
      case 'backoff':
        return `${phase.reason}; restart in ${seconds(phase.until - situation.now)}`;
      case 'failed':
        return phase.retryAt === null
          ? phase.reason
          : `${phase.reason}; tried again in ${seconds(phase.retryAt - situation.now)}`;
      case 'completed':
        return phase.reason;
    }
  }

  /** `stopping for 12s of 30s: 811 node worker.js`. */
  #stoppingReason(phase: Extract<SlotPhase, { phase: 'stopping' }>, situation: Situation): string {
    const { containment } = this.#world;
    if (phase.after !== undefined) return `stops after ${phase.after}`;
    const progress = situation.memory.runs[phase.run.id]?.stop;
    const who = whoIsLeft(phase.run, containment);
    if (phase.blocked) return `survives SIGKILL${who}`;
    if (progress === undefined || progress === null) return `stopping${who}`;
    const elapsed = seconds(situation.now - progress.since);
    return `stopping for ${elapsed} of ${seconds(progress.grace)}${who}`;
  }

  #count(run: ObservedRun['key']): string {
    return count(this.#world.containment.members(run).length, 'process', 'processes');
  }
}

function portOf({ memory, desired }: Situation, run: ObservedRun): number | null {
  const given = memory.runs[run.key.id]?.port ?? null;
  if (given !== null || desired?.kind !== 'defined') return given;
  return typeof desired.spec.port === 'number' ? desired.spec.port : null;
}

function probesOf(situation: Situation, run: ObservedRun): readonly ProbeView[] {
  const spec = specOf(situation, run.key.hash);
  const known = situation.memory.runs[run.key.id]?.probes;
  return PROBE_KINDS.flatMap((kind) => {
    const probe = spec?.probes[kind];
    if (!probe) return [];
    const { last = null, failures = 0 } = known?.[kind] ?? {};
    return [
      {
        kind,
        ok: last?.ok ?? null,
        detail: last?.detail ?? '',
        at: last === null ? null : iso(last.at),
        failures,
        threshold: probe.failure_threshold,
      },
    ];
  });
}

function lastOf(times: readonly (string | null)[]): string | null {
  return times.reduce((last, time) => (time !== null && (last === null || time > last) ? time : last), null);
}

/** How many of the next times of a schedule are told. */
const COMING = 5;

/** All remembered ends of the service, newest first. */
export function exitsOf(situation: Situation): readonly ExitView[] {
  return Object.entries(situation.memory.slots)
    .flatMap(([slot, memory]) => memory.exits.map((exit) => ({ slot: Number(slot), exit })))
    .sort((a, b) => b.exit.at - a.exit.at)
    .map(({ slot, exit }) => exitView(slot, exit));
}

/** Which phase is told first when instances differ. */
const RANK: readonly SlotPhase['phase'][] = [
  'failed',
  'stopping',
  'backoff',
  'waiting',
  'starting',
  'running',
  'scheduled',
  'completed',
  'stopped',
];

function stateOf(situation: Situation, phases: readonly SlotPhase[]): ServiceState {
  if (situation.observed.kind === 'unseen') return 'unknown';
  const present = RANK.find((rank) => phases.some((phase) => phase.phase === rank));
  if (present !== undefined) return present;
  const wanted = wantedOf(situation);
  if (wanted.kind === 'leave' && wanted.why === 'held') return 'held';
  if (wanted.kind === 'leave' && wanted.why === 'broken') return 'failed';
  return wanted.kind === 'run' && wanted.count > 0 ? 'starting' : 'stopped';
}

/** Of a service that waits for its time: how the last one failed. */
function lastFailureOf({ desired, memory }: Situation, phases: readonly SlotPhase[]): string | undefined {
  const [last] = memory.slots[0]?.exits ?? [];
  if (last === undefined || desired?.kind !== 'defined') return undefined;
  if (!phases.some(({ phase }) => phase === 'scheduled')) return undefined;
  return jobFailure(last, desired.spec.restart_policy);
}

/** A restart puts the same definition in its place. */
function replacementOf(
  { run, heldBack }: Extract<SlotPhase, { phase: 'running' }>,
  { desired }: Situation,
): string {
  const isRestart = desired?.kind === 'defined' && desired.hash === run.hash;
  const by = isRestart ? '' : ' by the new definition';
  return `waits to be replaced${by}${heldBack === undefined ? '' : ` because ${heldBack.why}`}`;
}

function driftOf(situation: Situation, phases: readonly SlotPhase[]): Drift {
  const { desired, intent } = situation;
  if (holdOf(situation) !== undefined) return 'held';
  if (desired === undefined) return 'removed';
  if (desired.problems.length > 0) return 'invalid';
  if (intent.stopped !== undefined) return 'stopped';
  if (intent.scale !== undefined) return 'scaled';
  if (phases.some((phase) => phase.phase === 'running' && phase.outdated)) return 'pending';
  return 'none';
}

function runOf(situation: Situation, id: string): ObservedRun | undefined {
  if (situation.observed.kind === 'unseen') return undefined;
  return situation.observed.runs.find((run) => run.key.id === id);
}

function mainPid(run: ObservedRun): number | undefined {
  return run.main.is === 'running' ? run.main.pid : undefined;
}

function exitView(slot: number, exit: Exit): ExitView {
  const { outcome } = exit;
  const refused = outcome.kind === 'not_started' ? sentence(outcome.problem) : undefined;
  return {
    instance: slot,
    code: outcome.kind === 'exited' ? outcome.code : null,
    signal: outcome.kind === 'signaled' ? outcome.signal : null,
    oom: 'oom' in outcome && outcome.oom,
    at: iso(exit.at),
    by: exit.by,
    ...(exit.because === undefined ? {} : { because: exit.because }),
    uptime_ms: exit.uptime,
    reason: refused ?? exitReason(outcome, (signal) => SIGNALS[signal as keyof typeof SIGNALS] ?? 0),
  };
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}

function seconds(milliseconds: number): string {
  const value = Math.max(0, milliseconds) / 1000;
  return value >= 10 || Number.isInteger(value) ? `${Math.round(value)}s` : `${value.toFixed(1)}s`;
}
