/** What did a run write before it failed? Mostly it says why. */
import type { ChangeResult, LogsRequest, LogsView, WhyView } from '../api/contract.ts';
import { lastLines } from '../logs/read.ts';
import { logPathOf } from '../model/log-path.ts';
import { startOfRun } from '../model/names.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import { isUnder } from '../policy/restart.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { LogFile } from '../world/log-files.ts';
import { type Chapters, openChapters, partOf } from './log-chapters.ts';
import { tellingLines } from './telling-lines.ts';
import { iso } from './views.ts';

/** Lines that are shown of a definition that failed to take over. */
const LAST_WORDS = 8;

/** Lines of stderr that `why` shows. */
const TAIL = 10;

/** Of so much is looked for lines that tell something: as much after the start, before now and before the start. Bytes. */
const PASSAGE = 65_536;

export type StderrWords = Pick<WhyView, 'stderr_tail' | 'stderr_since'>;

/**
 * Of the run that failed only: what was written since it was started. Where the older runs write to the same file at the
 * same time, nobody can tell whose line it is. Nothing when the process was never there: then the reason says it all.
 */
export function lastWords(
  outcome: Pick<ChangeResult, 'result' | 'kept'>,
  situation: () => Situation,
): { readonly log?: readonly string[] } {
  if (outcome.result !== 'failed') return {};
  const now = situation();
  const { desired, memory, observed } = now;
  if (desired?.kind !== 'defined') return {};
  // Where the failure is accepted, what ran before is on its way down still.
  const isRejected = outcome.kept === true || memory.rejected?.digest === desired.digest;
  const failed = isRejected ? failedRun({ memory, observed }) : crashedRun(now, desired);
  if (failed === undefined || failed === 'unknown') return {};
  const { lines, before } = wordsSince(failed, desired, ['stdout', 'stderr']);
  const log = tellingLines(lines, before, LAST_WORDS);
  return log.length === 0 ? {} : { log };
}

/**
 * The last lines of stderr. When nothing runs, only those of the run that ended last: one before it would explain
 * nothing. When a newer definition failed, those that were written since it was started.
 */
export function stderrWords(
  situation: Situation,
  state: DesiredState,
  readLogs: (request: LogsRequest, desired: DesiredState) => LogsView,
): StderrWords {
  const { desired, memory, observed } = situation;
  if (observed.kind === 'seen' && desired?.kind === 'defined') {
    const runs = observed.runs.some(({ main }) => main.is === 'running');
    const isRejected = memory.rejected !== null && runs;
    const rejected = isRejected ? memory.rejected : null;
    const failed = runs && !isRejected ? 'unknown' : failedRun({ memory: { ...memory, rejected }, observed });
    if (failed === undefined) return { stderr_tail: [] };
    if (failed !== 'unknown') {
      const { lines, before } = wordsSince(failed, desired, ['stderr']);
      if (!isRejected) return { stderr_tail: lines.slice(-TAIL) };
      return { stderr_tail: tellingLines(lines, before, TAIL), stderr_since: iso(failed.at) };
    }
  }
  const { logs } = readLogs({ services: [situation.name], lines: TAIL }, state);
  return { stderr_tail: logs.filter(({ stream }) => stream === 'stderr').map(({ line }) => line) };
}

interface FailedRun {
  readonly slot: number;
  /** When it was started; milliseconds since 1970. */
  readonly at: number;
  /** Sizes of its logs at that time; bytes. */
  readonly logFrom: number;
  readonly errFrom: number;
}

