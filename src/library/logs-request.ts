/** Which lines of which logs does a program ask for? */
import type { LogsRequest } from '../api/contract.ts';
import { patternRefusal } from '../api/logs-request.ts';
import type { LogsOptions } from './client.ts';
import { ProcessmasterError } from './processmaster-error.ts';
import { listOf } from './service-names.ts';

/** Last lines of each file. */
const LINES = 100;

/** @throws ProcessmasterError with the code `invalid` */
export function logsRequest(options: LogsOptions): LogsRequest {
  const { services = [], lines = LINES, since, until, grep, stream, instance, file } = options;
  return {
    services: listOf(services),
    lines,
    ...(since === undefined ? {} : { since: timeOf('since', since) }),
    ...(until === undefined ? {} : { until: timeOf('until', until) }),
    ...(grep === undefined ? {} : { grep: patternOf(grep) }),
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

function patternOf(grep: string | RegExp): string {
  const pattern = typeof grep === 'string' ? grep : grep.source;
  const wrong = patternRefusal(pattern);
  if (wrong !== undefined) throw new ProcessmasterError('invalid', `grep: ${wrong}`);
  return pattern;
}
