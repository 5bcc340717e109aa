/** Which services does a program name? */
import { NAME, NAMES } from './kinds.ts';
import { ofKind } from './known-keys.ts';

export type Names = string | readonly string[];

/** @throws ProcessmasterError with the code `invalid`: programs in JavaScript may give anything */
export function listOf(names: Names): readonly string[] {
  ofKind('services', names, NAMES);
  return typeof names === 'string' ? [names] : names;
}

/** The same for one that has to be a single one. */
export function nameOf(service: string): string {
  ofKind('service', service, NAME);
  return service;
}
