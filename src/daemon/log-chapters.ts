/** In which file of the history of a log, and where in it, is what was written since some time? */
import { inOrder } from '../logs/rotated-order.ts';
import type { Credentials } from '../model/spec.ts';
import type { LogFile } from '../world/log-files.ts';
import { type LogHistory, openLogHistory } from '../world/log-history.ts';
import { isFailure } from '../world/world.ts';

/** The files of one log, each opened once. Of chapters, 0 is the active file, 1 the newest rotated one. */
export interface Chapters {
  /** The one that was the active file at that time; milliseconds since 1970. -1: it is gone. */
  at(time: number): number;
  /** undefined: it is compressed or gone. */
  file(chapter: number): LogFile | undefined;
  /** Bytes; -1 where there is no file. */
  size(chapter: number): number;
  close(): void;
}

/** One file of the history of the log, which got its first line after `began`. */
interface Chapter {
  readonly name: string;
  readonly began: number;
}

/** @returns undefined when the log cannot be read, or was never written */
export function openChapters(
  path: string,
  credentials: Credentials | null,
  open: typeof openLogHistory = openLogHistory,
): Chapters | undefined {
  const history = open(path, credentials);
  if (history === undefined || 'code' in history) return undefined;
  const chapters = chaptersOf(history);
  if (chapters === undefined) {
    history.close();
    return undefined;
  }
  const files = new Map<number, LogFile | undefined>();
  const file = (chapter: number): LogFile | undefined => {
    if (!files.has(chapter)) files.set(chapter, opened(history, chapters[chapter]));
    return files.get(chapter);
  };
  return {
    at: (time) => chapters.findIndex(({ began }) => time >= began),
    file,
    size: (chapter) => {
      const size = file(chapter)?.size() ?? -1;
      return isFailure(size) ? -1 : size;
    },
    close: () => {
      for (const each of files.values()) each?.close();
      history.close();
    },
  };
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

/** The bytes from `from` to `to` as a file of their own. */
export function partOf(file: LogFile, from: number, to: number): LogFile {
  return {
    ...file,
    size: () => to - from,
    read: (at, length) => file.read(from + at, Math.min(length, to - from - at)),
  };
}
