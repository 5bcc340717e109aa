/** Is an older run told to stop only when a newer one can take over, and is a bad one tried once? */
import type { RunKey, ServiceName } from '../../../src/model/names.ts';
import { PROOF_OF_LIFE } from '../../../src/policy/rollout.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import type { RunTruth } from '../truth.ts';
import { whyLeave } from './left-alone.ts';

const PROMISE = 'an older run goes when its successor is ready, and a bad generation is tried once';

const LEAVES = 'a rejected generation leaves nothing in the places that it added';

/** System calls take time. Milliseconds. */
const SLACK = 60;

/** One for each history: it remembers what was tried. */
export function rollsOver(): Checker {
  const tried = new Map<string, number>();
  return {
    promise: PROMISE,
    before(simulation) {
      for (const run of simulation.truth.runs.values()) {
        checkLate(run, simulation);
        checkAdded(run, simulation);
      }
    },
    see(entry, simulation) {
      const { truth, machine, now } = simulation;
      if (entry.what === 'start' || entry.what === 'refused') {
        const { service, slot, generation } = entry.run;
        if (isAddedByRejected(entry.run, simulation)) {
          throw new Broken(LEAVES, `${service}/${slot} was filled with generation ${generation}`);
        }
        const older = machine
          .placesOf(service)
          .some(({ key }) => key.slot === slot && key.id !== entry.run.id && !truth.isCurrent(key));
        if (!older) return;
        const desired = truth.inForce.get(service);
        const digest = desired?.kind === 'defined' ? desired.digest : '';
        const pardon = truth.intent(service).pardon ?? 0;
        const attempt = `${service}/${slot} ${generation} ${digest} ${pardon}`;
        const before = tried.get(attempt);
        const lost = Math.max(truth.memoryLostAt, truth.writeFailedAt, truth.diedAt, truth.hinderedAt);
        tried.set(attempt, now);
        const lifted = truth.liftedAt.get(service) ?? Number.NEGATIVE_INFINITY;
        if (before !== undefined && lost < before && lifted < before) {
          throw new Broken(PROMISE, `generation ${generation} of ${service}/${slot} was tried again`);
        }
        return;
      }
      const isHook = entry.what === 'beside' && entry.word === 'pre_stop';
      if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command' && !isHook)
        return;
      const run = truth.runs.get(entry.run.id);
      if (run === undefined || run.stopAt !== undefined || !truth.rolls(run.key.service)) return;
      // Whoever is not older goes for another reason: as a duplicate, for one.
      if (truth.isCurrent(run.key)) return;
      const causes = truth.causes(run, false, now);
      if (causes.some((cause) => !cause.startsWith('reload_retire'))) return;
      checkSuccessor(run, simulation);
    },
  };
}

/** A generation that was not ready in time is rejected: what of it stands beside an older run is told to stop. */
function checkLate(run: RunTruth, simulation: Simulation): void {
  const { truth, daemon, machine, now } = simulation;
  const { service, slot, id } = run.key;
  if (run.end !== undefined || run.stopAt !== undefined || run.daemon !== daemon?.number) return;
  if (!truth.rolls(service) || !truth.isCurrent(run.key) || machine.place(run.key) === undefined) return;
  const desired = truth.inForce.get(service);
  if (desired?.kind !== 'defined' || desired.spec.rollout.on_failure !== 'keep_old') return;
  if (truth.readySince(run, daemon.number).some((ready) => ready !== undefined)) return;
  const older = [...truth.runs.values()].some(
    (other) =>
      other.key.service === service &&
      other.key.slot === slot &&
      !truth.isCurrent(other.key) &&
      other.key.generation < run.key.generation &&
      other.stopAt === undefined &&
      lives(other, simulation),
  );
  if (!older || truth.mixesTypes(service, now) || slot >= truth.count(service)) return;
  if (truth.ending !== undefined || whyLeave(service, simulation) !== undefined) return;
  // Whoever relies on it, and is to go as well, goes first.
  const relied = [...truth.inForce.values()].some(
    (other) => other.kind === 'defined' && other.spec.depends_on[service] !== undefined,
  );
  const since = Math.max(
    run.startedAt + desired.spec.rollout.timeout,
    ...[truth.hinderedAt, truth.writeFailedAt, truth.liftedAt.get(service) ?? 0],
  );
  if (relied || now - since <= MOST_LATE) return;
  throw new Broken(
    PROMISE,
    `${service}/${slot}: run ${id} was not ready in time, and stands beside an older one ${now - since} ms later`,
  );
}

