/** What is left of a raw tree when the values that are wrong are taken out of it? */
import { emptyMap, isMap, type Path, pathText, type RawMap } from './raw-tree.ts';

/** Stands for a text that was taken out of a list, as an empty map does for a map: those behind it keep their place. */
const GAP = '-';

/**
 * A copy in which something can still be run.
 * @param wrong key paths of values, as problems name them
 */
export function without(tree: RawMap, wrong: ReadonlySet<string>): RawMap {
  const left = valuesWithout(tree, wrong);
  const process = isMap(left['process']) ? left['process'] : emptyMap();
  process['command'] ??= [GAP];
  left['process'] = process;
  return left;
}

/** A copy with nothing in the place of what is wrong, but in lists. */
export function valuesWithout(tree: RawMap, wrong: ReadonlySet<string>): RawMap {
  return mapWithout(tree, [], wrong);
}

/** Whether the value at this path, or something below it, is among those that were taken out. */
export function isTakenFrom(path: string | undefined, wrong: ReadonlySet<string>): boolean {
  if (path === undefined) return false;
  return [...wrong].some((one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[`));
}

function mapWithout(map: RawMap, path: Path, wrong: ReadonlySet<string>): RawMap {
  const left = emptyMap();
  for (const key of Object.keys(map)) {
    const at = [...path, key];
    const text = pathText(at);
    // `x_ms: 500` is told of as `x` too.
    if (wrong.has(text) || wrong.has(text.replace(/_ms$/, ''))) continue;
    const value = valueWithout(map[key], at, wrong);
    if (value !== undefined) left[key] = value;
  }
  return left;
}

function valueWithout(value: unknown, path: Path, wrong: ReadonlySet<string>): unknown {
  if (isMap(value)) return mapWithout(value, path, wrong);
  if (!Array.isArray(value)) return value;
  const gaps = value.map((_, index) => wrong.has(pathText([...path, index])));
  const left = value.map((item, index) => valueWithout(item, [...path, index], wrong));
  if (!gaps.includes(true)) return left;
  const others = left.filter((_, index) => !gaps[index]);
  // A list of anything else is judged as a whole.
  const gap = others.every((item) => typeof item === 'string')
    ? GAP
    : others.every(isMap)
      ? emptyMap()
      : null;
  return gap === null ? undefined : left.map((item, index) => (gaps[index] ? gap : item));
}
