/** In which fields do two definitions of a service differ, and what does each difference do to its processes? */
import jsonPatch from 'fast-json-patch';
import type { FieldChange } from '../model/action.ts';
import type { Defined, ServiceSpec } from '../model/spec.ts';
import { applyClassOf } from '../policy/apply-class.ts';
import { fieldText } from '../policy/field-text.ts';

/** @param from what the runs were started with, live fields as last applied */
export function diffSpecs(from: ServiceSpec, desired: Defined): readonly FieldChange[] {
  const to = desired.spec;
  const changes = new Map<string, FieldChange>();
  for (const { path: pointer } of jsonPatch.compare(from, to)) {
    const keys = pointer.split('/').slice(1).map(unescapePointer);
    const change = fieldChange(shownKeys(keys), from, desired);
    changes.set(change.path, change);
  }
  return [...changes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A dotenv file is shown as one change, a secret as one value, not by their digests. */
function shownKeys(keys: readonly string[]): readonly string[] {
  if (keys[0] === 'process' && keys[1] === 'env_files') return keys.slice(0, 2);
  if (keys[0] === 'process' && keys[1] === 'env') return keys.slice(0, 3);
  return keys;
}

function fieldChange(keys: readonly string[], from: ServiceSpec, desired: Defined): FieldChange {
  const path = dotted(keys);
  const change = { path, class: applyClassOf(path), ...textsOf(keys, path, from, desired.spec) };
  const position = positionOf(keys, desired);
  return position === undefined
    ? { ...change, file: desired.file }
    : { ...change, file: desired.file, line: position.line };
}

function textsOf(
  keys: readonly string[],
  path: string,
  from: ServiceSpec,
  to: ServiceSpec,
): Pick<FieldChange, 'from' | 'to'> {
  if (path === 'process.env_files') return { to: envFilesText(from, to) };
  const before = valueAt(from, keys);
  const after = valueAt(to, keys);
  return {
    ...(before === undefined ? {} : { from: fieldText(path, before) }),
    ...(after === undefined ? {} : { to: fieldText(path, after) }),
  };
}

/** `.env changed: +FEATURE_X, ~DB_URL (hidden)`. */
function envFilesText(from: ServiceSpec, to: ServiceSpec): string {
  const before = new Map(from.process.env_files.map((file) => [file.path, file.values]));
  const after = new Map(to.process.env_files.map((file) => [file.path, file.values]));
  const texts: string[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(path);
    const now = after.get(path);
    if (old === undefined) texts.push(`+${path}`);
    else if (now === undefined) texts.push(`-${path}`);
    else if (JSON.stringify(old) !== JSON.stringify(now)) {
      texts.push(`${path} changed: ${namesChanged(old, now).join(', ')} (hidden)`);
    }
  }
  return texts.length === 0 ? 'order changed' : texts.join('; ');
}

function namesChanged(
  old: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    if (old[name] === now[name]) return [];
    return [`${old[name] === undefined ? '+' : now[name] === undefined ? '-' : '~'}${name}`];
  });
}

function positionOf(keys: readonly string[], desired: Defined): { line: number } | undefined {
  for (let length = keys.length; length > 0; length--) {
    const position = desired.positions.get(dotted(keys.slice(0, length)));
    if (position !== undefined) return position;
  }
  return undefined;
}

/** How a probe asks is kept under a key of its own, which no file has. */
function dotted(keys: readonly string[]): string {
  const written = keys[0] === 'probes' ? keys.filter((key) => key !== 'how') : keys;
  return written.reduce(
    (path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`),
    '',
  );
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.hasOwn(current, key) ? (current as Record<string, unknown>)[key] : undefined;
  }
  return current;
}

/** RFC 6901, section 3. */
function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
