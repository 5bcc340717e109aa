/** What did a newer definition write before it failed? Mostly it says why. */
import type { ChangeResult, LogsRequest, LogsView } from '../api/contract.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';

/** Lines that are shown of a definition that failed to take over. */
const LAST_WORDS = 8;

/** Nothing for an outcome after which nothing older goes on. */
export function lastWords(
  service: ServiceName,
  outcome: Pick<ChangeResult, 'result' | 'kept'>,
  desired: DesiredState,
  readLogs: (request: LogsRequest, desired: DesiredState) => LogsView,
): { readonly log?: readonly string[] } {
  if (outcome.kept !== true) return {};
  const { logs } = readLogs({ services: [service], lines: LAST_WORDS }, desired);
  return { log: logs.slice(-LAST_WORDS).map(({ line }) => line) };
}
