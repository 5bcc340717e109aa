/** Has what was asked of a service come about, has it failed, or is it still under way? */
import type { Memory } from '../model/memory.ts';
import { startOfRun } from '../model/names.ts';
import type { Observed } from '../model/observed.ts';
import { firstOf } from '../model/shown-words.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { printElapsed } from '../model/units.ts';
import { describeExit, isSuccess } from '../policy/restart.ts';
import { provenAt } from '../policy/rollout.ts';
import type { Decision, SlotPhase } from '../reconcile/situation.ts';
import { type Wish, wantedOf, whyNothing } from '../reconcile/wanted.ts';

export type Outcome =
  | { readonly result: 'done'; readonly detail: string }
  /** `kept`: what ran before goes on. */
  | { readonly result: 'failed'; readonly detail: string; readonly kept?: true }
  /** `again`: the answer may change in so many milliseconds although nothing happens. */
  | { readonly result: 'pending'; readonly detail: string; readonly again?: number };

/** What is known of a service without asking the kernel: many wait at once, and each asks after every pass. */
export interface Glance extends Wish {
  readonly memory: Memory;
  /** undefined before the first decision, while another one is due, and when the service is forgotten. */
  readonly decision: Decision | undefined;
  /** The next time of its schedule, milliseconds since 1970; undefined: there is none. */
  readonly nextRun?: () => number | undefined;
  /** Something happened that is not decided about yet. */
  readonly due?: true;
}

/** When the instances of a service count as up. */
interface Terms {
  /** What is enough of a one-shot. */
  readonly oneShot: 'completed' | 'running';
  /** What it means that a dependency has failed: nothing comes of it, or it is not known yet. */
  readonly hindered: 'failed' | 'pending';
}

/**
 * Every wanted instance runs the current definition and has shown that it does not die at once, nor within `min_ready`;
 * those of a one-shot have completed.
 */
export function isUp(glance: Glance): Outcome {
  return upBy({ oneShot: 'completed', hindered: 'failed' }, glance);
}

/** The same, but it is enough that a one-shot runs, as for a service that depends on it and wants it `ready`. */
export function isRunning(glance: Glance): Outcome {
  return upBy({ oneShot: 'running', hindered: 'failed' }, glance);
}

/** The same as {@link isUp}, but whoever waits for a service that has failed has not failed itself. */
export function isUpItself(glance: Glance): Outcome {
  return upBy({ oneShot: 'completed', hindered: 'pending' }, glance);
}

function upBy(terms: Terms, glance: Glance): Outcome {
  const { decision } = glance;
  const wanted = wantedOf(glance);
  // First: of a service whose file is gone and that is forgotten there will be no decision.
  if (wanted.kind !== 'run') return { result: 'failed', detail: whyNotWanted(glance, wanted.reason) };
  if (decision === undefined) return { result: 'pending', detail: 'not looked at yet' };
  const open = decision.slots
    .map((phase) => slotIsUp(phase, glance, wanted.desired.spec, terms))
    .filter((outcome) => outcome.result !== 'done');
  const telling = open.find((outcome) => outcome.result === 'failed') ?? open[0];
  if (telling !== undefined) return telling;
  if (decision.slots.length < wanted.count) return { result: 'pending', detail: 'starting' };
  const nothing = whyNothing(wanted);
  if (nothing !== '') return { result: 'done', detail: `nothing runs: ${nothing}` };
  return { result: 'done', detail: upDetail(decision.slots, glance, wanted.count) };
}

/** To remove what is forgotten is no advice. */
function whyNotWanted({ desired, decision }: Glance, reason: string): string {
  return desired === undefined && decision === undefined ? 'its file is gone' : reason;
}

