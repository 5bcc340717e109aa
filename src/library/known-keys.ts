/**
 * Did a program write only words that are known, and values of the kind that they take? Types tell that to TypeScript
 * alone; in JavaScript a slip of the keyboard would mean everything instead of one service, or nothing at all.
 */
import { nearest } from '../model/nearest.ts';
import { type Kind, OBJECT, tagOf } from './kinds.ts';
import { ProcessmasterError } from './processmaster-error.ts';

/** Every key of a type: one that is added there and not here does not compile. */
export type KeysOf<Options> = Readonly<Record<keyof Options, Kind>>;

/**
 * A key whose value is undefined counts as not written, as it is not sent either.
 * @param what one of them is called: `option`, `key`
 * @throws ProcessmasterError with the code `invalid`
 */
export function onlyKnown(what: string, given: unknown, known: Readonly<Record<string, Kind>>): void {
  if (OBJECT(given) !== undefined) throw wrong(`${what}s: ${shown(given)} is no object`);
  for (const [key, value] of Object.entries(given as object)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(known, key) ? known[key] : undefined;
    if (kind === undefined) throw wrong(`unknown ${what} ${shown(key)}; ${hintFor(key, Object.keys(known))}`);
    ofKind(key, value, kind);
  }
}

/** @throws ProcessmasterError with the code `invalid`, which says what is to be written for `key` */
export function ofKind(key: string, value: unknown, kind: Kind): void {
  const wish = kind(value);
  if (wish !== undefined) throw wrong(`${key}: ${wish}, not ${shown(value)}`);
}

function wrong(message: string): ProcessmasterError {
  return new ProcessmasterError('invalid', message);
}

function hintFor(key: string, words: readonly string[]): string {
  const near = nearest(key, words);
  return near === undefined ? `known here: ${words.join(', ')}` : `did you mean ${near}?`;
}

function shown(given: unknown): string {
  if (Array.isArray(given)) return 'this list';
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 80));
  if (typeof given === 'function') return 'a function';
  return typeof given === 'object' && given !== null ? `this ${tagOf(given)}` : String(given);
}
