/** What does the text of an option mean? Each throws an {@link UnreadableValue} for a text that cannot be read. */
import { parseDuration } from '../model/units.ts';
import { ORDERS, type Order } from './stats-order.ts';

/** A value of an option that cannot be read; the message is the sentence to print. */
export class UnreadableValue extends Error {}

export function duration(text: string): number {
  const parsed = parseDuration(text);
  if (typeof parsed === 'number') return parsed;
  throw new UnreadableValue(parsed.refused);
}

export function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new UnreadableValue('Write a whole number, not negative.');
}

export function instances(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UnreadableValue('Write a number from 1 to 999, or auto.');
}

export function instanceNumber(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new UnreadableValue('Write a number from 0 to 999.');
}

export function stream(text: string): string {
  if (['stdout', 'stderr', 'hint'].includes(text)) return text;
  throw new UnreadableValue('Write stdout, stderr or hint.');
}

export function port(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new UnreadableValue('Write a number from 1 to 65535, or auto.');
}

export function variable(text: string, before: unknown): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UnreadableValue('Write it as NAME=value.');
  return { ...(typeof before === 'object' ? before : {}), [name]: value };
}

export function goal(text: string): string {
  if (['ready', 'stopped', 'completed'].includes(text)) return text;
  throw new UnreadableValue('Write ready, stopped or completed.');
}

export function order(text: string): Order {
  const known = ORDERS.find((each) => each === text);
  if (known !== undefined) return known;
  throw new UnreadableValue('Write cpu, mem, name or restarts.');
}
