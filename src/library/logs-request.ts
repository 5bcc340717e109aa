/** Which lines of which logs does a program ask for? */
import type { LogsRequest } from '../api/contract.ts';
import type { LogsOptions } from './client.ts';
import { ProcessmasterError } from './processmaster-error.ts';
import { listOf } from './service-names.ts';

/** Last lines of each file. */
const LINES = 100;

export function logsRequest(options: LogsOptions): LogsRequest {
  const { services = [], lines = LINES, since, until, grep, stream, instance, file } = options;
  return {
    services: listOf(services),
    lines,
    ...(since === undefined ? {} : { since: timeOf('since', since) }),
    ...(until === undefined ? {} : { until: timeOf('until', until) }),
    ...(grep === undefined ? {} : { grep: typeof grep === 'string' ? grep : grep.source }),
    ...(stream === undefined ? {} : { stream }),
    ...(instance === undefined ? {} : { instance }),
    ...(file === undefined ? {} : { file }),
  };
}

function timeOf(word: string, date: Date): number {
  const time = date.getTime();
  if (Number.isNaN(time)) throw new ProcessmasterError('invalid', `${word}: this date is no time`);
  return time;
}
