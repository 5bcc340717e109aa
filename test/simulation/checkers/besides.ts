/** Is what goes on beside runs begun once at a time, and does it mean what it says? */
import type { Defined } from '../../../src/model/spec.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import type { RunTruth } from '../truth.ts';
import { whyLeave } from './left-alone.ts';

const PROMISE =
  'one probe of a run at a time and in each interval; whoever fails is stopped, and whoever is ready was asked';

/** Between an answer and what follows from it: a look that failed is tried again a second later. Milliseconds. */
const SLACK = 1500;

export const besidesRuns: Checker = {
  promise: PROMISE,
  see(entry) {
    if (entry.what !== 'beside' || !entry.twice) return;
    throw new Broken(PROMISE, `two of ${entry.word} of ${entry.run.service}/${entry.run.slot} at a time`);
  },
  before(simulation) {
    const { truth, daemon } = simulation;
    for (const [service, desired] of truth.inForce) {
      if (desired.kind !== 'defined') continue;
      const { readiness, liveness, startup } = desired.spec.probes;
      if (readiness === null && liveness === null && startup === null) continue;
      for (const phase of daemon?.loop.decision(service)?.slots ?? []) {
        if (phase.phase !== 'running' || !phase.ready) continue;
        const run = truth.runs.get(phase.run.id);
        if (run !== undefined) checkReady(run, phase.health, simulation);
      }
      for (const run of truth.runs.values()) {
        if (run.key.service !== service || run.end !== undefined) continue;
        checkUnfit(run, simulation);
        checkAskedAgain(run, desired, simulation);
      }
    }
  },
};

/** A readiness probe has to be asked by this very daemon. */
function checkReady(run: RunTruth, health: string, simulation: Simulation): void {
  const { truth, daemon, now } = simulation;
  const known = truth.definitions.get(`${run.key.service} ${run.key.hash}`) ?? [];
  if (known.some(({ spec }) => spec.probes.readiness === null)) return;
  const { readiness } = run.answers;
  if (readiness?.daemon === daemon?.number && readiness !== undefined) {
    // What was answered just now has not been decided about.
    if (readiness.passed !== undefined || now - readiness.at <= SLACK) return;
    if (readiness.at <= truth.writeFailedAt || simulation.wakes !== 'prompt') return;
  }
  throw new Broken(
    PROMISE,
    `run ${run.key.id} of ${run.key.service} is called ready, and was not asked (${health})`,
  );
}

function checkUnfit(run: RunTruth, simulation: Simulation): void {
  const { truth, now, daemon, machine } = simulation;
  const { service, slot, id } = run.key;
  if (run.stopAt !== undefined || machine.place(run.key) === undefined) return;
  const kind = (['startup', 'liveness'] as const).find((each) => truth.failures(run, each).must);
  const answers = kind === undefined ? undefined : run.answers[kind];
  if (kind === undefined || answers === undefined || answers.daemon !== daemon?.number) return;
  const from = Math.max(answers.at, truth.hinderedAt, truth.writeFailedAt, truth.liftedAt.get(service) ?? 0);
  if (now - from <= SLACK || slot >= truth.count(service) || truth.ending !== undefined) return;
  if (whyLeave(service, simulation) !== undefined || truth.intent(service).held !== undefined) return;
  throw new Broken(PROMISE, `run ${id} of ${service} goes on ${now - from} ms after ${kind} has failed`);
}

/**
 * However long a probe takes to be answered: the next one is begun in its time. A startup probe that the file was given
 * while the run went on keeps the others waiting until it has passed; then they are asked at once.
 */
function checkAskedAgain(run: RunTruth, { hash, spec }: Defined, simulation: Simulation): void {
  const { truth, now, daemon, machine } = simulation;
  const { service, slot, id } = run.key;
  const stays = run.stopAt === undefined && slot < truth.count(service) && truth.ending === undefined;
  if (!stays || run.key.hash !== hash || machine.place(run.key) === undefined) return;
  const started = spec.probes.startup === null ? undefined : run.answers.startup?.passed;
  if (spec.probes.startup !== null && started === undefined) return;
  for (const kind of ['readiness', 'liveness'] as const) {
    const probe = spec.probes[kind];
    const answers = run.answers[kind];
    if (probe === null || answers?.daemon !== daemon?.number || answers === undefined) continue;
    const lifted = truth.liftedAt.get(service) ?? 0;
    const from = Math.max(answers.at, truth.hinderedAt, truth.writeFailedAt, lifted);
    const late = now - Math.max(from + probe.interval + probe.timeout, started ?? from);
    if (late <= SLACK) continue;
    throw new Broken(PROMISE, `${kind} of run ${id} of ${service} is asked again ${late} ms too late`);
  }
}
