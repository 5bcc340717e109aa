/** What is known about a key of the service file or the master file? */
import { SERVICE_KEYS, SETTING_KEYS } from './generated/keys.ts';
import type { KeyFact } from './key-fact.ts';

export type { KeyFact };
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