/** Every run has been told of the last reload, or has been replaced where it cannot be told. */
export function isReloaded(glance: Glance): Outcome {
  const up = reloadsInPlace(glance) ? isRunning(glance) : isUp(glance);
  if (up.result !== 'done') return up;
  const asked = glance.intent.reloads ?? 0;
  const told = (glance.decision?.slots ?? []).every(
    (phase) => phase.phase !== 'running' || (glance.memory.runs[phase.run.id]?.reloaded ?? 0) >= asked,
  );
  if (!told) return { result: 'pending', detail: 'not told yet' };
  // Of what does not run nothing was told, and nothing replaced.
  if (glance.decision?.slots.every(({ phase }) => phase !== 'running') !== false) return up;
  return { ...up, detail: `${reloadsInPlace(glance) ? 'told to reload' : 'replaced'}, ${up.detail}` };
}

/** Otherwise its processes are replaced. */
export function reloadsInPlace({ desired }: Pick<Wish, 'desired'>): boolean {
  if (desired?.kind !== 'defined') return false;
  const { reload_signal, reload_command } = desired.spec.process;
  return reload_signal !== null || reload_command !== null;
}

/** The run that was triggered last has ended. */
export function isTriggered(glance: Glance): Outcome {
  const { memory, intent, decision } = glance;
  const wanted = wantedOf(glance);
  if (wanted.kind !== 'run') return { result: 'failed', detail: whyNotWanted(glance, wanted.reason) };
  if (decision === undefined) return { result: 'pending', detail: 'not looked at yet' };
  if (memory.triggered < (intent.triggers ?? 0))
    return { result: 'pending', detail: 'waits for the run that goes on' };
  if (memory.due !== null) return { result: 'pending', detail: 'about to start' };
  if (decision.slots.some((phase) => phase.phase !== 'scheduled'))
    return { result: 'pending', detail: 'running' };
  const [exit] = memory.slots[0]?.exits ?? [];
  if (exit === undefined) return { result: 'pending', detail: 'not noted yet' };
  const { success_exit_codes } = wanted.desired.spec.restart_policy;
  const lived = exit.outcome.kind === 'not_started' ? '' : ` after ${printElapsed(exit.uptime)}`;
  const detail = `${describeExit(exit)}${lived}`;
  const succeeded = exit.by !== 'policy' && isSuccess(exit.outcome, success_exit_codes);
  return { result: succeeded ? 'done' : 'failed', detail };
}

/**
 * Nothing of the service is left.
 * @param look asks the kernel; called only when the last decision knows of no run any more, and nothing happened since
 */
export function isDown({ decision, due, intent, memory }: Glance, look: () => Observed): Outcome {
  const left = decision?.slots.filter((phase) => 'run' in phase) ?? [];
  if (left.some((phase) => phase.phase === 'stopping' && phase.blocked)) {
    return { result: 'failed', detail: 'a process survives SIGKILL' };
  }
  if (left.length > 0) return { result: 'pending', detail: `${left.length} of its instances still run` };
  // Whoever is told that it is over is to find the status and the events saying the same.
  if (due) return { result: 'pending', detail: 'not looked at yet' };
  const observed = look();
  if (observed.kind === 'unseen') return { result: 'pending', detail: observed.problem.message };
  const alive = observed.runs.filter((run) => run.members.is !== 'none' || run.main.is === 'running');
  if (alive.length > 0) return { result: 'pending', detail: `${alive.length} of its instances still run` };
  return {
    result: 'done',
    detail: `nothing of it runs${tookKill(intent, memory) ? '; it took SIGKILL' : ''}`,
  };
}

/** Whoever waited for its stop_grace wants to know what came of it. */
function tookKill({ stopped }: Wish['intent'], { slots }: Memory): boolean {
  return Object.values(slots).some(({ exits: [last] }) => {
    if (stopped === undefined || last === undefined || last.at < stopped.at) return false;
    const { by, outcome } = last;
    return by === 'stop' && outcome.kind === 'signaled' && outcome.signal === 'SIGKILL';
  });
}

