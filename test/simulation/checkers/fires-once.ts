/** Does a scheduled service run once for each of its times, and once for each trigger? */
import type { RunId } from '../../../src/model/names.ts';
import type { Machine } from '../../twins/machine.ts';
import { Broken, type Checker } from '../checker.ts';
import type { RunTruth } from '../truth.ts';

const PROMISE = 'a scheduled service runs once for each of its times, and once for each trigger';

/** All that is due is written down in one go, and started one after the other. Milliseconds. */
const ONE_GO = 60;

/** One for each history: it remembers for what each run was started. */
export function firesOnce(): Checker {
  const fired = new Map<string, { readonly id: RunId; readonly at: number }[]>();
  const offsets = new Set<number>();
  return {
    promise: PROMISE,
    boot({ daemon }) {
      if (daemon !== undefined) offsets.add(daemon.offset);
    },
    see(entry, { truth, machine, daemon, now }) {
      if (entry.what !== 'start') return;
      const { service, id, slot } = entry.run;
      const desired = truth.inForce.get(service);
      if (desired?.kind !== 'defined' || desired.spec.process.schedule === null) return;
      const bad = (how: string): Broken => new Broken(PROMISE, `${service}/${slot} was started ${how}`);
      const due = daemon?.store.memory(service).due ?? null;
      if (due === null) throw bad('and was not due');
      if (due.run !== id) throw bad(`as ${id}, and ${due.run} was due`);
      const { cron } = desired.spec.process.schedule;
      const cause = `${service} ${due.slot === null ? 'trigger' : `${cron} ${due.slot}`}`;
      const before = (fired.get(cause) ?? []).filter((each) => ran(truth.runs.get(each.id), machine));
      fired.set(cause, [...before, { id, at: now }]);
      const known = Math.max(truth.writeFailedAt, truth.stateLostAt);
      if (due.slot === null) {
        const asked = truth.intent(service).triggers ?? 0;
        const counted = before.filter(
          ({ at }) => at > Math.max(known, truth.forgottenAt.get(service) ?? 0),
        ).length;
        if (counted >= asked) throw bad(`for trigger ${counted + 1} of ${asked}`);
        return;
      }
      const [again] = before;
      // Only with the same clock a time is the same time, and what cannot be written down is forgotten.
      if (again === undefined || known >= again.at - ONE_GO || offsets.size > 1) return;
      throw bad(`for ${new Date(due.slot).toISOString()}, as run ${again.id} was`);
    },
  };
}

/** What never reached its place did nothing, and what has no place any more and has not ended never will. */
function ran(run: RunTruth | undefined, machine: Machine): boolean {
  return run?.everRan === true && (run.end !== undefined || machine.place(run.key) !== undefined);
}
