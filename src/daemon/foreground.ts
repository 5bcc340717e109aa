/** What does a manager do otherwise that has no files: what is a reload, and when is its work over? */
import type { Control } from '../api/contract.ts';
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Journal } from './journal.ts';
import type { Loop } from './loop.ts';

export interface Foreground {
  /** What says which services there are, in words. */
  readonly source: string;
  /** Fields of `manager_started`. */
  readonly about: Event['fields'];
  /** Whether it listens on its socket. */
  readonly serves: boolean;
  /** Whether a later manager would find what this one leaves running, by a state directory that stays. */
  readonly canLeave: boolean;
  /** The service with whose last worker the manager ends; null: it goes on until it is told to end. */
  readonly endsWith: ServiceName | null;
}

export interface ForegroundTools {
  readonly loop: Loop;
  readonly journal: Journal;
  readonly control: Pick<Control, 'command'>;
  readonly manager: (name: string, fields: Event['fields']) => void;
}

/** The command is missing or could not be executed: the code that shells give it. */
const NOT_STARTED = 127;

/** Replaces every worker, by the same way as `pmctl restart`. */
export async function restartAll({ loop, control, manager }: ForegroundTools, wait: number): Promise<void> {
  manager('manager_reload_requested', { signal: 'HUP' });
  const services = [...loop.desired.services.keys()];
  manager('manager_reload_started', { trigger: 'HUP', changes: services.length });
  const { results } = await control.command({ verb: 'restart', services, by: 'SIGHUP', wait });
  const failed = results.filter(({ result }) => result !== 'done').length;
  manager(failed > 0 ? 'manager_reload_failed' : 'manager_reload_completed', {
    changes: services.length,
    failed,
    errors: 0,
  });
}

/**
 * Calls back once when every worker of the service has ended for good.
 * @param over gets the status of the first one that failed, as a shell shows it; 0 when none did
 */
export function whenExhausted(
  service: ServiceName,
  { loop, journal }: Pick<ForegroundTools, 'loop' | 'journal'>,
  over: (status: number) => void,
): void {
  let first = 0;
  const deaf = journal.listen((event) => {
    if (event.service === service && event.name === 'worker_exited' && first === 0) first = statusOf(event);
  });
  const stop = loop.onPass(() => {
    const { decision, due } = loop.glance(service);
    if (due || decision === undefined || decision.slots.length === 0) return;
    if (!decision.slots.every(({ phase }) => phase === 'completed' || phase === 'failed')) return;
    deaf();
    stop();
    over(first);
  });
}

/** @returns the reason with which the manager ends then */
export function tellExhausted({ manager }: Pick<ForegroundTools, 'manager'>, status: number): string {
  const reason = 'workers_exhausted_no_respawn';
  manager('manager_shutdown_requested', { signal: 'internal', reason, exit_status: status });
  return reason;
}

function statusOf({ fields }: Event): number {
  const status = fields['status'];
  if (typeof status === 'number') return status;
  return fields['exit_reason'] === 'not_started' ? NOT_STARTED : 1;
}
