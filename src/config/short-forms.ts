/** Which maps do the shorter forms of a service file stand for? */
import { OPTIONAL_MAPS } from './generated/defaults.ts';
import { emptyMap, isMap, merged, type Origin, type Path, type RawMap, valueAt } from './raw-tree.ts';

const ENVIRONMENT = ['process', 'env'];

const PROBES = ['startup', 'readiness', 'liveness'];

/** The ways to ask, of which a probe has exactly one. */
export const PROBE_MEANS = ['http', 'tcp', 'exec', 'log', 'fd'] as const;

/** A copy in which `schedule: "@daily"` has become `schedule: { cron: "@daily" }`, and so on. */
export function longForms(tree: RawMap): RawMap {
  let long = tree;
  for (const { at, short } of OPTIONAL_MAPS) {
    if (short === null) continue;
    const value = valueAt(long, at);
    if (value === undefined || value === null || isMap(value)) continue;
    const map = emptyMap();
    map[short] = value;
    long = withValue(long, at, map);
  }
  return long;
}

/**
 * A file over what it inherits: a probe that asks in its own way does not ask in the inherited one as well, and a
 * variable of its own is nothing of the inherited one.
 */
export function overInherited(inherited: RawMap, own: RawMap): RawMap {
  let under = inherited;
  const [mine, theirs] = [valueAt(own, ENVIRONMENT), valueAt(under, ENVIRONMENT)];
  if (isMap(mine) && isMap(theirs)) {
    const left = emptyMap();
    for (const [name, value] of Object.entries(theirs)) if (!Object.hasOwn(mine, name)) left[name] = value;
    under = withValue(under, ENVIRONMENT, left);
  }
  for (const kind of PROBES) {
    const [mine, theirs] = [valueAt(own, ['probes', kind]), valueAt(under, ['probes', kind])];
    if (!isMap(mine) || !isMap(theirs) || !PROBE_MEANS.some((means) => mine[means] !== undefined)) continue;
    const left = emptyMap();
    for (const [key, value] of Object.entries(theirs)) {
      if (!(PROBE_MEANS as readonly string[]).includes(key)) left[key] = value;
    }
    under = withValue(under, ['probes', kind], left);
  }
  return merged(under, own) as RawMap;
}

/** A copy in which the maps that need not be there have their defaults where they are. */
export function withDefaultsWhereGiven(tree: RawMap): RawMap {
  let whole = tree;
  for (const { at, defaults } of OPTIONAL_MAPS) {
    const value = valueAt(whole, at);
    if (isMap(value)) whole = withValue(whole, at, merged(defaults, value));
  }
  return whole;
}

/** Tells of a place in the long form as it is written in the file. */
export function originOfLongForms(origin: Origin, written: RawMap): Origin {
  return {
    place: (path, of) => origin.place(asWritten(path, written), of),
    source: (path) => origin.source(asWritten(path, written)),
    name: (path) => origin.name(asWritten(path, written)),
    written: (path) => asWritten(path, written),
  };
}

function asWritten(path: Path, written: RawMap): Path {
  for (const { at, short } of OPTIONAL_MAPS) {
    if (path[at.length] !== short || !at.every((key, depth) => path[depth] === key)) continue;
    const value = valueAt(written, at);
    if (value !== undefined && !isMap(value)) return [...at, ...path.slice(at.length + 1)];
  }
  return path;
}

/** Copies only the maps on the way; all of them are there. */
function withValue(tree: RawMap, path: readonly string[], value: unknown): RawMap {
  const [key = '', ...rest] = path;
  const copy = emptyMap();
  for (const each of Object.keys(tree)) copy[each] = tree[each];
  const inner = copy[key];
  copy[key] = rest.length > 0 && isMap(inner) ? withValue(inner, rest, value) : value;
  return copy;
}
