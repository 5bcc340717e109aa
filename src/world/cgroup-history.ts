/** What does a cgroup tell about those who were in it? Every path is an absolute directory. */
import fs from 'node:fs';
import type { Outcome } from '../model/observed.ts';
import { flatKeyed, isGone, keyedNumber } from './cgroup-files.ts';

/**
 * Whoever was in it has used processor time; where the kernel does not count that, it is taken for used. Throws when it
 * cannot be read now: nothing follows from that, or a one-shot that never ran would count as one that has.
 */
export function everUsed(directory: string): boolean {
  try {
    return (flatKeyed(fs.readFileSync(`${directory}/cpu.stat`, 'utf8')).get('usage_usec') ?? 1) > 0;
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
}

/** For who has to say something now: what cannot be read is taken for used. */
export function seemsUsed(directory: string): boolean {
  try {
    return everUsed(directory);
  } catch {
    return true;
  }
}

/** SIGKILL may come from anybody; the cgroup counts how often it was the OOM killer. */
export function withOom(outcome: Outcome, directory: string): Outcome {
  if (outcome.kind !== 'signaled' || outcome.signal !== 'SIGKILL') return outcome;
  return { ...outcome, oom: oomKills(directory) };
}

export function oomKills(directory: string): boolean {
  return (keyedNumber(directory, 'memory.events', 'oom_kill') ?? 0) > 0;
}
