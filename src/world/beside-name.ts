/** What is the place of a command called that runs beside a run? */
import type { RunId } from '../model/names.ts';

const WORD = /^[a-z][a-z0-9_-]{0,31}$/;
const NAME = /^beside\.[a-z][a-z0-9_-]{0,31}\.[0-9a-z]{8,9}-[0-9a-z]{4,8}$/;

/** `beside.<what>.<run id>`: no name that a run could have. Throws for a word that is none. */
export function besideName(what: string, run: RunId): string {
  if (!WORD.test(what)) throw new Error(`${JSON.stringify(what)} is no word for a command beside a run`);
  return `beside.${what}.${run}`;
}

/** True for names that {@link besideName} makes. */
export function isBesideName(name: string): boolean {
  return NAME.test(name);
}
