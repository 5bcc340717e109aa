/** What did each run of a scheduled service write last? */
import { lastLines } from '../logs/read.ts';
import { logPathOf } from '../model/log-path.ts';
import type { Defined } from '../model/spec.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { openLogHistory } from '../world/log-history.ts';
import { type Chapters, openChapters, partOf } from './log-chapters.ts';

export interface RunStart {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Size of the stdout log at that time; undefined: nobody noted it. */
  readonly from: number | undefined;
}

/** Lines that are shown of one run. */
const EXCERPT = 5;

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
  open?: typeof openLogHistory,
): readonly (readonly string[] | undefined)[] {
  const chapters = openChapters(logPathOf(service.spec.logs.stdout, 0), service.credentials, open);
  if (chapters === undefined) return starts.map(() => undefined);
  let end: Place = { chapter: 0, position: chapters.size(0) };
  const excerpts = starts.map(({ at, from }) => {
    if (from === undefined) return undefined;
    const start: Place = { chapter: chapters.at(at), position: from };
    const isBefore =
      start.chapter > end.chapter || (start.chapter === end.chapter && start.position <= end.position);
    // A log that is shorter than it was has been cut by somebody else.
    if (!isBefore || from > chapters.size(start.chapter)) return undefined;
    const lines = linesBetween(start, end, chapters);
    end = start;
    return lines;
  });
  chapters.close();
  return excerpts;
}

/** The last ones, of the newest file first. */
function linesBetween(start: Place, end: Place, chapters: Chapters): readonly string[] {
  let lines: readonly string[] = [];
  for (let chapter = end.chapter; chapter <= start.chapter && lines.length < EXCERPT; chapter++) {
    const file = chapters.file(chapter);
    if (file === undefined) break;
    const from = chapter === start.chapter ? start.position : 0;
    const to = chapter === end.chapter ? end.position : chapters.size(chapter);
    lines = [...lastLines(partOf(file, from, to), EXCERPT - lines.length), ...lines];
  }
  return lines;
}
