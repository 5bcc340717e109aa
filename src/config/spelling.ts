/** Which of several ways to write the same value was used? */
import type { Problem } from '../model/problem.ts';
import { childNode, itemNode, type KeyNode, mapScalars } from './key-tree.ts';
import { emptyMap, isMap, type Origin, type Path, problemAt } from './raw-tree.ts';

/** Here `0660`, `1.10` or `true` without quotes mean their characters, not the number that YAML takes them for. */
const AS_WRITTEN: ReadonlySet<string> = new Set(['text', 'mode', 'umask', 'user', 'group']);

/**
 * One spelling for each value: `x_ms: 500` becomes `x: 500ms`, and scalars that are meant as text become text.
 * @param keys the keys of this kind of file
 */
export function oneSpelling(
  tree: unknown,
  keys: KeyNode,
  origin: Origin,
): { readonly tree: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const asWritten = mapScalars(tree, keys, (value, { fact }, path) => {
    if (typeof value === 'string' || !AS_WRITTEN.has(fact?.grammar ?? '')) return value;
    return origin.source(path) ?? String(value);
  });
  return { tree: withoutTwins(asWritten, keys, []), problems };

  function withoutTwins(value: unknown, node: KeyNode, path: Path): unknown {
    if (Array.isArray(value) && node.children.size > 0) {
      return value.map((item, index) => withoutTwins(item, itemNode(node, item), [...path, index]));
    }
    if (!isMap(value) || node.children.size === 0) return value;
    const copy = emptyMap();
    for (const key of Object.keys(value)) {
      const inner = value[key];
      const name = key.endsWith('_ms') ? key.slice(0, -3) : key;
      if (name === key || childNode(node, name).fact?.unit !== 'duration') {
        copy[key] = withoutTwins(inner, childNode(node, key), [...path, key]);
      } else if (Object.hasOwn(value, name)) {
        problems.push(givenTwice(origin, [...path, key], name));
      } else {
        copy[name] = typeof inner === 'number' ? `${inner}ms` : inner;
      }
    }
    return copy;
  }
}

function givenTwice(origin: Origin, path: Path, name: string): Problem {
  const says = `the same as ${name}, which is given too`;
  return problemAt(origin, path, { code: 'value-invalid', says, hint: 'keep one of them', of: 'key' });
}
