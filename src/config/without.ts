/** What is left of a raw tree when the values that are wrong are taken out of it? */
import { emptyMap, isMap, type Path, pathText, type RawMap } from './raw-tree.ts';

/** Stands for a text that was taken out of a list: those behind it keep their place. */
const GAP = '-';

/**
 * A copy in which something can still be run.
 * @param wrong key paths of values, as problems name them
 */
export function without(tree: RawMap, wrong: ReadonlySet<string>): RawMap {
  const left = mapWithout(tree, [], wrong);
  const process = isMap(left['process']) ? left['process'] : emptyMap();
  process['command'] ??= [GAP];
  left['process'] = process;
  return left;
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
  if (!gaps.includes(true)) return value;
  // A list of anything but texts is judged as a whole.
  const texts = value.every((item, index) => gaps[index] || typeof item === 'string');
  return texts ? value.map((item, index) => (gaps[index] ? GAP : item)) : undefined;
}
