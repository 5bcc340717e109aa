/** What does a change of this field do to running processes, and in which unit is it measured? */
import type { ApplyClass } from '../model/action.ts';
import { serviceKey } from '../model/keys.ts';

/**
 * The class of a field of the service file, given dotted (`process.args[0]`) or as a JSON pointer
 * (`/process/args/0`). What lies below a key has the class of the key. A field that no schema knows is taken for
 * one that a process is started with.
 */
export function applyClassOf(path: string): ApplyClass {
  const apply = serviceKey(path)?.apply;
  return apply === undefined || apply === 'restart' ? 'roll' : apply;
}

/** `duration` (milliseconds), `size` (bytes), `cpu` (thousandths of a core), `mode`, …; null for none. */
export function unitOf(path: string): string | null {
  return serviceKey(path)?.unit ?? null;
}
