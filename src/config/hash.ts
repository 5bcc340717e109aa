/** Which definition is it, said in twelve digits? */
import { createHash } from 'node:crypto';
import { SERVICE_KEYS } from '../model/keys.ts';
import type { SpecHash } from '../model/names.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { OPTIONAL_MAPS } from './generated/defaults.ts';
import { defaultSurge } from './rollout.ts';

/** Counts up when the same definition would no longer mean the same processes: all of them are then replaced. */
const FORMAT = 1;

/**
 * A field that has one of these for its default, and that value, is left out, as one that is not set at all: so a
 * release which knows more fields gives the same definition the same hash, and an upgrade restarts nothing. Every
 * field that is added later must have such a default, or none, or stand in {@link LATER}.
 */
const NOTHING: ReadonlySet<string> = new Set(['[]', '{}', 'false']);

/** Fields that came after the first release, with what they are when nobody says; a change of that needs a FORMAT. */
const LATER: Readonly<Record<string, (spec: ServiceSpec) => unknown>> = {
  'rollout.surge': defaultSurge,
  'rollout.overlap': () => 0,
  'rollout.timeout': () => 60_000,
  'rollout.min_ready': () => 0,
  'rollout.on_failure': () => 'keep_old',
  'restart_policy.crash_on_start': () => 'restart',
  'logs.rotation_mode': () => 'time',
  'logs.rotation_frequency': () => 'daily',
  'logs.rotation_max_age': () => 30 * 24 * 3_600_000,
  'logs.rotation_size': () => 10 * 1024 * 1024,
  'logs.rotation_backups': () => 10,
};

/** Maps that are there as a whole or not at all. */
const WHOLE = OPTIONAL_MAPS.map(({ at }) => at.join('.'));

/** Every key that holds a value; what lies below it has its class. */
const FIELDS = SERVICE_KEYS.filter(
  ({ group, path }) => (!group || WHOLE.includes(path)) && !path.includes('*'),
)
  .filter(({ path }) => !WHOLE.some((whole) => path.startsWith(`${whole}.`)))
  .toSorted(byPath)
  .map((fact) => ({
    path: fact.path,
    nothing: NOTHING.has(fact.default ?? '') ? fact.default : null,
    keys: fact.path.split('.'),
    later: LATER[fact.path],
    startedWith: fact.apply === 'roll' || fact.apply === 'replace',
  }));

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/**
 * `hash`: over the fields of the classes roll and replace; two runs of one hash were started alike. `digest`: over
 * the whole definition, live fields included.
 */
export function identityOf(spec: ServiceSpec): { readonly hash: SpecHash; readonly digest: string } {
  const texts: string[] = [];
  const started: string[] = [];
  for (const { path, keys, nothing, later, startedWith } of FIELDS) {
    const field = keys.reduce<unknown>(below, spec) ?? null;
    if (field === null || field === later?.(spec)) continue;
    const value = canonical(field);
    if (value === nothing) continue;
    const text = `${path}=${value}`;
    texts.push(text);
    if (startedWith) started.push(text);
  }
  return {
    hash: digestOf(`${FORMAT}\n${started.join('\n')}`) as SpecHash,
    digest: digestOf(`${FORMAT}\n${texts.join('\n')}`),
  };
}

/** The first 12 hexadecimal digits of the SHA-256 of a text. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** JSON in which the order of keys says nothing (in the manner of RFC 8785, for the values that a spec has). */
export function canonical(value: unknown): string {
  // As JSON writes them: most values of a definition are one of these.
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const map = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(map).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(map[key])}`).join(',')}}`;
}

function below(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
