/** What do the command line, the environment and the master file each say about the settings? */
import { resolve } from 'node:path';
import { type KeyFact, SETTING_KEYS } from '../model/keys.ts';
import { nearest } from '../model/nearest.ts';
import type { Problem } from '../model/problem.ts';
import { mapScalars, SERVICE_TREE, SETTING_TREE } from './key-tree.ts';
import { emptyMap, isMap, type Origin, type Path, pathText, problemAt, type RawMap } from './raw-tree.ts';
import { readUnits } from './read-units.ts';
import { oneSpelling } from './spelling.ts';
import { validate } from './validate.ts';

const PREFIX = 'PROCESSMASTER_';

/** Keys that a variable or a flag can set: neither groups nor maps nor lists. */
const SINGLE = SETTING_KEYS.filter((fact) => !fact.group && !fact.path.includes('*') && !isMapKey(fact));

/** The single keys, and `x_ms` for each duration `x`. */
export const SETTABLE: readonly string[] = SINGLE.flatMap((fact) => {
  return fact.unit === 'duration' ? [fact.path, `${fact.path}_ms`] : [fact.path];
});

/** `PROCESSMASTER_WATCH_SETTLE` for `watch.settle`. */
export function variableOf(key: string): string {
  return PREFIX + key.replaceAll('.', '_').toUpperCase();
}

/** Values by key path, as the environment gives them. An empty variable counts as not set. */
export function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const values = SETTABLE.map((key) => [key, env[variableOf(key)]] as const);
  return new Map(
    values.flatMap(([key, value]) => (value === undefined || value === '' ? [] : [[key, value]])),
  );
}

/** Variables that are nearly the name of a setting; those that a daemon gives to its services are not meant. */
export function mistypedVariables(env: Readonly<Record<string, string | undefined>>): readonly Problem[] {
  const known = SETTABLE.map(variableOf);
  const given = /^PROCESSMASTER_(SERVICE|INSTANCE|GENERATION|RUN_ID|ENABLE_REUSEPORT|STATS_FILE)$/;
  return Object.keys(env).flatMap((name): Problem[] => {
    if (!name.startsWith(PREFIX) || known.includes(name) || given.test(name)) return [];
    const near = nearest(
      name.slice(PREFIX.length),
      known.map((each) => each.slice(PREFIX.length)),
    );
    if (near === undefined) return [];
    const message = `${name} is no setting`;
    return [{ code: 'key-unknown', severity: 'warning', message, hint: `did you mean ${PREFIX}${near}?` }];
  });
}

/** Text becomes what the key takes where that is not text; what cannot is left for the validation to refuse. */
export function treeOf(values: ReadonlyMap<string, unknown>): RawMap {
  const tree = emptyMap();
  for (const [path, value] of values) {
    const keys = path.split('.');
    const last = keys.pop() ?? path;
    let map = tree;
    for (const key of keys) {
      const inner = isMap(map[key]) ? (map[key] as RawMap) : emptyMap();
      map[key] = inner;
      map = inner;
    }
    map[last] = typeof value === 'string' ? typed(value, path) : value;
  }
  return tree;
}

/** A source of settings, read: numbers for units, absolute paths, texts as text. */
export interface SettingSource {
  readonly tree: RawMap;
  readonly problems: readonly Problem[];
}

/**
 * Checks one source by itself, so that each problem is told in its own words.
 * @param directory relative paths start here
 */
export function readSource(tree: unknown, origin: Origin, directory: string): SettingSource {
  const structure = validate('config', tree, origin);
  const spelled = oneSpelling(tree, SETTING_TREE, origin);
  const units = readUnits(spelled.tree, SETTING_TREE, origin);
  const absolute = mapScalars(units.tree, SETTING_TREE, (value, { fact }) => {
    return fact?.unit === 'path' && typeof value === 'string' ? resolve(directory, value) : value;
  });
  const problems = [...structure, ...spelled.problems, ...units.problems];
  return { tree: isMap(absolute) ? absolute : emptyMap(), problems };
}

/** `service_defaults`: one spelling, paths absolute, and everything wrong with it. */
export function readServiceDefaults(tree: unknown, origin: Origin, directory: string): SettingSource {
  const below: Path = ['service_defaults'];
  const inside: Origin = {
    place: (path, of) => origin.place([...below, ...path], of),
    source: (path) => origin.source([...below, ...path]),
    name: (path) => pathText([...below, ...path]),
  };
  if (!isMap(tree)) return { tree: emptyMap(), problems: [] };
  const spelled = oneSpelling(tree, SERVICE_TREE, inside);
  const units = readUnits(spelled.tree, SERVICE_TREE, inside, (value) => String(value).includes('${'));
  const absolute = mapScalars(spelled.tree, SERVICE_TREE, (value, { fact }) => {
    const path = fact?.unit === 'path' && typeof value === 'string' && !value.startsWith('${');
    return path ? resolve(directory, value) : value;
  });
  const named: Problem[] = Object.hasOwn(tree, 'name')
    ? [
        problemAt(inside, ['name'], {
          code: 'value-invalid',
          says: 'services cannot share a name',
          of: 'key',
        }),
      ]
    : [];
  const problems = [
    ...validate('service', tree, origin, below),
    ...spelled.problems,
    ...units.problems,
    ...named,
  ];
  return { tree: absolute as RawMap, problems };
}

function typed(text: string, path: string): unknown {
  const fact = SINGLE.find((each) => each.path === path.replace(/_ms$/, ''));
  const number = fact?.type === 'whole number' || (path.endsWith('_ms') && fact?.path !== path);
  if (number) return /^\d{1,15}$/.test(text.trim()) ? Number(text) : text;
  if (fact?.type !== 'true or false') return text;
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : text;
}

function isMapKey(fact: KeyFact): boolean {
  return fact.path === 'service_defaults' || fact.path === 'vars' || fact.type.startsWith('list of ');
}