/** What of it was never ready is told to stop in the places that came with it as well. */
function checkAdded(run: RunTruth, simulation: Simulation): void {
  const { truth, daemon, machine, now } = simulation;
  const { service, slot, id } = run.key;
  if (run.end !== undefined || run.stopAt !== undefined || run.daemon !== daemon?.number) return;
  if (machine.place(run.key) === undefined || slot >= truth.count(service)) return;
  if (!isAddedByRejected(run.key, simulation)) return;
  if (truth.readySince(run, daemon.number).some((ready) => ready !== undefined)) return;
  if (truth.ending !== undefined || whyLeave(service, simulation) !== undefined) return;
  // Whoever relies on it, and is to go as well, goes first.
  const relied = [...truth.inForce.values()].some(
    (other) => other.kind === 'defined' && other.spec.depends_on[service] !== undefined,
  );
  const since = Math.max(
    (daemon.store.memory(service).rejected?.at ?? 0) - daemon.offset,
    ...[truth.hinderedAt, truth.writeFailedAt, truth.liftedAt.get(service) ?? 0],
  );
  if (relied || now - since <= MOST_LATE) return;
  throw new Broken(LEAVES, `${service}/${slot}: run ${id} goes on ${now - since} ms later`);
}

/** The daemon has rejected this generation, older ones go on, and no definition of theirs had so many places. */
function isAddedByRejected({ service, slot, generation }: RunKey, simulation: Simulation): boolean {
  const { truth, daemon } = simulation;
  // What it was scaled to before, nobody remembers here.
  if (truth.intent(service).scale !== undefined) return false;
  if (daemon?.store.memory(service).rejected?.generation !== generation) return false;
  return slot >= (placesOfOlder(service, simulation, 'most') ?? Number.POSITIVE_INFINITY);
}

/**
 * How many places the definitions had of which runs go on, while the daemon says that the newer one is rejected.
 * @param counts of the numbers that one definition had, as it can be changed without a new run
 * @returns undefined: it does not say so, the failure is accepted, nothing older goes on, or it has lost a definition
 */
export function placesOfOlder(
  service: ServiceName,
  { truth, daemon, machine }: Simulation,
  counts: 'most' | 'least',
): number | undefined {
  const desired = truth.inForce.get(service);
  const { rejected } = daemon?.store.memory(service) ?? {};
  if (desired?.kind !== 'defined' || desired.spec.rollout.on_failure !== 'keep_old') return undefined;
  const { pardon = 0 } = truth.intent(service);
  if (rejected?.digest !== desired.digest || rejected.pardon !== pardon) return undefined;
  const older = [...truth.runs.values()].filter(
    (other) =>
      other.key.service === service &&
      !truth.isCurrent(other.key) &&
      other.key.slot < truth.count(service) &&
      other.stopAt === undefined &&
      lives(other, { machine }),
  );
  const isLost = ({ key }: RunTruth): boolean =>
    key.hash !== desired.hash && daemon?.store.applied(service).has(key.hash) !== true;
  if (older.some(isLost)) return undefined;
  const had = older.map(({ key, spec }) => {
    const known = truth.definitions.get(`${service} ${key.hash}`) ?? [{ spec }];
    const numbers = known.map((each) => each.spec.instances);
    return Math.max(key.slot + 1, counts === 'most' ? Math.max(...numbers) : Math.min(...numbers));
  });
  return had.length === 0 ? undefined : Math.max(...had);
}

