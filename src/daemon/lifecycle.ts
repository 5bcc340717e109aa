/** How are the events of manager and runs written down for machines? One line each. */
import type { Event } from '../model/action.ts';

/** `processmaster:lifecycle event=<name> manager_pid=<pid> key=value …`, without the newline. */
export function lifecycleLine(event: Event, managerPid: number): string {
  const service = event.service === undefined ? {} : { service: event.service };
  const fields = { event: event.name, manager_pid: managerPid, ...service, ...event.fields };
  return `processmaster:lifecycle ${fieldText(fields)}`;
}

/** `key=value key=value …` */
export function fieldText(fields: Event['fields']): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join(' ');
}

/** A value with a blank, quote, `=`, backslash or control character is quoted as JSON does; so is an empty one. */
function quoted(value: string | number): string {
  const text = String(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get through
  if (text !== '' && !/[\s"'=\\\u0000-\u001f\u007f-\u009f]/.test(text)) return text;
  return JSON.stringify(text).replace(
    UNESCAPED,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Control characters and ends of lines that JSON leaves as they are: a terminal or a reader of lines obeys them. */
const UNESCAPED = /[\u007f-\u009f\u2028\u2029]/g;
