/** Which log files does a service have, and what did they get? */
import type { LogFile, LogLine, LogsRequest, LogsView } from '../api/contract.ts';
import type { HistoryQuery } from '../logs/history-lines.ts';
import { lastLines } from '../logs/read.ts';
import { type LineOfLog, readHistories } from '../logs/read-histories.ts';
import { inOrder } from '../logs/rotated-order.ts';
import { type ChosenLog, chosenLogs } from '../logs/service-logs.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials, DesiredState } from '../model/spec.ts';
import { systemFiles } from '../world/files.ts';
import { lineMatcher } from '../world/line-matcher.ts';
import { type OpenLogFile, openLogFile } from '../world/log-files.ts';
import { openLogHistory } from '../world/log-history.ts';
import { unkept } from '../world/own-output.ts';
import { afterPause, nextTurn, ownUid } from '../world/turn.ts';

/** More lines of one file than this are not answered at once. */
const MOST_LINES = 10_000;

/** For one request so much is looked through in all, compressed files counted by what is in them; bytes. */
const MOST_BYTES = 64 << 20;

/** A pattern that takes longer for the lines of one block is given up: meanwhile nothing else is done. Milliseconds. */
const PATTERN_PATIENCE = 100;

const { list } = systemFiles();

/** What is shown beside other things, at once: the last lines of the active files and the newest rotated ones. */
export function readLogs(
  request: Pick<LogsRequest, 'services' | 'lines'>,
  desired: DesiredState,
  open: OpenLogFile = openLogFile,
): LogsView {
  const logs: LogLine[] = [];
  const problems: Problem[] = [];
  const chosen = chosenLogs(desired, request, { self: ownUid() });
  for (const { log, credentials } of request.lines === 0 ? [] : chosen) {
    const opened = open(log.path, credentials);
    if ('code' in opened) {
      if (!isMissing(opened)) problems.push({ ...opened, service: log.service });
      continue;
    }
    const wanted = Math.min(request.lines, MOST_LINES);
    const last = lastLines(opened, wanted);
    opened.close();
    const missing = log.stream === 'hint' ? 0 : wanted - last.length;
    const lines = missing > 0 ? [...linesBefore(log.path, credentials, missing), ...last] : last;
    for (const line of lines) logs.push({ ...log, line, time: null });
  }
  return { files: filesOf(chosen), logs, problems };
}

/** The last lines of the newest rotated file, as long as it is not compressed. */
function linesBefore(path: string, credentials: Credentials | null, count: number): readonly string[] {
  const history = openLogHistory(path, credentials);
  if (history === undefined || 'code' in history) return [];
  const look = history.look();
  const newest = 'code' in look ? undefined : inOrder(history.base, look.beside).at(-1);
  const file = newest === undefined || newest.name.endsWith('.gz') ? undefined : history.open(newest.name);
  const lines = file === undefined || 'code' in file ? [] : lastLines(file, count);
  if (file !== undefined && !('code' in file)) file.close();
  history.close();
  return lines;
}

/**
 * Back into rotated and compressed files; everybody else has a turn after each block. Of a request that would have to
 * look through too much, the last lines that were found are answered, with a problem that says so. Reads with the same
 * care against planted links as the files are written with.
 * @param mostBytes looked through in all
 */
export async function readHistory(
  request: LogsRequest,
  desired: DesiredState,
  mostBytes = MOST_BYTES,
): Promise<LogsView> {
  const { lines, since = null, until = null, grep } = request;
  const chosen = chosenLogs(desired, request, { self: ownUid(), list });
  const files = filesOf(chosen);
  if (lines === 0) return { files, logs: [], problems: [] };
  const problems: Problem[] = [];
  const complain = (message: string): void => {
    problems.push({ code: 'log-unreadable', severity: 'warning', message });
  };
  const matcher = grep === undefined ? undefined : lineMatcher(grep, PATTERN_PATIENCE);
  if (matcher !== undefined && 'refused' in matcher) {
    complain(matcher.refused);
    return { files, logs: [], problems };
  }
  const matches = matchesOf(matcher, complain);
  const query: HistoryQuery = { lines: Math.min(lines, MOST_LINES), since, until, matches, endedOnly: false };
  let left = mostBytes;
  let isFound = false;
  const found: LogLine[] = [];
  const histories = readHistories({
    logs: chosen,
    query,
    open: (path, credentials) => unkept(path) ?? openLogHistory(path, credentials),
    goOn: async (bytes) => {
      await nextTurn();
      if (isFound) return true;
      if (left > 0 && left <= bytes) {
        complain(
          `only the last ${Math.floor(mostBytes / 1024 ** 2)} MiB were looked through; pmctl logs on the host has no such limit`,
        );
      }
      left -= bytes;
      return left > 0;
    },
    found: () => {
      isFound = true;
    },
    wait: afterPause,
    tell: complain,
    unreadable: (log, why) => {
      if (why !== undefined) problems.push({ ...why, service: log.service });
      return undefined;
    },
    marked: () => {
      isFound = false;
    },
  });
  for await (const some of histories) for (const line of some) found.push(lineView(line));
  return { files, logs: found, problems };
}

function matchesOf(
  matcher: Exclude<ReturnType<typeof lineMatcher>, { refused: string }> | undefined,
  complain: (message: string) => void,
): HistoryQuery['matches'] {
  if (matcher === undefined) return null;
  let isTold = false;
  return (lines) => {
    const answer = matcher.matches(lines);
    if (answer === undefined && !isTold) {
      complain('the pattern takes too long: write it without one repetition inside another');
      isTold = true;
    }
    return answer;
  };
}

function lineView({ log, line, time }: LineOfLog): LogLine {
  return { ...log, line, time: time === null ? null : new Date(time).toISOString() };
}

function filesOf(chosen: readonly ChosenLog[]): readonly LogFile[] {
  return chosen.map(({ log }) => log);
}

/** A log that was not written yet is no problem. */
function isMissing(problem: Problem): boolean {
  return problem.message.includes('ENOENT') || problem.message.includes('no such file');
}
