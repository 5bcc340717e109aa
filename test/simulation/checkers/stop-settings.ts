/** Is a run stopped with the settings of its own definition, and never killed before its grace is over? */
import type { ServiceSpec } from '../../../src/model/spec.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import type { RunTruth } from '../truth.ts';

const PROMISE = 'a run is stopped with its own signal, command and grace';

/** System calls take time: a kill may come this much earlier than the signal was seen. Milliseconds. */
const SLACK = 60;

export const stopSettings: Checker = {
  promise: PROMISE,
  see(entry, simulation) {
    if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command') return;
    const { truth } = simulation;
    const run = truth.runs.get(entry.run.id);
    if (run === undefined) return;
    const specs = truth.specsOf(run.key);
    const bad = (how: string): Broken => new Broken(PROMISE, `${run.key.service}/${run.key.slot}: ${how}`);
    const unknown = isLost(run, simulation);
    if (entry.what === 'kill') {
      const why = killedTooSoon(run, specs, unknown, simulation);
      if (why !== undefined) throw bad(why);
      const since = simulation.now - (run.killedAt ?? Number.NEGATIVE_INFINITY);
      const hindered = truth.hinderedAt >= (run.killedAt ?? simulation.now);
      if (since < LEAST_BETWEEN_KILLS && !hindered) throw bad(`SIGKILL was repeated after ${since} ms`);
      if (isSignalMissing(run, simulation)) throw bad('its stop command failed, and no signal followed');
    }
    if (unknown) return;
    if (entry.what === 'signal') {
      if (!specs.some(({ process }) => process.stop_signal === entry.signal)) {
        throw bad(`${entry.signal} is not its stop signal`);
      }
      if (run.stopAt === undefined && specs.every(({ process }) => process.stop_command !== null)) {
        throw bad('a signal came before its stop command');
      }
    }
    if (entry.what === 'stop_command' && specs.every(({ process }) => process.stop_command === null)) {
      throw bad('it has no stop command');
    }
  },
};

/** SIGKILL once more is of use only to a process that was stuck. Milliseconds. */
const LEAST_BETWEEN_KILLS = 4000;

/** A stop command that failed is followed by the signal as soon as its daemon hears of it, if nothing hinders it. */
function isSignalMissing({ commandFailedAt, stopAt, end }: RunTruth, { truth, now }: Simulation): boolean {
  if (commandFailedAt === undefined || stopAt === undefined || truth.ending?.hurry === true) return false;
  const known = now - commandFailedAt > 1000 && truth.hinderedAt < stopAt;
  return known && end === undefined;
}

/** What it was started with may have been lost with the state directory. */
function isLost(run: RunTruth, { truth }: Simulation): boolean {
  const lost = Math.max(truth.stateLostAt, truth.memoryLostAt, truth.writeFailedAt);
  return lost >= run.startedAt;
}

function killedTooSoon(
  run: RunTruth,
  specs: readonly ServiceSpec[],
  unknown: boolean,
  { truth, now }: Simulation,
): string | undefined {
  if (truth.ending?.hurry === true) return undefined;
  if (run.killedAt !== undefined) return undefined;
  if (run.stopAt === undefined) return 'it was killed without having been asked to end';
  // The only clock that two daemons share is the system's, and that was set forward.
  if (truth.clockForwardAt >= run.stopAt) return undefined;
  const graces = specs.map(({ process }) => process.stop_grace);
  const least = Math.min(...graces, ...(unknown ? [30_000] : []));
  const waited = now - run.stopAt;
  return waited + SLACK < least ? `it was killed after ${waited} ms, its grace is ${least} ms` : undefined;
}
