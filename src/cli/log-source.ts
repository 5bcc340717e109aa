/** Who tells which log files there are: the daemon, or without one the configuration itself? */
import type { LogsRequest, LogsView } from '../api/contract.ts';
import { safeText } from '../model/terminal-safe.ts';
import type { Call } from './call.ts';
import type { Daemon } from './daemon.ts';
import { isRefusal, type Refusal } from './refusal.ts';

export interface LogSource {
  /** Of all services. */
  names(): Promise<readonly string[] | Refusal>;
  /** The files; lines only where a daemon is. */
  logs(request: LogsRequest): Promise<LogsView | Refusal>;
  /** The daemon alone. */
  ask(request: LogsRequest): Promise<LogsView | Refusal>;
}

/** What the files of the configuration say. */
export interface LogsByFiles {
  readonly names: readonly string[];
  logs(request: LogsRequest): LogsView;
}

/** The first question decides: while a daemon that was there is away, nobody else is asked. */
export function logSource(call: Call, daemon: Daemon): LogSource {
  let isDaemonKnown = false;
  let files: LogsByFiles | undefined;
  const either = async <View>(
    question: () => Promise<View | Refusal>,
    instead: (files: LogsByFiles) => View,
  ): Promise<View | Refusal> => {
    const answer = await question();
    if (!isRefusal(answer)) {
      isDaemonKnown = true;
      return answer;
    }
    if (isDaemonKnown || answer.refused.exit !== 'noDaemon') return answer;
    const { logsByFiles } = await import('./logs-by-files.ts');
    if (files === undefined) {
      const found = logsByFiles(call, daemon.socket);
      if (found === undefined) return answer;
      files = found;
      call.terminal.complain(`pmctl: no daemon at ${safeText(daemon.socket)}; read from the files\n`);
    }
    return instead(files);
  };
  return {
    names: () =>
      either(
        async () => {
          const status = await daemon.status();
          return isRefusal(status) ? status : status.services.map(({ name }) => name);
        },
        ({ names }) => names,
      ),
    logs: (request) =>
      either(
        () => daemon.logs(request),
        (found) => found.logs(request),
      ),
    ask: (request) => daemon.logs(request),
  };
}
