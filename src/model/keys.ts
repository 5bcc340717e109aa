/** What is known about a key of the service file or the master file? */
import type { ApplyClass } from './action.ts';
import { SERVICE_KEYS, SETTING_KEYS } from './generated/keys.ts';

/** One key, as the schemas describe it. */
export interface KeyFact {
  /** `process.stop_grace`; a `*` stands for any key of a map. */
  readonly path: string;
  /** What a change does to running processes; `restart`: it waits for a restart of the daemon. */
  readonly apply: ApplyClass | 'restart';
  /** How numbers are printed: `duration`, `size`, `cpu`, `mode`, …; the grammar may be narrower. */
  readonly unit: string | null;
  readonly grammar: string | null;
  /** For people: `text or list of text`. */
  readonly type: string;
  /** For people; null: there is none, the key is required. */
  readonly default: string | null;
  readonly description: string;
  /** One line of YAML, or null. */
  readonly example: string | null;
  /** The words allowed, when there is a list of them. */
  readonly values: readonly string[] | null;
  /** A map of further keys with fixed names. */
  readonly group: boolean;
}

export { SERVICE_KEYS, SETTING_KEYS };

const SERVICE_INDEX = new Map(SERVICE_KEYS.map((fact) => [fact.path, fact]));
const SETTING_INDEX = new Map(SETTING_KEYS.map((fact) => [fact.path, fact]));

/**
 * The fact about a key of the service file, or about the nearest key above it.
 * @param path dotted (`process.args[0]`) or a JSON pointer (`/process/args/0`)
 */
export function serviceKey(path: string): KeyFact | undefined {
  return nearest(path, SERVICE_INDEX);
}

/** The same for the master file. */
export function settingKey(path: string): KeyFact | undefined {
  return nearest(path, SETTING_INDEX);
}

/** Keys of the service file that are nearest in the tree: what may stand below `path`; the top for ''. */
export function keysBelow(path: string, keys: readonly KeyFact[]): readonly string[] {
  const prefix = path === '' ? '' : `${path}.`;
  return keys
    .filter((fact) => fact.path.startsWith(prefix))
    .map((fact) => fact.path.slice(prefix.length))
    .filter((name) => name !== '*' && !name.includes('.'));
}

function nearest(path: string, index: ReadonlyMap<string, KeyFact>): KeyFact | undefined {
  const keys = keysOf(path);
  for (let length = keys.length; length > 0; length--) {
    const fact = index.get(keys.slice(0, length).join('.').replace(/_ms$/, ''));
    if (fact !== undefined) return fact;
  }
  return undefined;
}

function keysOf(path: string): readonly string[] {
  if (path.startsWith('/')) return path.slice(1).split('/');
  return path.split(/[.[\]]+/).filter((key) => key !== '');
}