function slotIsUp(phase: SlotPhase, { now, memory }: Glance, spec: ServiceSpec, terms: Terms): Outcome {
  switch (phase.phase) {
    case 'running': {
      if (phase.rejected !== null) {
        const detail = `instance ${phase.slot}: the new definition failed, the old one goes on: ${phase.rejected}`;
        return { result: 'failed', detail, kept: true };
      }
      if (phase.outdated) {
        const because = phase.heldBack === undefined ? '' : ` because ${phase.heldBack.why}`;
        const detail = `instance ${phase.slot} waits to be replaced${because}`;
        return phase.heldBack?.dueToFailure === true && terms.hindered === 'failed'
          ? { result: 'failed', detail, kept: true }
          : { result: 'pending', detail };
      }
      if (!phase.ready) {
        const detail = `instance ${phase.slot} is not ready: ${phase.health}`;
        const left = startOfRun(phase.run.id) + spec.rollout.timeout - now;
        if (left > 0) return { result: 'pending', detail, again: left };
        // One that an earlier daemon started may not have been asked yet.
        const probes = Object.values(memory.runs[phase.run.id]?.probes ?? {});
        return { result: probes.some(({ failures }) => failures > 0) ? 'failed' : 'pending', detail };
      }
      const unproven = notProven(phase, now, memory, spec);
      if (unproven !== undefined) return unproven;
      if (terms.oneShot === 'completed' && isOneShot(spec)) {
        return { result: 'pending', detail: `instance ${phase.slot} runs, and has not completed yet` };
      }
      return { result: 'done', detail: '' };
    }
    case 'completed':
      return { result: 'done', detail: phase.reason };
    case 'scheduled':
      return { result: 'done', detail: 'waits for its time' };
    case 'waiting':
      return phase.dueToFailure === true && terms.hindered === 'failed'
        ? { result: 'failed', detail: `not started, because ${phase.reason}` }
        : { result: 'pending', detail: phase.reason };
    case 'failed':
      return { result: 'failed', detail: `instance ${phase.slot}: ${phase.reason}` };
    case 'backoff':
      return { result: 'failed', detail: `instance ${phase.slot}: ${phase.reason}; it is tried again` };
    case 'starting':
    case 'stopping':
    case 'stopped':
      return { result: 'pending', detail: `instance ${phase.slot} is ${phase.phase}` };
  }
}

/** A run that is ready dies at once, or within `rollout.min_ready`: until then nobody knows. */
function notProven(
  { slot, run }: Extract<SlotPhase, { phase: 'running' }>,
  now: number,
  memory: Memory,
  { rollout: { min_ready } }: ServiceSpec,
): Outcome | undefined {
  const startedAt = startOfRun(run.id);
  const readySince = memory.runs[run.id]?.readySince ?? startedAt;
  const at = provenAt({ startedAt, readySince }, min_ready, now);
  if (at === undefined) return undefined;
  const again = at - now;
  if (readySince + min_ready <= now) {
    return { result: 'pending', detail: `instance ${slot} was just started`, again };
  }
  const readyFor = `${printElapsed(Math.max(0, now - readySince))} of ${printElapsed(min_ready)}`;
  return { result: 'pending', detail: `instance ${slot} is ready for ${readyFor}`, again };
}

/** With a schedule each run ends, and none of them is what is waited for. */
export function isOneShot({ process: { type, schedule } }: ServiceSpec): boolean {
  return type === 'oneshot' && schedule === null;
}

function upDetail(slots: readonly SlotPhase[], { memory, nextRun }: Glance, count: number): string {
  const running = slots.filter((phase) => phase.phase === 'running');
  const completed = slots.find((phase) => phase.phase === 'completed');
  if (running.length === 0 && completed?.phase === 'completed') return completed.reason;
  if (running.length === 0 && slots.some(({ phase }) => phase === 'scheduled')) {
    const next = nextRun?.();
    return next === undefined
      ? 'scheduled, no further time'
      : `scheduled, next run at ${new Date(next).toISOString()}`;
  }
  const pids = running.flatMap((phase) => memory.runs[phase.run.id]?.main?.pid ?? []);
  const shown = pids.length === 0 ? '' : `, pid ${firstOf(pids, 8)}`;
  return `${running.length}/${count} running${shown}`;
}
