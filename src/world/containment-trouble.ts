/** In which words is told what went wrong with the container of a run? */
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';

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

export function unreadable(path: string, error: unknown): Problem {
  return { code: 'observe-failed', severity: 'error', message: `${path} cannot be read: ${inWords(error)}` };
}
