/** What does the query of a request for logs ask for? */
import { parseLogTime } from '../model/log-time.ts';
import type { Refused } from '../model/units.ts';
import type { LogStream, LogsRequest } from './contract.ts';

const DEFAULT_LINES = 50;

/** Characters of a pattern; a longer one is nothing that somebody has typed. */
const LONGEST_PATTERN = 1000;

export const STREAMS: readonly string[] = ['stdout', 'stderr', 'hint'] satisfies readonly LogStream[];

const WORDS: readonly string[] = ['file', 'lines', 'since', 'until', 'grep', 'stream', 'instance'];

/** One that is given several times is a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @param now milliseconds since 1970 */
export function logsRequest({ service, services, ...rest }: Query, now: number): LogsRequest | Refused {
  const query: Record<string, string> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (typeof value === 'object') return { refused: `${key}: give it once` };
    if (value !== undefined) query[key] = value;
  }
  const stranger = Object.keys(query).find((key) => !WORDS.includes(key));
  if (stranger !== undefined)
    return { refused: `${stranger}: unknown; there are service, services, ${WORDS.join(', ')}` };
  const { file, lines, grep, stream, instance } = query;
  if (lines !== undefined && !/^\d{1,9}$/.test(lines)) return { refused: 'lines: write a whole number' };
  const times: { since?: number; until?: number } = {};
  for (const key of ['since', 'until'] as const) {
    const text = query[key];
    const time = text === undefined ? undefined : parseLogTime(text, now);
    if (typeof time === 'object') return { refused: `${key}: ${time.refused}` };
    if (time !== undefined) times[key] = time;
  }
  if (stream !== undefined && !STREAMS.includes(stream)) {
    return { refused: 'stream: write stdout, stderr or hint' };
  }
  if (instance !== undefined && !/^\d{1,3}$/.test(instance)) {
    return { refused: 'instance: write a number from 0 to 999' };
  }
  const wrong = grep === undefined ? undefined : patternRefusal(grep);
  if (wrong !== undefined) return { refused: `grep: ${wrong}` };
  return {
    services: namesIn(service, services),
    lines: lines === undefined ? DEFAULT_LINES : Number(lines),
    ...(file === undefined ? {} : { file }),
    ...times,
    ...(grep === undefined ? {} : { grep }),
    ...(stream === undefined ? {} : { stream: stream as LogStream }),
    ...(instance === undefined ? {} : { instance: Number(instance) }),
  };
}

/** `service=a&services=b,c`, each of them once or several times. */
export function namesIn(...words: readonly Query[string][]): readonly string[] {
  const names = words.flatMap((text) => [text ?? []].flat().flatMap((list) => list.split(',')));
  return names.filter((name) => name !== '');
}

/** undefined: it is a regular expression. */
export function patternRefusal(pattern: string): string | undefined {
  if (pattern.length > LONGEST_PATTERN) return `the pattern is longer than ${LONGEST_PATTERN} characters`;
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : '';
    return `${JSON.stringify(pattern)} is no regular expression: ${why}`;
  }
}
