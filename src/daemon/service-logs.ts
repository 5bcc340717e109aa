/** Which log files does a service have, and what are their last lines? */
import { basename } from 'node:path';
import type { LogFile, LogLine, LogsRequest, LogsView } from '../api/contract.ts';
import { lastLines } from '../logs/read.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import { type OpenLogFile, openLogFile } from '../world/log-files.ts';
import { isFailure } from '../world/world.ts';

/** More lines of one file than this are not answered at once. */
const MOST_LINES = 10_000;

/** Reads with the same care against planted links as the files are written with. */
export function readLogs(
  request: LogsRequest,
  desired: DesiredState,
  open: OpenLogFile = openLogFile,
): LogsView {
  const logs: LogLine[] = [];
  const problems: Problem[] = [];
  const files: LogFile[] = [];
  const shown = new Set<string>();
  for (const { file, service } of filesOf(request, desired)) {
    // Several services may share a file.
    if (shown.has(file.path)) continue;
    shown.add(file.path);
    files.push(file);
    if (request.lines === 0) continue;
    const opened = open(file.path, service.credentials);
    if ('code' in opened) {
      if (!isMissing(opened)) problems.push({ ...opened, service: service.name });
      continue;
    }
    for (const line of lastLines(opened, Math.min(request.lines, MOST_LINES))) logs.push({ ...file, line });
    opened.close();
  }
  return { files, logs, problems };
}

/** Lines that are shown of one run of a schedule. */
const EXCERPT = 5;

/**
 * What each run of a scheduled service wrote to its stdout log, the last lines of it; undefined where nobody knows.
 * @param starts size of the log at the start of each run, newest first
 */
export function readExcerpts(
  service: Defined,
  starts: readonly (number | undefined)[],
  open: OpenLogFile = openLogFile,
): readonly (readonly string[] | undefined)[] {
  const file = open(service.spec.logs.stdout, service.credentials);
  if ('code' in file) return starts.map(() => undefined);
  const size = file.size();
  let end = isFailure(size) ? 0 : size;
  const excerpts = starts.map((from) => {
    // A log that is shorter than it was has been rotated since.
    if (from === undefined || from > end) return undefined;
    const part = {
      ...file,
      size: () => to - from,
      read: (at: number, length: number) => file.read(from + at, length),
    };
    const to = end;
    end = from;
    return lastLines(part, EXCERPT);
  });
  file.close();
  return excerpts;
}

function filesOf(
  request: LogsRequest,
  desired: DesiredState,
): readonly { readonly file: LogFile; readonly service: Defined }[] {
  const wanted = request.services.length === 0 ? undefined : new Set(request.services);
  return [...desired.services.values()].flatMap((service) => {
    if (service.kind !== 'defined' || wanted?.has(service.name) === false) return [];
    const { stdout, stderr, hints } = service.spec.logs;
    const files: LogFile[] = [
      { service: service.name, stream: 'stdout', path: stdout },
      { service: service.name, stream: 'stderr', path: stderr },
      ...hints.map((path): LogFile => ({ service: service.name, stream: 'hint', path })),
    ];
    return files
      .filter((file) => request.file === undefined || basename(file.path) === request.file)
      .map((file) => ({ file, service }));
  });
}

/** A log that was not written yet is no problem. */
function isMissing(problem: Problem): boolean {
  return problem.message.includes('ENOENT') || problem.message.includes('no such file');
}
