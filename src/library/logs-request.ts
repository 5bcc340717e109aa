/** Which lines of which logs does a program ask for? */
import type { LogsRequest } from '../api/contract.ts';
import type { LogsOptions } from './client.ts';

/** Last lines of each file. */
const LINES = 100;

export function logsRequest(options: LogsOptions): LogsRequest {
  const { services = [], lines = LINES, since, until, grep, stream, instance, file } = options;
  return {
    services: typeof services === 'string' ? [services] : services,
    lines,
    ...(since === undefined ? {} : { since: since.getTime() }),
    ...(until === undefined ? {} : { until: until.getTime() }),
    ...(grep === undefined ? {} : { grep: typeof grep === 'string' ? grep : grep.source }),
    ...(stream === undefined ? {} : { stream }),
    ...(instance === undefined ? {} : { instance }),
    ...(file === undefined ? {} : { file }),
  };
}
