/** What do the calls answer that know a service as a process? */
import { count } from '../model/units.ts';
import type { UpdateView } from './changes.ts';
import type { CommandResult, LogsView, ServiceView } from './contract.ts';

export interface ProcessList {
  readonly processes: readonly ServiceView[];
}

export interface ProcessAnswer extends CommandResult {
  readonly success: true;
  readonly message: string;
  readonly process: ServiceView | null;
}

export interface ProcessLogs extends LogsView {
  readonly processId: string;
}

export interface ReloadAnswer extends UpdateView {
  /** No file has errors, and nothing of what was to be done has failed. */
  readonly success: boolean;
  readonly message: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

/** @param now milliseconds since 1970 */
export function reloadAnswer(view: UpdateView, now: number): ReloadAnswer {
  const all = [...view.changes, ...(view.underway ?? [])];
  const failed = all.filter(({ result }) => result === 'failed' || result === 'refused').length;
  const errors = view.errors.length;
  const told = [
    count(view.changes.length, 'change'),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(errors === 0 ? [] : [`${count(errors, 'error')} in the files`]),
  ];
  const timestamp = new Date(now).toISOString();
  return { success: failed + errors === 0, message: told.join(', '), timestamp, ...view };
}
