/** What did several logs get, together? */
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { type History, type OpenLogHistory, openHistory } from './history.ts';
import type { HistoryLine, HistoryQuery } from './history-lines.ts';
import { mergedByTime } from './history-merge.ts';
import type { Manners } from './history-parts.ts';
import type { Mark } from './log-position.ts';
import type { ServiceLog } from './service-logs.ts';

export interface LineOfLog extends HistoryLine {
  readonly log: ServiceLog;
}

export interface HistoriesInput extends Manners {
  readonly logs: readonly { readonly log: ServiceLog; readonly credentials: Credentials | null }[];
  readonly query: HistoryQuery;
  readonly open?: OpenLogHistory;
  /** `undefined`: not even its directory is there. Answers the lines of this log if somebody else can read it. */
  readonly unreadable: (
    log: ServiceLog,
    why: Problem | undefined,
  ) => AsyncIterable<readonly LineOfLog[]> | undefined;
  /** Where each log was at its end. */
  readonly marked?: (log: ServiceLog, mark: Mark) => void;
}

/** Up to so many lines of each log are kept in memory, and only one log is open at a time. */
const KEPT = 10_000;

/** So many logs that have the same trouble are named. */
const NAMED = 4;

/** Some lines at a time, in order of time where lines have one; see mergedByTime. */
export async function* readHistories(input: HistoriesInput): AsyncGenerator<readonly LineOfLog[], void> {
  const { logs, query } = input;
  const sources: AsyncIterable<readonly LineOfLog[]>[] = [];
  const isKept = query.lines !== null && query.lines <= KEPT && logs.length > 1;
  const timeless: string[] = [];
  for (const { log, credentials } of logs) {
    const history = await openHistory({
      ...{ ...input, path: log.path, credentials, isRotated: log.stream !== 'hint' },
      timeless: () => timeless.push(log.path),
    });
    if (history === undefined || 'code' in history) {
      const elsewhere = input.unreadable(log, history);
      if (elsewhere !== undefined) sources.push(elsewhere);
      continue;
    }
    input.marked?.(log, history.mark);
    const lines = labelled(history, log, query);
    sources.push(isKept ? await kept(lines) : lines);
  }
  for await (const lines of mergedByTime(sources)) {
    // All of them were begun to be read before the first line is known.
    tellTimeless(timeless.splice(0), input.tell);
    yield lines;
  }
  tellTimeless(timeless, input.tell);
}

/** One sentence, however many there are. */
function tellTimeless(paths: readonly string[], tell: Manners['tell']): void {
  const [first] = paths;
  if (first === undefined) return;
  const others = paths.length - NAMED;
  const names = [...paths.slice(0, NAMED), ...(others > 0 ? [`${others} more`] : [])];
  tell(
    paths.length === 1
      ? `${first} does not tell the times of its lines: they count as written when the file was last changed`
      : `${paths.length} logs do not tell the times of their lines, which count as written when each file was last changed: ${names.join(', ')}`,
  );
}

async function* labelled(
  history: History,
  log: ServiceLog,
  query: HistoryQuery,
): AsyncGenerator<readonly LineOfLog[], void> {
  for await (const lines of history.lines(query)) yield lines.map((line) => ({ ...line, log }));
}

async function kept(
  lines: AsyncIterable<readonly LineOfLog[]>,
): Promise<AsyncIterable<readonly LineOfLog[]>> {
  const all: LineOfLog[] = [];
  for await (const some of lines) for (const line of some) all.push(line);
  return only(all);
}

/** Lines that are there already. */
async function* only(lines: readonly LineOfLog[]): AsyncGenerator<readonly LineOfLog[], void> {
  yield lines;
}
