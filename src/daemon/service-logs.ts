/** Which log files does a service have, and what are their last lines? */
import { basename } from 'node:path';
import type { LogFile, LogLine, LogsRequest, LogsView } from '../api/contract.ts';
import { lastLines } from '../logs/read.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import { type OpenLogFile, openLogFile } from '../world/log-files.ts';

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
