/** Is a run stopped with the settings of its own definition, killed when its grace is over and not before? */
import type { RunId } from '../../../src/model/names.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import type { Entry } from '../trace.ts';
import type { RunTruth } from '../truth.ts';
import { whyLeave } from './left-alone.ts';

const PROMISE = 'a run is stopped with its own signal, command and grace';

/** System calls take time: a kill may come this much earlier than the signal was seen. Milliseconds. */
const SLACK = 60;

/** A kill may come this much later than the grace is over: other services have their turn as well. Milliseconds. */
const LATE = 500;

/** SIGKILL once more is of use only to a process that was stuck. Milliseconds. */
const LEAST_BETWEEN_KILLS = 4000;

/** What happened to a run since somebody began to stop it. */
interface Stop {
  readonly run: RunTruth;
  /** When its grace is over at the earliest and at the latest; it may have begun several times. */
  earliest: number;
  latest: number;
  /** Of the last beginning. */
  since: number;
  last: Deed['what'];
  /** When the last signal was refused by the kernel; undefined: it was not. */
  refusedAt: number | undefined;
  /** Its service was last left alone. */
  leftAloneAt: number;
}

type Deed = Extract<Entry, { what: 'signal' | 'kill' | 'stop_command' }>;

/** One for each history: it remembers the stops that are under way. */
export function stopSettings(): Checker {
  const stops = new Map<RunId, Stop>();
  const told = new Map<RunId, string>();
  return {
    promise: PROMISE,
    follow(simulation, before) {
      for (const stop of stops.values()) {
        // Until now it may have been guarded, or without a definition: nobody was to touch it.
        if (before.get(stop.run.key.service)?.kind !== 'defined') stop.leftAloneAt = simulation.now;
      }
    },
    before(simulation) {
      for (const stop of stops.values()) {
        const { service } = stop.run.key;
        const isHeldBack = simulation.daemon?.loop.removals.held.includes(service) === true;
        if (isHeldBack || whyLeave(service, simulation) !== undefined) stop.leftAloneAt = simulation.now;
        checkOverdue(stop, simulation);
      }
    },
    see(entry, simulation) {
      switch (entry.what) {
        case 'told':
          checkTold(entry, simulation, stops, told);
          return;
        case 'remove':
          if (entry.done) stops.delete(entry.run.id);
          return;
        case 'signal':
        case 'kill':
        case 'stop_command': {
          const run = simulation.truth.runs.get(entry.run.id);
          if (run === undefined) return;
          checkDeed(entry, run, stops.get(run.key.id), simulation);
          const shown = entry.what === 'signal' ? entry.signal.slice(3) : WORDS[entry.what];
          if (told.get(run.key.id) !== shown) throw bad(run, `${entry.what} was not told of`);
          told.delete(run.key.id);
          if (entry.what !== 'kill')
            stops.set(run.key.id, begun(entry, run, stops.get(run.key.id), simulation));
          return;
        }
        default:
      }
    },
  };
}

const WORDS = { kill: 'KILL', stop_command: 'stop_command' } as const;

function checkDeed(deed: Deed, run: RunTruth, stop: Stop | undefined, simulation: Simulation): void {
  if (deed.what === 'kill') {
    checkKill(run, stop, simulation);
    return;
  }
  const { specs, sure } = simulation.truth.settingsOf(run);
  if (!sure && isLost(run, simulation)) return;
  const settings = specs.map(({ process }) => process);
  if (deed.what === 'stop_command') {
    if (settings.every(({ stop_command }) => stop_command === null)) throw bad(run, 'it has no stop command');
    return;
  }
  if (!settings.some(({ stop_signal }) => stop_signal === deed.signal)) {
    throw bad(run, `${deed.signal} is not its stop signal`);
  }
  if (stop === undefined && settings.every(({ stop_command }) => stop_command !== null)) {
    throw bad(run, 'a signal came before its stop command');
  }
  if (stop?.last === 'stop_command' && run.commandFailedAt === undefined && !isHindered(stop, simulation)) {
    throw bad(run, 'a signal came although its stop command did not fail');
  }
}

function checkKill(run: RunTruth, stop: Stop | undefined, simulation: Simulation): void {
  const { truth, now } = simulation;
  const since = now - (run.killedAt ?? Number.NEGATIVE_INFINITY);
  const hindered = truth.hinderedAt >= (run.killedAt ?? now);
  if (since < LEAST_BETWEEN_KILLS && !hindered) throw bad(run, `SIGKILL was repeated after ${since} ms`);
  if (isSignalMissing(run, simulation)) throw bad(run, 'its stop command failed, and no signal followed');
  if (truth.ending?.hurry === true || run.killedAt !== undefined) return;
  if (stop === undefined) throw bad(run, 'it was killed without having been asked to end');
  if (isEarly(stop, simulation))
    throw bad(run, `it was killed ${stop.earliest - now} ms before its grace was over`);
  if (isResendMissing(stop, simulation)) throw bad(run, 'its signal was refused, and was not sent again');
  checkOverdue(stop, simulation);
}

/** What is refused is tried again about each second. Milliseconds. */
const AGAIN = 2000;

/** A daemon that died may have remembered the signal, and not that it was refused. */
function isResendMissing({ run, refusedAt, leftAloneAt }: Stop, { truth, now }: Simulation): boolean {
  if (refusedAt === undefined || truth.diedAt >= refusedAt) return false;
  // A hold that ended by itself may have lasted longer than the grace.
  if (truth.intent(run.key.service).held !== undefined) return false;
  return now - Math.max(refusedAt, leftAloneAt, truth.hinderedAt, truth.writeFailedAt) > AGAIN;
}

