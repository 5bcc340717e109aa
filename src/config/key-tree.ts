/** Which key of a schema does a place in a raw tree belong to? */
import { type KeyFact, SERVICE_KEYS, SETTING_KEYS } from '../model/keys.ts';
import { emptyMap, isMap, type Path } from './raw-tree.ts';

/** A key of the schema with the keys below it. Items of a list belong to the key of the list; maps in it to `*`. */
export interface KeyNode {
  /** As in the tables of keys: `process.env.*`; '' for the top. */
  readonly pattern: string;
  readonly fact: KeyFact | undefined;
  readonly children: ReadonlyMap<string, KeyNode>;
}

export const SERVICE_TREE = keyTree(SERVICE_KEYS);
export const SETTING_TREE = keyTree(SETTING_KEYS);

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
 * A copy of the tree in which every scalar is replaced by what `change` answers. The path is valid only during the
 * call: whoever keeps it copies it.
 */
export function mapScalars(
  root: unknown,
  keys: KeyNode,
  change: (value: string | number | boolean, node: KeyNode, path: Path) => unknown,
): unknown {
  const path: (string | number)[] = [];
  return walk(root, keys);

  function walk(value: unknown, node: KeyNode): unknown {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return change(value, node, path);
    }
    if (Array.isArray(value)) return value.map((item, index) => below(item, index, itemNode(node, item)));
    if (!isMap(value)) return value;
    const copy = emptyMap();
    for (const key of Object.keys(value)) copy[key] = below(value[key], key, childNode(node, key));
    return copy;
  }

  function below(value: unknown, key: string | number, node: KeyNode): unknown {
    path.push(key);
    const changed = walk(value, node);
    path.pop();
    return changed;
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
