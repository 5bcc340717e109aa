/** What does a cgroup tell about those who were in it? Every path is an absolute directory. */
import type { Outcome } from '../model/observed.ts';
import { keyedNumber } from './cgroup-files.ts';

/** Whoever was in it has used processor time; what cannot be read is taken for used. */
export function everUsed(directory: string): boolean {
  return (keyedNumber(directory, 'cpu.stat', 'usage_usec') ?? 1) > 0;
}

/** SIGKILL may come from anybody; the cgroup counts how often it was the OOM killer. */
export function withOom(outcome: Outcome, directory: string): Outcome {
  if (outcome.kind !== 'signaled' || outcome.signal !== 'SIGKILL') return outcome;
  return { ...outcome, oom: oomKills(directory) };
}

export function oomKills(directory: string): boolean {
  return (keyedNumber(directory, 'memory.events', 'oom_kill') ?? 0) > 0;
}
