/**
 * Did a program write only words that are known? A type tells that to TypeScript alone; in JavaScript a slip of the
 * keyboard would mean everything instead of one service, or nothing at all.
 */
import { nearest } from '../model/nearest.ts';
import { ProcessmasterError } from './processmaster-error.ts';

/** Every key of a type: one that is added there and not here does not compile. */
export type KeysOf<Options> = Readonly<Record<keyof Options, true>>;

/**
 * A key whose value is undefined counts as not written, as it is not sent either.
 * @param what one of them is called: `option`, `key`
 * @throws ProcessmasterError with the code `invalid`
 */
export function onlyKnown(what: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ProcessmasterError('invalid', `${what}s: ${shown(given)} is no object`);
  }
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(known, key)) continue;
    const words = Object.keys(known);
    const near = nearest(key, words);
    const hint = near === undefined ? `known here: ${words.join(', ')}` : `did you mean ${near}?`;
    throw new ProcessmasterError('invalid', `unknown ${what} ${JSON.stringify(key.slice(0, 80))}; ${hint}`);
  }
}

function shown(given: unknown): string {
  if (Array.isArray(given)) return 'a list';
  return typeof given === 'string' ? JSON.stringify(given.slice(0, 80)) : String(given);
}
