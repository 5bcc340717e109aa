/** Is what `diff` shows what is then done, no more and no less? */
import type { Change } from '../../../src/model/action.ts';
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { type Done, doneTo, type Since } from './round.ts';
import { heldBack } from './waits-for.ts';

const PROMISE = 'the plan that is shown is the plan that is carried out';

export function planIsKept(simulation: Simulation, plan: readonly Change[], since: Since): void {
  const names = new Set<ServiceName>([
    ...simulation.truth.inForce.keys(),
    ...plan.map((change) => change.service),
    ...simulation.entries.slice(since.entry).flatMap((entry) => ('run' in entry ? [entry.run.service] : [])),
  ]);
  for (const name of names) {
    // What waits for another service is planned, and done when that is there.
    if (heldBack(simulation, name) !== undefined) continue;
    const change = plan.find(({ service }) => service === name);
    const how = differs(change, doneTo(simulation, name, since), overdue(simulation, name, since));
    if (how === undefined) continue;
    const shown =
      change === undefined ? 'no change' : `${change.action} of ${change.instances} (${change.reason})`;
    throw new Broken(PROMISE, `${name}: shown was ${shown}, but ${how}`);
  }
}

/** System calls take time: a stop may be seen this much earlier after the start than it was decided. Milliseconds. */
const SLACK = 60;

/** How many were started since by their schedule, and stopped when their time was over: a plan ends with the start. */
function overdue({ truth, entries }: Simulation, name: ServiceName, since: Since): number {
  const runs = entries
    .slice(since.entry)
    .flatMap((entry) => (entry.what === 'start' ? (truth.runs.get(entry.run.id) ?? []) : []));
  return runs.filter(({ key, spec, startedAt, stopAt }) => {
    const most = spec.process.schedule?.max_time_per_run ?? null;
    if (key.service !== name || most === null || stopAt === undefined) return false;
    return stopAt - startedAt >= most - SLACK;
  }).length;
}

function differs(
  change: Change | undefined,
  { started, stopped, limits }: Done,
  overdue: number,
): string | undefined {
  const text = `${started.length} were started and ${stopped.length} stopped`;
  const touched = new Set([...started, ...stopped]).size;
  switch (change?.action) {
    case undefined:
    case 'keep':
    case 'define':
    case 'forget':
      return touched === 0 && limits === 0 ? undefined : `${text}, limits written ${limits} times`;
    case 'live':
    case 'reload':
      if (touched > 0) return text;
      return limits === 1 ? undefined : `limits were written ${limits} times`;
    case 'start':
      return stopped.length === overdue && touched === change.instances ? undefined : text;
    case 'stop':
    case 'roll':
    case 'replace': {
      if (stopped.length === 0 || touched !== change.instances) return text;
      const added = started.filter((slot) => !stopped.includes(slot)).length;
      const removed = stopped.filter((slot) => !started.includes(slot)).length;
      const expected = change.action === 'stop' ? change.instances - (change.added ?? 0) : change.removed;
      if (added === (change.added ?? 0) && removed === (expected ?? 0)) return undefined;
      return `${text}, ${added} of them only started and ${removed} only stopped`;
    }
  }
}
