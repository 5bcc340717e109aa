/** Is a run stopped only when something asks for it, and is that what the lifecycle line says? */
import { Broken, type Checker } from '../checker.ts';
import { isDuplicate, type Simulation } from '../simulation.ts';
import type { Entry } from '../trace.ts';
import type { RunTruth } from '../truth.ts';

const PROMISE = 'only what must change is stopped, and the reason that is told is the true one';

/** One for each history: it remembers which reasons were told. */
export function stoppedForAReason(): Checker {
  const told = new Map<string, Set<string>>();
  const first = new Map<string, string>();
  return {
    promise: PROMISE,
    see(entry, simulation) {
      if (entry.what === 'told') {
        checkTold(entry, simulation, told);
        checkKept(entry, first);
      }
      const isHook = entry.what === 'beside' && entry.word === 'pre_stop';
      if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command' && !isHook)
        return;
      const run = simulation.truth.runs.get(entry.run.id);
      if (run === undefined) return;
      const causes = causesOf(run, simulation);
      const { service, slot, generation } = run.key;
      if (run.stopAt === undefined && causes.length === 0)
        throw new Broken(PROMISE, `${entry.what} to ${service}/${slot} without any reason`);
      if (!isHook) return;
      // The stop is told of when the hook has ended, under the reason that it began with. It may begin once more, and for
      // another reason, where a daemon died before it was on disk.
      const place = `${service}/${slot} generation ${generation}`;
      const before = told.get(place) ?? new Set();
      for (const cause of causes) before.add(cause);
      told.set(place, before);
    },
  };
}

/** One daemon tells of one stop under one reason. */
function checkKept(
  { event, service, id, daemon, fields }: Extract<Entry, { what: 'told' }>,
  first: Map<string, string>,
): void {
  if (event !== 'worker_stop_requested' && event !== 'worker_stopped') return;
  const reason = withoutSuffix(fields['reason']);
  const stop = `${id} ${daemon}`;
  const before = first.get(stop) ?? reason;
  first.set(stop, before);
  if (before !== reason) {
    throw new Broken(PROMISE, `a stop of ${service} for "${before}" goes on for "${reason}"`);
  }
}

function withoutSuffix(reason: string | number | undefined): string {
  return String(reason).replace(/_grace_timeout$/, '');
}

function causesOf(run: RunTruth, simulation: Simulation): readonly string[] {
  return simulation.truth.causes(run, isDuplicate(simulation, run), simulation.now);
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
  const reason = withoutSuffix(fields['reason']);
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
    runs.some((run) => causesOf(run, simulation).includes(reason));
  if (!isTrue) throw new Broken(PROMISE, `${place} is told to be stopped for "${reason}"`);
  told.set(place, before.add(reason));
}
