/** Is a run stopped only when something asks for it, and is that what the lifecycle line says? */
import { Broken, type Checker } from '../checker.ts';
import { hasDouble, type Simulation } from '../simulation.ts';
import type { Entry } from '../trace.ts';

const PROMISE = 'only what must change is stopped, and the reason that is told is the true one';

/** One for each history: it remembers which reasons were told. */
export function stoppedForAReason(): Checker {
  const told = new Map<string, Set<string>>();
  return {
    promise: PROMISE,
    see(entry, simulation) {
      if (entry.what === 'told') checkTold(entry, simulation, told);
      if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command') return;
      const run = simulation.truth.runs.get(entry.run.id);
      if (run === undefined || run.stopAt !== undefined) return;
      if (simulation.truth.causes(run, hasDouble(simulation, run)).length === 0) {
        throw new Broken(PROMISE, `${entry.what} to ${run.key.service}/${run.key.slot} without any reason`);
      }
    },
  };
}

/** A stop that has begun is carried through, under the reason that it began with. */
function checkTold(
  { event, service, fields }: Extract<Entry, { what: 'told' }>,
  simulation: Simulation,
  told: Map<string, Set<string>>,
): void {
  if (event !== 'worker_stop_requested' && event !== 'worker_stopped') return;
  const { truth } = simulation;
  const { instance, generation } = fields;
  const reason = String(fields['reason']).replace(/_grace_timeout$/, '');
  const place = `${service}/${instance} generation ${generation}`;
  const before = told.get(place) ?? new Set();
  const runs = [...truth.runs.values()].filter(
    ({ key }) => key.service === service && key.slot === instance && key.generation === generation,
  );
  // A daemon that died may have begun a stop without having told of it.
  const untold = event === 'worker_stopped' && runs.some((run) => truth.hinderedAt >= run.startedAt);
  const isTrue =
    untold ||
    (before.has(reason) && runs.some((run) => run.stopAt !== undefined)) ||
    runs.some((run) => truth.causes(run, hasDouble(simulation, run)).includes(reason));
  if (!isTrue) throw new Broken(PROMISE, `${place} is told to be stopped for "${reason}"`);
  told.set(place, before.add(reason));
}
