/** What did each run of a scheduled service write last? */
import { lastLines } from '../logs/read.ts';
import { inOrder } from '../logs/rotated-order.ts';
import { logPathOf } from '../model/log-path.ts';
import type { Defined } from '../model/spec.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { LogFile } from '../world/log-files.ts';
import { type LogHistory, openLogHistory } from '../world/log-history.ts';
import { isFailure } from '../world/world.ts';

export interface RunStart {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Size of the stdout log at that time; undefined: nobody noted it. */
  readonly from: number | undefined;
}

/** Lines that are shown of one run. */
const EXCERPT = 5;

/** One file of the history of the log, which got its first line after `began`. */
interface Chapter {
  readonly name: string;
  readonly began: number;
}

interface Place {
  /** 0 is the active file, 1 the newest rotated one. */
  readonly chapter: number;
  readonly position: number;
}

/** A scheduled service has one place: its exits are in the order of its runs. Nothing for other services. */
export function excerptsOf({ desired, memory }: Situation): readonly (readonly string[] | undefined)[] {
  if (desired?.kind !== 'defined' || desired.spec.process.schedule === null) return [];
  const exits = memory.slots[0]?.exits ?? [];
  return readExcerpts(
    desired,
    exits.map(({ at, uptime, logFrom }) => ({ at: at - uptime, from: logFrom })),
  );
}

/**
 * The last lines of each run; undefined where nobody knows: its beginning was not noted, or the file that has it is
 * compressed or gone.
 * @param starts newest first
 */
export function readExcerpts(
  service: Defined,
  starts: readonly RunStart[],
  open: typeof openLogHistory = openLogHistory,
): readonly (readonly string[] | undefined)[] {
  const history = open(logPathOf(service.spec.logs.stdout, 0), service.credentials);
  const chapters = history === undefined || 'code' in history ? undefined : chaptersOf(history);
  if (history === undefined || 'code' in history || chapters === undefined)
    return starts.map(() => undefined);
  const files = new Map<number, LogFile | undefined>();
  const fileOf = (chapter: number): LogFile | undefined => {
    if (!files.has(chapter)) files.set(chapter, opened(history, chapters[chapter]));
    return files.get(chapter);
  };
  let end: Place = { chapter: 0, position: sizeOf(fileOf(0)) };
  const excerpts = starts.map(({ at, from }) => {
    if (from === undefined) return undefined;
    const start: Place = { chapter: chapters.findIndex(({ began }) => at >= began), position: from };
    const isBefore =
      start.chapter > end.chapter || (start.chapter === end.chapter && start.position <= end.position);
    // A log that is shorter than it was has been cut by somebody else.
    if (!isBefore || from > sizeOf(fileOf(start.chapter))) return undefined;
    const lines = linesBetween(start, end, fileOf);
    end = start;
    return lines;
  });
  for (const file of files.values()) file?.close();
  history.close();
  return excerpts;
}

/** Newest first. A file was last changed when it was rotated. */
function chaptersOf(history: LogHistory): readonly Chapter[] | undefined {
  const look = history.look();
  if ('code' in look || look.active === undefined) return undefined;
  const rotated = [...inOrder(history.base, look.beside)].reverse();
  const names = [history.base, ...rotated.map(({ name }) => name)];
  return names.map((name, index) => ({ name, began: rotated[index]?.modified ?? Number.NEGATIVE_INFINITY }));
}

function opened(history: LogHistory, chapter: Chapter | undefined): LogFile | undefined {
  if (chapter === undefined || chapter.name.endsWith('.gz')) return undefined;
  const file = history.open(chapter.name);
  return file === undefined || 'code' in file ? undefined : file;
}

function sizeOf(file: LogFile | undefined): number {
  const size = file?.size() ?? -1;
  return isFailure(size) ? -1 : size;
}

/** The last ones, of the newest file first. */
function linesBetween(
  start: Place,
  end: Place,
  fileOf: (chapter: number) => LogFile | undefined,
): readonly string[] {
  let lines: readonly string[] = [];
  for (let chapter = end.chapter; chapter <= start.chapter && lines.length < EXCERPT; chapter++) {
    const file = fileOf(chapter);
    if (file === undefined) break;
    const from = chapter === start.chapter ? start.position : 0;
    const to = chapter === end.chapter ? end.position : sizeOf(file);
    const part: LogFile = {
      ...file,
      size: () => to - from,
      read: (at, length) => file.read(from + at, Math.min(length, to - from - at)),
    };
    lines = [...lastLines(part, EXCERPT - lines.length), ...lines];
  }
  return lines;
}
