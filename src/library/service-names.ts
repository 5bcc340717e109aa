/** Which services does a program name? */
import { ProcessmasterError } from './processmaster-error.ts';

export type Names = string | readonly string[];

/** @throws ProcessmasterError with the code `invalid`: programs in JavaScript may give anything */
export function listOf(names: Names): readonly string[] {
  const list: unknown = typeof names === 'string' ? [names] : names;
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list;
  throw new ProcessmasterError('invalid', 'services: write the name of a service, or a list of names');
}
