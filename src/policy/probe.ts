/** Is a run well, and when is it asked again? */
import {
  NO_PROBE,
  type ProbeKind,
  type ProbeMemory,
  type ProbeResult,
  type ProbeSpec,
} from '../model/probe.ts';
import { count } from '../model/units.ts';

/** Of an interval. Nobody sees a hundredth. */
const EARLY_SHARE = 0.01;

/** However long the interval: hundreds of probes are not to be asked all at once. Milliseconds. */
const EARLIEST = 100;

/** One probe of one run, with what is remembered about it; {@link NO_PROBE} at the start of the run. */
export interface Probe {
  readonly spec: ProbeSpec;
  readonly memory: ProbeMemory;
}

/** The probes that the definition has. */
export type Probes = Readonly<Partial<Record<ProbeKind, Probe>>>;

export interface Health {
  /** Other services may rely on the run. */
  readonly ready: boolean;
  /** `dead`: it is to be replaced. */
  readonly live: 'alive' | 'dead';
  /** `failed`: it is to be replaced. */
  readonly started: 'pending' | 'passed' | 'failed';
  /** One sentence without a full stop, about the worst of the three. */
  readonly because: string;
}

/**
 * The verdict over all probes. Before startup has passed a run is not ready, and counts as alive: the startup probe is
 * what may end it. Without a startup probe a run has started at once; without a readiness probe it is ready once it
 * has started.
 */
export function healthOf(probes: Probes): Health {
  const { startup, readiness, liveness } = probes;
  const started = startedOf(startup);
  if (startup !== undefined && started !== 'passed') {
    return { ready: false, live: 'alive', started, because: told('startup', startup, started === 'pending') };
  }
  if (liveness !== undefined && hasFailed(liveness)) {
    return { ready: false, live: 'dead', started, because: told('liveness', liveness, false) };
  }
  if (readiness === undefined) {
    const because = startup === undefined ? 'no readiness probe' : 'startup passed';
    return { ready: true, live: 'alive', started, because };
  }
  const ready = readiness.memory.passed !== null;
  return { ready, live: 'alive', started, because: told('readiness', readiness, !hasFailed(readiness)) };
}

/** What there is to do for one probe. */
export type ProbeAnswer =
  | { readonly say: 'now' }
  /** Until then; from `from` on where somebody else is looked at anyway. Milliseconds since 1970. */
  | { readonly say: 'wait'; readonly until: number; readonly from: number }
  /** The end of something else comes first: the probe in flight, or the startup probe. */
  | { readonly say: 'later' }
  /** It has said all that it was to say. */
  | { readonly say: 'never' };

export interface ProbeMoment {
  /** When the run was started; milliseconds since 1970, as `now`. */
  readonly startedAt: number;
  readonly now: number;
  /** A probe of this kind has begun, and not ended. */
  readonly inFlight: boolean;
}

/**
 * Is the probe to be asked? First `initial_delay` after the start of the run, then an interval after the begin of the
 * one before, or earlier by what {@link earlyBy} allows; never two at a time. The moments of many services are about as
 * far apart as their starts.
 */
export function nextProbe(kind: ProbeKind, probes: Probes, moment: ProbeMoment): ProbeAnswer {
  const probe = probes[kind];
  if (probe === undefined) return { say: 'never' };
  const started = startedOf(probes.startup);
  if (kind === 'startup' ? started !== 'pending' : started === 'failed') return { say: 'never' };
  if (moment.inFlight || (kind !== 'startup' && started === 'pending')) return { say: 'later' };
  const { spec, memory } = probe;
  const { startedAt, now } = moment;
  const { asked } = memory;
  const begun = asked ?? startedAt;
  const until = begun + (asked === null ? spec.initial_delay : spec.interval);
  const from = asked === null ? until : until - earlyBy(spec);
  // A wait that begins in the future: the clock was set back between two daemons. It must not become longer by that.
  return from <= now || now < begun ? { say: 'now' } : { say: 'wait', until, from };
}

/**
 * How much earlier than after its interval a probe may be asked, so that the probes of many services are asked
 * together: each time that an idle program has to wake costs it more than half of a probe. Milliseconds.
 */
export function earlyBy({ interval }: ProbeSpec): number {
  return Math.min(interval * EARLY_SHARE, EARLIEST);
}

/** A probe begins at `at`. */
export function askedProbe(memory: ProbeMemory, at: number): ProbeMemory {
  return { ...memory, asked: at };
}

/** A probe ended at `at`; milliseconds since 1970. */
export function afterProbe(
  memory: ProbeMemory,
  spec: ProbeSpec,
  result: ProbeResult,
  at: number,
): ProbeMemory {
  const { ok, detail } = result;
  const last = { ok, detail, at };
  const { total } = memory;
  if (ok) {
    const successes = memory.successes + 1;
    const passed = memory.passed ?? (successes >= spec.success_threshold ? at : null);
    return { ...memory, last, successes, failures: 0, passed, total: { ...total, ok: total.ok + 1 } };
  }
  const failures = memory.failures + 1;
  const passed = failures >= spec.failure_threshold ? null : memory.passed;
  return { ...memory, last, successes: 0, failures, passed, total: { ...total, failed: total.failed + 1 } };
}

/**
 * What a new daemon takes over about a run that it did not start: a run must never be replaced because of what the
 * daemon missed or forgot.
 * - Every count in a row begins anew: nobody watched in between.
 * - `readiness`: not ready before a probe says so again, and that is asked soon.
 * - `startup`: passed remains passed; what was still pending goes on. Nothing remembered counts as passed: the run
 *   may have said long ago what is waited for.
 * - `liveness`: alive until as many failures in a row as it takes.
 * @param memory undefined when nothing is remembered
 */
export function adoptedProbe(kind: ProbeKind, memory: ProbeMemory | undefined, now: number): ProbeMemory {
  const fresh = { ...(memory ?? NO_PROBE), successes: 0, failures: 0 };
  if (kind === 'liveness') return { ...fresh, passed: null };
  if (kind === 'readiness') return { ...fresh, passed: null, asked: null };
  return memory === undefined ? { ...fresh, passed: now } : fresh;
}

function startedOf(startup: Probe | undefined): Health['started'] {
  if (startup === undefined || startup.memory.passed !== null) return 'passed';
  return hasFailed(startup) ? 'failed' : 'pending';
}

/** Never at the start, nor after an adoption. */
function hasFailed({ spec, memory }: Probe): boolean {
  return memory.failures >= spec.failure_threshold;
}

/** `readiness failed 3 times in a row: connection refused (ECONNREFUSED)`. */
function told(kind: ProbeKind, { spec, memory }: Probe, open: boolean): string {
  const { last, successes, failures, passed } = memory;
  const said = last === null ? '' : `: ${last.detail}`;
  if (failures > 0) {
    const limit = open ? ` (of ${spec.failure_threshold})` : '';
    return `${kind} failed ${count(failures, 'time')} in a row${limit}${said}`;
  }
  if (passed !== null) return `${kind} passed${said}`;
  if (successes > 0) return `${kind} succeeded ${successes} of ${spec.success_threshold} times${said}`;
  return `${kind} has not answered yet`;
}
