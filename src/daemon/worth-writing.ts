/** Which changes of what is remembered must be on disk, and how soon? */
import { isSettled, type Memory } from '../model/memory.ts';

/** Without what the next probe tells as well: a service that is asked every second is not written every second. */
export function lasting(memory: Memory): Memory {
  const runs = Object.entries(memory.runs);
  if (runs.every(([, { probes }]) => Object.keys(probes).length === 0)) return memory;
  const without = runs.map(([id, run]) => {
    const { startup } = run.probes;
    return [id, { ...run, probes: startup === undefined ? {} : { startup: { passed: startup.passed } } }];
  });
  return { ...memory, runs: Object.fromEntries(without) };
}

/** Differs whenever another instance is over for good, or the same one again. */
export function endings(memory: Memory): string {
  const ends = Object.entries(memory.slots).filter(([, { end }]) => isSettled(end));
  return ends.map(([slot, { end }]) => `${slot}:${end?.at}`).join();
}
