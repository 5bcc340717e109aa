/** Where do the keys of a file stand, asked only once somebody wants to know? */
import type { Position } from '../model/spec.ts';
import { parseYaml } from './parse.ts';
import { type Origin, type Path, pathText } from './raw-tree.ts';
import type { SourceText } from './source-text.ts';

/**
 * Parses its text at the first question: keeping the nodes of five hundred files would cost more than parsing the one
 * that a diff or an error is about once more.
 */
export class LaterSource implements Origin {
  readonly text: string;
  /** As shown to people. */
  readonly file: string;
  readonly #scalars: ReadonlyMap<string, string> | undefined;
  #parsed: SourceText | 'broken' | undefined;

  /** @param scalars the characters of all scalars that are no text, by key path, when they are known already */
  constructor(text: string, file: string, scalars?: ReadonlyMap<string, string>) {
    this.text = text;
    this.file = file;
    this.#scalars = scalars;
  }

  place(path: Path, of: 'key' | 'value'): { readonly file: string } & Partial<Position> {
    return this.#source()?.place(path, of) ?? { file: this.file };
  }

  source(path: Path): string | undefined {
    if (this.#scalars !== undefined) return this.#scalars.get(pathText(path));
    return this.#source()?.source(path);
  }

  name(path: Path): string {
    return pathText(path);
  }

  positions(): ReadonlyMap<string, Position> {
    return new LaterPositions(() => this.#source()?.positions() ?? new Map());
  }

  #source(): SourceText | undefined {
    if (this.#parsed === undefined) {
      const parsed = parseYaml(this.text, this.file);
      this.#parsed = 'source' in parsed ? parsed.source : 'broken';
    }
    return this.#parsed === 'broken' ? undefined : this.#parsed;
  }
}

class LaterPositions implements ReadonlyMap<string, Position> {
  readonly #make: () => ReadonlyMap<string, Position>;
  #made: ReadonlyMap<string, Position> | undefined;

  constructor(make: () => ReadonlyMap<string, Position>) {
    this.#make = make;
  }

  get size(): number {
    return this.#map().size;
  }

  get(path: string): Position | undefined {
    return this.#map().get(path);
  }

  has(path: string): boolean {
    return this.#map().has(path);
  }

  forEach(callback: (value: Position, key: string, map: ReadonlyMap<string, Position>) => void): void {
    this.#map().forEach((value, key) => {
      callback(value, key, this);
    });
  }

  entries(): MapIterator<[string, Position]> {
    return this.#map().entries();
  }

  keys(): MapIterator<string> {
    return this.#map().keys();
  }

  values(): MapIterator<Position> {
    return this.#map().values();
  }

  [Symbol.iterator](): MapIterator<[string, Position]> {
    return this.#map().entries();
  }

  #map(): ReadonlyMap<string, Position> {
    this.#made ??= this.#make();
    return this.#made;
  }
}
