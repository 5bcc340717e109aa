/** Where in its file does a key or a value stand, and how is it written there? */
import { isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { Position } from '../model/spec.ts';
import { type Origin, type Path, pathText } from './raw-tree.ts';

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
}

export class SourceText implements Origin {
  readonly text: string;
  /** As shown to people. */
  readonly file: string;
  readonly #root: Node | null;
  readonly #targets = new Map<Node, Node>();
  #lineStarts: readonly number[] | undefined;

  constructor(text: string, file: string, root: Node | null) {
    this.text = text;
    this.file = file;
    this.#root = root;
  }

  /** Tells which node an alias stands for: the last one of its name before it. */
  stands(alias: Node, target: Node): void {
    this.#targets.set(alias, target);
  }

  place(path: Path, of: 'key' | 'value'): { readonly file: string } & Position {
    const found = this.#find(path);
    const node = found.exact && of === 'key' ? (found.key ?? found.value) : (found.value ?? found.key);
    return { file: this.file, ...this.#position(node?.range?.[0] ?? 0) };
  }

  source(path: Path): string | undefined {
    const found = this.#find(path);
    return found.exact && isScalar(found.value) ? found.value.source : undefined;
  }

  name(path: Path): string {
    return pathText(path);
  }

  problem(code: ProblemCode, offset: number, message: string, hint?: string): Problem {
    const place = { file: this.file, ...this.#position(offset) };
    return { code, severity: 'error', message, ...place, ...(hint === undefined ? {} : { hint }) };
  }

  /** Every key path of the file with its position: of the key in a map, of the item in a list. */
  positions(): ReadonlyMap<string, Position> {
    const positions = new Map<string, Position>();
    this.#collect(this.#root, [], positions);
    return positions;
  }

  #collect(node: Node | null, path: Path, into: Map<string, Position>): void {
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        this.#note(item as Node, [...path, index], into);
        this.#collect(item as Node, [...path, index], into);
      });
    } else if (isMap(node)) {
      for (const pair of node.items) {
        if (!isScalar(pair.key) || typeof pair.key.value !== 'string') continue;
        this.#note(pair.key, [...path, pair.key.value], into);
        this.#collect(pair.value as Node | null, [...path, pair.key.value], into);
      }
    }
  }

  #note(node: Node | null, path: Path, into: Map<string, Position>): void {
    const offset = node?.range?.[0];
    if (offset !== undefined) into.set(pathText(path), this.#position(offset));
  }

  #find(path: Path): Found & { readonly exact: boolean } {
    let found: Found = { key: null, value: this.#root };
    for (const key of path) {
      const next = this.#child(found.value, key);
      if (next === undefined) return { ...found, exact: false };
      found = next;
    }
    return { ...found, exact: true };
  }

  #child(parent: Node | null, key: string | number): Found | undefined {
    const node = this.#target(parent);
    if (isSeq(node)) {
      const item = typeof key === 'number' ? node.items[key] : undefined;
      return item === undefined ? undefined : { key: null, value: this.#target(item as Node) };
    }
    if (!isMap(node)) return undefined;
    for (const pair of node.items) {
      if (isScalar(pair.key) && pair.key.value === key) {
        return { key: pair.key as Node, value: this.#target(pair.value as Node | null) };
      }
    }
    return this.#mergedChild(node.items, key);
  }

  /** Keys that came by `<<`. */
  #mergedChild(items: readonly { key: unknown; value: unknown }[], key: string | number): Found | undefined {
    for (const pair of items) {
      if (!isScalar(pair.key) || pair.key.value !== '<<') continue;
      const from = this.#target(pair.value as Node | null);
      for (const map of isSeq(from) ? from.items : [from]) {
        const found = isSeq(map) ? undefined : this.#child(map as Node | null, key);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #target(node: Node | null): Node | null {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  #position(offset: number): Position {
    this.#lineStarts ??= lineStarts(this.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