/** A removal that could not be written down as approved is tried again this much later. Milliseconds. */
const APPROVED_AGAIN = 1000;

/** A stop command that failed is followed by the signal as soon as its daemon hears of it, if nothing hinders it. */
function isSignalMissing(run: RunTruth, { truth, now }: Simulation): boolean {
  const { key, commandFailedAt, stopAt, killedAt, end } = run;
  if (commandFailedAt === undefined || stopAt === undefined || truth.ending?.hurry === true) return false;
  // Its grace was over before the command was.
  if (killedAt !== undefined && killedAt <= commandFailedAt) return false;
  // Its file is gone and that cannot be written down: the stop waits, and its grace may be over meanwhile.
  const approvedAt = truth.inForce.has(key.service) ? commandFailedAt : truth.writeFailedAt + APPROVED_AGAIN;
  const known = now - Math.max(commandFailedAt, approvedAt) > 1000 && truth.hinderedAt < stopAt;
  return known && end === undefined;
}

function isEarly({ earliest, run }: Stop, { truth, now }: Simulation): boolean {
  // The only clock that two daemons share is the system's, and that was set forward.
  if (truth.clockForwardAt >= (run.stopAt ?? now)) return false;
  return now + SLACK < earliest;
}

/** Whoever is still there when the grace is over is killed, unless something hinders that. */
function checkOverdue(stop: Stop, simulation: Simulation): void {
  const { run, latest } = stop;
  const { now } = simulation;
  if (run.killedAt !== undefined || now <= latest + LATE || isHindered(stop, simulation)) return;
  if (isInhabited(run, simulation)) throw bad(run, `it lives ${now - latest} ms after its grace was over`);
}

function isInhabited({ key }: RunTruth, { machine }: Simulation): boolean {
  return [...(machine.place(key)?.processes ?? [])].some((process) => process.alive);
}

function isHindered(stop: Stop, { truth }: Simulation): boolean {
  // A removal that cannot be written down as approved waits, and a stop that it interrupts waits as well.
  return Math.max(truth.hinderedAt, truth.writeFailedAt, stop.leftAloneAt) >= stop.since;
}

/** What it was started with may have been lost with the state directory. */
function isLost(run: RunTruth, { truth }: Simulation): boolean {
  const lost = Math.max(truth.stateLostAt, truth.memoryLostAt, truth.writeFailedAt);
  return lost >= run.startedAt;
}

/** The grace of a run whose definition was lost. Milliseconds. */
const UNKNOWN_GRACE = 30_000;

/** A signal or a stop command begins a stop, or begins it anew: where the memory of it was lost. */
function begun(deed: Deed, run: RunTruth, before: Stop | undefined, simulation: Simulation): Stop {
  const { truth, now } = simulation;
  const { specs, sure } = truth.settingsOf(run);
  const graces = specs.map(({ process }) => process.stop_grace);
  if (!sure && isLost(run, simulation)) graces.push(UNKNOWN_GRACE);
  return {
    run,
    earliest: Math.min(before?.earliest ?? Number.POSITIVE_INFINITY, now + Math.min(...graces)),
    latest: Math.max(before?.latest ?? 0, now + Math.max(...graces)),
    since: now,
    last: deed.what,
    refusedAt: deed.what === 'signal' && simulation.stubborn ? now : undefined,
    leftAloneAt: before?.leftAloneAt ?? Number.NEGATIVE_INFINITY,
  };
}

/** What the lifecycle lines say about the way in which a run is stopped is what is done, and what was done. */
function checkTold(
  { event, service, id, fields }: Extract<Entry, { what: 'told' }>,
  simulation: Simulation,
  stops: ReadonlyMap<RunId, Stop>,
  told: Map<RunId, string>,
): void {
  if (event !== 'worker_stop_requested' && event !== 'worker_stopped') return;
  const { truth, machine, now } = simulation;
  const about = truth.runs.get(id as RunId);
  if (event === 'worker_stopped' && about !== undefined && isInhabited(about, simulation))
    throw bad(about, 'it is told to be stopped while something of it lives');
  const runs = [...truth.runs.values()].filter(
    ({ key }) =>
      key.service === service &&
      key.slot === fields['instance'] &&
      key.generation === fields['generation'] &&
      machine.place(key) !== undefined,
  );
  if (event === 'worker_stop_requested') {
    for (const { key } of runs) told.set(key.id, String(fields['signal']));
  }
  const [run] = runs;
  // Two runs in one place are told apart by nothing.
  if (run === undefined || runs.length > 1) return;
  const stop = stops.get(run.key.id);
  const timeout = String(fields['reason']).endsWith('_grace_timeout');
  const kills = event === 'worker_stop_requested' ? fields['signal'] === 'KILL' : run.killedAt !== undefined;
  const died = stop !== undefined && truth.diedAt >= stop.since;
  if (timeout && !kills && !died)
    throw bad(run, `${event} tells of a grace that was over, and nothing was killed`);
  if (stop === undefined || !kills || isHindered(stop, simulation)) return;
  // Whoever was killed in a hurry was not killed because the grace was over, however often SIGKILL is repeated.
  const killedFrom = run.killedFrom ?? now;
  if (timeout && killedFrom + SLACK < stop.earliest)
    throw bad(run, `${event} tells of a grace that was not over`);
  if (!timeout && killedFrom > stop.latest) throw bad(run, `${event} does not tell that its grace was over`);
}

function bad({ key }: RunTruth, how: string): Broken {
  return new Broken(PROMISE, `${key.service}/${key.slot}: ${how}`);
}
