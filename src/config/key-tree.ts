/** Which key of a schema does a place in a raw tree belong to? */
import { type KeyFact, SERVICE_KEYS, SETTING_KEYS } from '../model/keys.ts';
import { emptyMap, isMap, type Path, type RawMap } from './raw-tree.ts';

/** A key of the schema with the keys below it. Items of a list belong to the key of the list; maps in it to `*`. */
export interface KeyNode {
  /** As in the tables of keys: `process.env.*`; '' for the top. */
  readonly pattern: string;
  readonly fact: KeyFact | undefined;
  readonly children: ReadonlyMap<string, KeyNode>;
}

export const SERVICE_TREE = keyTree(SERVICE_KEYS);
export const SETTING_TREE = keyTree(SETTING_KEYS);

const NOTHING_KNOWN: ReadonlyMap<unknown, unknown> = new Map();

/** A place that the schema does not know. */
const STRANGE: KeyNode = { pattern: '?', fact: undefined, children: new Map() };

/** The node of a key in a map; the one of `*` for a key that the schema does not name. */
export function childNode(node: KeyNode, key: string): KeyNode {
  return node.children.get(key) ?? node.children.get('*') ?? STRANGE;
}

/** The node of an item of a list. */
export function itemNode(node: KeyNode, item: unknown): KeyNode {
  return isMap(item) ? (node.children.get('*') ?? node) : node;
}

/**
 * The tree in which every scalar is replaced by what `change` answers; maps and lists in which nothing changes are the
 * same ones. The path is valid only during the call: whoever keeps it copies it.
 * @param known maps and lists with what they become, which need no walk: most of a service is its defaults
 */
export function mapScalars(
  root: unknown,
  keys: KeyNode,
  change: (value: string | number | boolean, node: KeyNode, path: Path) => unknown,
  known: ReadonlyMap<unknown, unknown> = NOTHING_KNOWN,
): unknown {
  const path: (string | number)[] = [];
  return walk(root, keys);

  function walk(value: unknown, node: KeyNode): unknown {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return change(value, node, path);
    }
    const become = known.get(value);
    if (become !== undefined) return become;
    if (Array.isArray(value)) return list(value, node);
    return isMap(value) ? map(value, node) : value;
  }

  function list(items: readonly unknown[], node: KeyNode): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (const [index, item] of items.entries()) {
      const changed = below(item, index, itemNode(node, item));
      if (changed === item) continue;
      copy ??= [...items];
      copy[index] = changed;
    }
    return copy ?? items;
  }

  function map(value: RawMap, node: KeyNode): RawMap {
    let copy: RawMap | undefined;
    for (const key of Object.keys(value)) {
      const changed = below(value[key], key, childNode(node, key));
      if (changed === value[key]) continue;
      copy ??= Object.assign(emptyMap(), value);
      copy[key] = changed;
    }
    return copy ?? value;
  }

  function below(value: unknown, key: string | number, node: KeyNode): unknown {
    path.push(key);
    const changed = walk(value, node);
    path.pop();
    return changed;
  }
}

/** Every map and list of a tree, with the one that has its place in another tree of the same shape. */
export function counterparts(tree: unknown, other: unknown): ReadonlyMap<unknown, unknown> {
  const found = new Map<unknown, unknown>();
  pair(tree, other);
  return found;

  function pair(one: unknown, its: unknown): void {
    if (typeof one !== 'object' || one === null) return;
    found.set(one, its);
    for (const key of Object.keys(one)) pair((one as RawMap)[key], (its as RawMap)[key]);
  }
}

function keyTree(facts: readonly KeyFact[]): KeyNode {
  const top = { pattern: '', fact: undefined, children: new Map<string, KeyNode>() };
  const nodes = new Map<string, { children: Map<string, KeyNode> }>([['', top]]);
  for (const fact of facts) {
    const dot = fact.path.lastIndexOf('.');
    const node = { pattern: fact.path, fact, children: new Map<string, KeyNode>() };
    nodes.get(dot < 0 ? '' : fact.path.slice(0, dot))?.children.set(fact.path.slice(dot + 1), node);
    nodes.set(fact.path, node);
  }
  return top;
}
