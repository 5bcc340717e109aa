/** Which lines did a log get, back into its rotated and compressed files? */
import { timeOfLine } from '../model/line-time.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { type LogHistory, openLogHistory } from '../world/log-history.ts';
import {
  type FittingLine,
  type HistoryLine,
  type HistoryQuery,
  MARGIN,
  sift,
  type TimedPart,
} from './history-lines.ts';
import { type Manners, partsOf } from './history-parts.ts';
import { takeSnapshot } from './history-snapshot.ts';
import { type Start, startOf } from './history-start.ts';
import { LineCutter } from './line-cutter.ts';
import type { Mark } from './log-position.ts';

export type OpenLogHistory = (
  path: string,
  credentials: Credentials | null,
) => LogHistory | undefined | Problem;

export interface HistoryInput extends Manners {
  readonly path: string;
  readonly credentials: Credentials | null;
  /** False: a file that is not ours to rotate, so nothing beside it is a part of it. */
  readonly isRotated: boolean;
  readonly open?: OpenLogHistory;
  /** Times were asked for, and a file that is read tells none: its lines count as written when it was last changed. */
  readonly timeless: () => void;
}

export interface History {
  /** After the last line that is ended: whoever follows the log goes on there. */
  readonly mark: Mark;
  /** Some at a time, in the order of the files. To be called once; closes everything in the end. */
  lines(query: HistoryQuery): AsyncGenerator<readonly HistoryLine[], void>;
  /** For those who ask for no lines. */
  close(): void;
}

/**
 * The log as it is now; what it gets later is no part of it, and nothing is twice or missing because it is rotated
 * while it is read. The end of a large file costs no more than that of a small one.
 * @returns undefined: its directory is not there; `log-unsafe` or `log-unreadable`
 */
export async function openHistory(input: HistoryInput): Promise<History | undefined | Problem> {
  const { path, credentials, isRotated, open = openLogHistory } = input;
  const opened = open(path, credentials);
  if (opened === undefined || 'code' in opened) return opened;
  const history = isRotated ? opened : alone(opened);
  const snapshot = await takeSnapshot(history, input.wait);
  if ('code' in snapshot) {
    history.close();
    return snapshot;
  }
  let isSpent = false;
  const goOn: Manners['goOn'] = async (bytes) => {
    if (!isSpent) isSpent = !(await input.goOn(bytes));
    return !isSpent;
  };
  const parts = partsOf(history, snapshot, { ...input, goOn });
  const close = (): void => {
    for (const part of parts) part.close();
    history.close();
  };
  if (parts.length === 0) {
    close();
    return { mark: snapshot.mark, lines: async function* () {}, close: () => {} };
  }
  return {
    mark: snapshot.mark,
    lines: async function* (query) {
      try {
        const start = await startOf(parts, query, () => isSpent);
        if (start === undefined) return;
        isSpent = false;
        input.found?.();
        // What is empty has nothing that could be counted wrongly.
        if (start.parts.some((part) => part.isTimeless && part.size !== 0)) input.timeless();
        for await (const lines of read(start, query)) if (lines.length > 0) yield lines;
      } finally {
        close();
      }
    },
    close,
  };
}

async function* read(
  { parts, offset, skip, carry }: Start,
  query: HistoryQuery,
): AsyncGenerator<readonly HistoryLine[], void> {
  const cutter = new LineCutter();
  let [time, left] = [carry, skip];
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part.isTimeless) time = part.modified;
    const take = (lines: readonly string[]) => {
      const sifted = sift(lines, query, part, time);
      if (sifted === undefined) return undefined;
      time = sifted.carry;
      const fitting = sifted.fitting.slice(left);
      left -= sifted.fitting.length - fitting.length;
      return { ...sifted, fitting: fitting.map((each) => withTime(each, part)) };
    };
    for await (const chunk of part.chunks(index === 0 ? offset : 0)) {
      const taken = take(cutter.add(chunk));
      if (taken === undefined) return;
      yield taken.fitting;
      // Nothing after it can fit.
      if (query.until !== null && !part.isTimeless && (taken.earliest ?? 0) > query.until + MARGIN) return;
    }
    // A line that is not ended goes on in the next file, if there is one.
    if (isLast && !query.endedOnly) yield take(cutter.rest())?.fitting ?? [];
  }
}

function withTime({ line, time }: FittingLine, { modified }: TimedPart): HistoryLine {
  return { line, time: time === undefined ? timeOfLine(line, { reference: modified }) : time };
}

/** The log without what lies beside it. */
function alone(history: LogHistory): LogHistory {
  const look: LogHistory['look'] = () => {
    const found = history.look();
    return 'code' in found ? found : { ...found, beside: [], rotating: [] };
  };
  return { ...history, look };
}
