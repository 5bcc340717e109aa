/** Which logs are not read by a program that only shows them, although it could open their paths? */
import type { Problem } from '../model/problem.ts';
import { isWrittenTo } from '../world/own-output.ts';
import { isOfProcess } from '../world/process-path.ts';

/**
 * Why the log at this path is not opened here; undefined: it can be. The daemon may have its lines.
 * @param output the descriptor that lines are shown on; null: none
 */
export function whyElsewhere(path: string, output: number | null): Problem | undefined {
  if (isOfProcess(path)) {
    return unreadable(`${path} is that of the manager: what is written there is seen where it was started`);
  }
  // What is shown would be written there, and shown again.
  return output !== null && isWrittenTo(path, output)
    ? unreadable(`${path} is where this output goes: it is not read meanwhile`)
    : undefined;
}

/**
 * The logs that can be opened here.
 * @param tell why the others are left out
 */
export function logsHere<Log extends { readonly service: string; readonly path: string }>(
  logs: readonly Log[],
  output: number | null,
  tell: (problem: Problem, log: Log) => void = () => undefined,
): readonly Log[] {
  return logs.filter((log) => {
    const why = whyElsewhere(log.path, output);
    if (why !== undefined) tell(why, log);
    return why === undefined;
  });
}

function unreadable(message: string): Problem {
  return { code: 'log-unreadable', severity: 'warning', message };
}