/** undefined: it was never there. `unknown`: nobody noted where its lines begin, or nothing ended yet. */
function failedRun({
  memory,
  observed,
}: Pick<Situation, 'memory' | 'observed'>): FailedRun | 'unknown' | undefined {
  const { rejected, runs } = memory;
  if (rejected?.run != null) {
    // Its end may not be noted yet.
    const slot =
      observed.kind === 'seen'
        ? observed.runs.find(({ key }) => key.id === rejected.run)?.key.slot
        : undefined;
    const { logFrom, errFrom = null } = runs[rejected.run] ?? {};
    if (slot !== undefined && logFrom !== undefined && errFrom !== null) {
      return { slot, at: startOfRun(rejected.run), logFrom, errFrom };
    }
  }
  const exits = Object.entries(memory.slots)
    .flatMap(([slot, { exits }]) => exits.map((exit) => ({ slot: Number(slot), exit })))
    .sort((a, b) => b.exit.at - a.exit.at);
  const last = exits.find(({ exit }) => rejected === null || exit.run === rejected.run);
  if (last === undefined) return 'unknown';
  const { outcome, at, uptime, run, logFrom, errFrom } = last.exit;
  if (logFrom !== undefined && errFrom !== undefined) {
    return { slot: last.slot, at: run === null ? at - uptime : startOfRun(run), logFrom, errFrom };
  }
  return outcome.kind === 'not_started' ? undefined : 'unknown';
}

/** Of a definition that has taken over, and of which nothing runs now: the run that failed last. */
function crashedRun({ memory, observed }: Situation, desired: Defined): FailedRun | undefined {
  if (observed.kind === 'unseen' || observed.runs.some(({ main }) => main.is === 'running')) return undefined;
  const slots = Object.entries(memory.slots).flatMap(([place, slot]) => {
    const { end, next, exits } = slot;
    const isOfIt = (end?.kind === 'failed' && isUnder(end, desired)) || next?.digest === desired.digest;
    return isOfIt ? [[place, { ...slot, exits: exits.filter(({ by }) => by !== 'stop') }] as const] : [];
  });
  const failed = failedRun({
    memory: { ...memory, rejected: null, slots: Object.fromEntries(slots) },
    observed,
  });
  return failed === 'unknown' ? undefined : failed;
}

interface Passages {
  /** Written since the run was started, and up to then; of much, the beginning and the end. */
  readonly lines: readonly string[];
  readonly before: readonly string[];
}

function wordsSince(
  failed: FailedRun,
  { spec: { logs }, credentials }: Defined,
  streams: readonly ('stdout' | 'stderr')[],
): Passages {
  const from = { stdout: failed.logFrom, stderr: failed.errFrom };
  const places = new Map(streams.map((stream) => [logPathOf(logs[stream], failed.slot), from[stream]]));
  const passages = [...places].flatMap(([path, start]) => {
    const chapters = openChapters(path, credentials);
    if (chapters === undefined) return [];
    try {
      return [passagesOf(chapters, chapters.at(failed.at), start)];
    } finally {
      chapters.close();
    }
  });
  return {
    lines: passages.flatMap(({ lines }) => lines),
    before: passages.flatMap(({ before }) => before),
  };
}

function passagesOf(chapters: Chapters, first: number, start: number): Passages {
  const file = chapters.file(first);
  // A log that is shorter than it was has been cut by somebody else.
  if (file === undefined || start > chapters.size(first)) return { lines: [], before: [] };
  const lines: string[] = [];
  for (let chapter = first; chapter >= 0; chapter--) {
    const part = chapters.file(chapter);
    if (part !== undefined)
      lines.push(...endsOf(part, chapter === first ? start : 0, chapters.size(chapter)));
  }
  return { lines, before: linesOf(file, Math.max(0, start - PASSAGE), start) };
}

/** What is between is left out with the lines that are cut by that. */
function endsOf(file: LogFile, from: number, to: number): readonly string[] {
  if (to - from <= 2 * PASSAGE) return linesOf(file, from, to);
  const [first, last] = [linesOf(file, from, from + PASSAGE), linesOf(file, to - PASSAGE, to)];
  return [...first.slice(0, -1), ...last.slice(1)];
}

function linesOf(file: LogFile, from: number, to: number): readonly string[] {
  return lastLines(partOf(file, from, to), to - from);
}
