/** A whole service file: which of its values are right, which are wrong, and on which lines do they stand? */
import fc from 'fast-check';
import { KEYS, NEEDED, type Written } from './keys.ts';

export interface Value extends Written {
  readonly path: string;
}

export interface ServiceDocument {
  readonly text: string;
  readonly values: readonly Value[];
  /** Of each value, 1-based. */
  readonly lines: ReadonlyMap<string, number>;
}

interface Style {
  /** Groups that stand in one line. */
  readonly flow: readonly boolean[];
  readonly indent: number;
  readonly comments: readonly boolean[];
  readonly ending: string;
}

const style: fc.Arbitrary<Style> = fc.record({
  flow: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  indent: fc.constantFrom(1, 2, 2, 4, 8),
  comments: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  ending: fc.constantFrom('\n', '\n', '\n', '\r\n'),
});

const values: fc.Arbitrary<readonly Value[]> = fc
  .shuffledSubarray([...KEYS], { maxLength: 9 })
  .chain((keys) =>
    fc.tuple(...keys.map((key) => key.value.map((written): Value => ({ path: key.path, ...written })))),
  )
  .map((all: readonly Value[]) => {
    // What runs by the clock runs one at a time.
    const isScheduled = all.some(({ path }) => path.startsWith('process.schedule'));
    return isScheduled ? all.filter(({ path }) => path !== 'instances') : all;
  });

export const serviceDocuments: fc.Arbitrary<ServiceDocument> = fc
  .tuple(values, style)
  .map(([all, how]) => new Composer(all, how).document());

type Tree = Map<string, Tree | Value>;

class Composer {
  readonly #values: readonly Value[];
  readonly #style: Style;
  readonly #lines: string[] = [];
  readonly #places = new Map<string, number>();
  #groups = 0;

  constructor(values: readonly Value[], style: Style) {
    this.#values = values;
    this.#style = style;
  }

  document(): ServiceDocument {
    const tree: Tree = new Map([['process', new Map()]]);
    for (const value of this.#values) {
      const keys = value.path.split('.');
      let map = tree;
      for (const key of keys.slice(0, -1)) {
        const inner = (map.get(key) as Tree | undefined) ?? new Map();
        map.set(key, inner);
        map = inner;
      }
      map.set(keys.at(-1)!, value);
    }
    this.#block(tree, '', 0);
    const { ending } = this.#style;
    const text = `${this.#lines.join(ending)}${ending}`;
    return { text, values: this.#values, lines: this.#places };
  }

  #block(tree: Tree, path: string, depth: number): void {
    const blanks = ' '.repeat(depth * this.#style.indent);
    const needed = NEEDED[path];
    if (needed !== undefined) this.#lines.push(blanks + needed);
    for (const [key, inner] of tree) {
      const at = path === '' ? key : `${path}.${key}`;
      if (this.#lines.length % 5 === 0 && this.#style.comments[depth])
        this.#lines.push(`${blanks}# of ${at}`);
      if (!(inner instanceof Map)) {
        this.#places.set(at, this.#lines.length + 1);
        this.#lines.push(`${blanks}${key}: ${inner.yaml}`.trimEnd());
      } else if (this.#style.flow[this.#groups++ % 4]) {
        this.#lines.push(`${blanks}${key}: ${this.#flow(inner, at)}`);
      } else {
        this.#lines.push(`${blanks}${key}:`);
        this.#block(inner, at, depth + 1);
      }
    }
  }

  #flow(tree: Tree, path: string): string {
    const needed = NEEDED[path];
    const parts = [...tree].map(([key, inner]) => {
      const at = `${path}.${key}`;
      if (inner instanceof Map) return `${key}: ${this.#flow(inner, at)}`;
      this.#places.set(at, this.#lines.length + 1);
      return `${key}: ${inner.yaml}`;
    });
    return `{${[...(needed === undefined ? [] : [needed]), ...parts].join(', ')}}`;
  }
}
