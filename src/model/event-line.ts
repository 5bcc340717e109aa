/** How is one event written in a line of the journal, and read back? */
import type { Event, NumberedEvent } from './action.ts';
import type { RunId, ServiceName } from './names.ts';

/** A text of a field that is longer is cut: a line of the journal stays a line. Characters. */
const LONGEST_TEXT = 4096;

/** What stands beside the fields of an event. */
const OWN_KEYS: ReadonlySet<string> = new Set(['id', 'at', 'name', 'service', 'run_id', 'actor']);

/**
 * `{"id":7,"at":"2026-02-03T04:05:06.789Z","name":"worker_exited","service":"web","status":3}` and a newline. A field
 * that has the name of one of these keys, or begins with `_`, gets a `_` in front.
 */
export function eventLine({ id, at, name, service, run_id, actor, fields }: NumberedEvent): string {
  const line: Record<string, string | number> = {
    id,
    at: new Date(at).toISOString(),
    name,
    ...(service === undefined ? {} : { service }),
    ...(run_id === undefined ? {} : { run_id }),
    ...(actor === undefined ? {} : { actor }),
  };
  for (const [key, value] of Object.entries(fields)) {
    line[OWN_KEYS.has(key) || key.startsWith('_') ? `_${key}` : key] = bounded(value);
  }
  return `${JSON.stringify(line)}\n`;
}

/** undefined: that is no whole line of a journal. */
export function readEventLine(text: string): NumberedEvent | undefined {
  const line = parsed(text);
  if (line === undefined) return undefined;
  const { id, at, name, service, run_id, actor, ...rest } = line;
  const time = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (!Number.isSafeInteger(id) || Number.isNaN(time) || typeof name !== 'string') return undefined;
  const fields: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (typeof value === 'string' || typeof value === 'number') fields[key.replace(/^_/, '')] = value;
  }
  const event: Event = {
    at: time,
    name,
    // Only this program writes there.
    ...(typeof service === 'string' ? { service: service as ServiceName } : {}),
    ...(typeof run_id === 'string' ? { run_id: run_id as RunId } : {}),
    ...(typeof actor === 'string' ? { actor } : {}),
    fields,
  };
  return { id: id as number, ...event };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function bounded(value: string | number): string | number {
  return typeof value === 'string' && value.length > LONGEST_TEXT
    ? `${value.slice(0, LONGEST_TEXT)}…`
    : value;
}