/** Between the end of its time and what follows: a look that failed is tried again a second later. Milliseconds. */
const MOST_LATE = 1500;

function lives(run: RunTruth, { machine }: Pick<Simulation, 'machine'>): boolean {
  return [...(machine.place(run.key)?.processes ?? [])].some(({ alive }) => alive);
}

function checkSuccessor(run: RunTruth, simulation: Simulation): void {
  const { truth, machine, daemon, now } = simulation;
  const { service, slot } = run.key;
  const desired = truth.inForce.get(service);
  if (desired?.kind !== 'defined') return;
  const { min_ready, overlap, on_failure } = desired.spec.rollout;
  if (on_failure === 'replace' && truth.hasFailedToComeUp(service, now)) return;
  if (truth.mixesTypes(service, now)) return;
  const serves = machine
    .placesOf(service)
    .flatMap(({ key }) => truth.runs.get(key.id) ?? [])
    .some(
      (other) =>
        other.key.slot === slot &&
        other.key.id !== run.key.id &&
        !truth.isCurrent(other.key) &&
        staysOn(other, simulation) &&
        servesLonger(other, run, simulation),
    );
  // Of two older ones that one goes on which has served for longer: the other one was on its way to replace it.
  if (serves) return;
  const bad = (how: string): Broken =>
    new Broken(PROMISE, `${service}/${slot}: run ${run.key.id} was told to stop ${how}`);
  // Should two of them be there, the newest goes on.
  const successor = machine
    .placesOf(service)
    .filter(({ key, processes }) => {
      // Whoever ended while the daemon was deciding had been seen alive.
      const ended = truth.runs.get(key.id)?.end?.at ?? Number.NEGATIVE_INFINITY;
      return processes.size > 0 || now - ended <= SLACK;
    })
    .flatMap(({ key }) => truth.runs.get(key.id) ?? [])
    .filter(({ key }) => key.slot === slot && key.id !== run.key.id && truth.isCurrent(key))
    .sort((a, b) => (a.key.id < b.key.id ? -1 : 1))
    .at(-1);
  // What a new daemon does not remember, and a clock that was set, cannot be seen from here.
  const lost = Math.max(truth.memoryLostAt, truth.clockForwardAt, truth.writeFailedAt);
  if (lost >= (successor?.startedAt ?? run.startedAt)) return;
  if (successor === undefined) throw bad('without a successor');
  // A change was taken back: whoever was there before has nothing to prove.
  if (successor.key.generation < run.key.generation) return;
  if (successor.daemon !== daemon?.number) return;
  const age = now - successor.startedAt + SLACK;
  if (age < PROOF_OF_LIFE) throw bad(`when its successor had lived for ${age - SLACK} ms`);
  const [since] = truth.readySince(successor, daemon?.number);
  if (since === undefined) throw bad('when its successor was not ready');
  if (now - since + SLACK < min_ready + overlap) throw bad(`${now - since} ms after its successor was ready`);
}

/** A stop that an earlier daemon began may not have been written down: then nobody knows of it. */
function staysOn({ key, stopAt }: RunTruth, { truth, daemon }: Simulation): boolean {
  if (stopAt === undefined) return true;
  return stopAt <= truth.diedAt && daemon?.store.memory(key.service).runs[key.id]?.stop == null;
}

/** Whoever is ready for longer; of two that never were, the one that was started first. */
function servesLonger(one: RunTruth, other: RunTruth, { truth, daemon }: Simulation): boolean {
  // A new daemon takes those without a probe as ready from when it met them.
  const since = (run: RunTruth): readonly (number | undefined)[] =>
    truth
      .readySince(run, daemon?.number)
      .map((ready) =>
        ready === undefined || run.daemon === daemon?.number ? ready : Math.max(ready, truth.bootedAt),
      );
  return since(one).some((mine) =>
    since(other).some((theirs) => {
      if (mine === undefined && theirs === undefined) return one.startedAt <= other.startedAt;
      return mine !== undefined && (theirs === undefined || mine <= theirs + SLACK);
    }),
  );
}
