/** Which events tell the life of a run? */
import type { Event } from '../model/action.ts';
import type { RunKey } from '../model/names.ts';
import type { ObservedRun, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { SIGNALS, type Signal } from '../model/signals.ts';
import { exitReason } from '../policy/restart.ts';
import type { Notice, Situation } from '../reconcile/situation.ts';

export function startedEvent(key: RunKey, pid: number, reason: string, at: number): Event {
  return event('worker_started', key, at, placed(key, { pid, reason }));
}

/** @param oldest its oldest process: the first one, as far as anybody can tell when the memory of it is lost */
export function adoptedEvent(run: ObservedRun, at: number, oldest?: number): Event {
  const pid = run.main.is === 'running' ? run.main.pid : (oldest ?? 'unknown');
  return event('worker_started', run.key, at, placed(run.key, { pid, reason: 'adopted' }));
}

/** A start that was refused is told as an exit without a process. */
export function failedEvent(key: RunKey, problem: Problem, respawn: boolean, at: number): Event {
  const fields = {
    pid: 'none',
    status: 'none',
    exit_reason: 'not_started',
    restart_action: respawn ? 'respawn' : 'none',
    problem: problem.message,
  };
  return event('worker_exited', key, at, placed(key, fields));
}

/** What a decision noticed, as events. */
export function noticedEvents(
  notices: readonly Notice[],
  { memory, now }: Pick<Situation, 'memory' | 'now'>,
): readonly Event[] {
  return notices.map((notice) => {
    const main = memory.runs[notice.run.id]?.main?.pid;
    return notice.notice === 'exited' ? exitedEvent(notice, main, now) : stoppedEvent(notice, main, now);
  });
}

export function exitedEvent(
  notice: Extract<Notice, { notice: 'exited' }>,
  pid: number | undefined,
  at: number,
): Event {
  const fields = {
    pid: pid ?? 'unknown',
    ...ending(notice.outcome),
    restart_action: notice.respawn ? 'respawn' : 'none',
  };
  return event('worker_exited', notice.run, at, placed(notice.run, fields));
}

export function stopRequestedEvent(
  run: RunKey,
  pid: number | undefined,
  signal: string,
  reason: string,
  at: number,
): Event {
  const shown = signal.startsWith('SIG') ? signal.slice(3) : signal;
  const fields = { pid: pid ?? 'unknown', signal: shown, reason };
  return event('worker_stop_requested', run, at, placed(run, fields));
}

export function stoppedEvent(
  notice: Extract<Notice, { notice: 'stopped' }>,
  pid: number | undefined,
  at: number,
): Event {
  const fields = { pid: pid ?? 'unknown', ...ending(notice.outcome), reason: notice.reason };
  return event('worker_stopped', notice.run, at, placed(notice.run, fields));
}

function event(name: string, run: RunKey, at: number, fields: Event['fields']): Event {
  return { at, name, service: run.service, run_id: run.id, fields };
}

/** The fields behind those that say where the run is. */
function placed(run: RunKey, fields: Event['fields']): Event['fields'] {
  return { instance: run.slot, generation: run.generation, ...fields };
}

/** `status` is the wait status as a shell shows it; what really happened says `exit_reason`. */
function ending(outcome: Outcome): { status: number | string; exit_reason: string } {
  const exit_reason = exitReason(outcome, signalNumber);
  switch (outcome.kind) {
    case 'exited':
      return { status: outcome.code, exit_reason };
    case 'signaled':
      return { status: 128 + signalNumber(outcome.signal), exit_reason };
    case 'unknown':
    case 'not_started':
      return { status: 'unknown', exit_reason };
  }
}

function signalNumber(signal: string): number {
  return SIGNALS[signal as Signal] ?? 0;
}
