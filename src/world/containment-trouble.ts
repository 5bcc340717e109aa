/** In which words is told what went wrong with the container of a run? */
import type { RunKey, ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { describeProcess } from './describe-process.ts';
import { inWords, passing } from './errno.ts';

/** More processes than these are only counted. */
const NAMED = 5;

/** @param reason the error, for the case that no process can be named */
export function stillAlive(key: RunKey, pids: readonly number[], reason: unknown): Problem {
  const names = pids.slice(0, NAMED).map((pid) => describeProcess(pid));
  const rest = pids.length > NAMED ? ` and ${pids.length - NAMED} more` : '';
  const what = pids.length === 0 ? inWords(reason) : `still alive: ${names.join(', ')}${rest}`;
  const message = `run ${key.id} cannot be removed, ${what}`;
  return { code: 'stop-blocked', severity: 'error', message, service: key.service };
}

/** @param isBusy a command that is being ended is in it, and nothing has to be mended */
export function notEmpty(service: ServiceName, reason: unknown, isBusy: boolean): Problem {
  const message = `what is left of ${service} cannot be removed: ${inWords(reason)}`;
  const isPassing = isBusy ? ({ passing: true } as const) : {};
  return { code: 'stop-blocked', severity: 'error', message, service, ...isPassing };
}

export function unreadable(path: string, error: unknown): Problem {
  return { code: 'observe-failed', severity: 'error', message: `${path} cannot be read: ${inWords(error)}` };
}

export function notGoneYet(key: RunKey, what: string): Problem {
  const message = `the last ${what} of instance ${key.slot} has not come to its end yet`;
  return { code: 'start-failed', severity: 'error', message, service: key.service, passing: true };
}

/**
 * Names the instance, not the run: the next run of it is in the same trouble, which is said once a minute.
 * @param failed the code of the error
 */
export function unrecorded(key: RunKey, failed: string): Problem {
  const message = `the record of instance ${key.slot} cannot be written: ${inWords(failed)}`;
  return { code: 'state-unwritable', severity: 'error', message, service: key.service, ...passing(failed) };
}

/**
 * What it says runs still, and is neither stopped nor started a second time before it can be seen again.
 * @param error also its code alone
 */
export function unrestored(path: string, error: unknown): Problem {
  const message = `${path} is gone and cannot be written again: ${inWords(error)}`;
  return { code: 'state-unwritable', severity: 'error', message, ...passing(error) };
}

/** @param because why there are no cgroups; null when nobody wanted them */
export function weaker(because: string | null): Problem {
  const why = because === null ? 'containment is process_group' : because;
  const message = `${why}; runs are sessions of processes: one that leaves its parent and its session and clears its environment escapes, and no limits can be set`;
  return { code: 'containment-weak', severity: 'warning', message };
}

/** Either the records or /proc itself could not be listed. */
export function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? String(error.path) : '/proc';
}
