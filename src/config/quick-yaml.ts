/** What does a text say that only uses the everyday part of YAML? */
import { emptyMap, type Path, pathText, type RawMap } from './raw-tree.ts';

export interface QuickTree {
  readonly tree: RawMap;
  /** The characters of each scalar that is no text, by key path. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Letters of many languages, but no space or line break besides those of ASCII. */
const EVERYDAY = /^[\n\x20-\x7e\u00a1-\u00ac\u00ae-\u052f\u4e00-\u9fff]*$/;

/** Larger and deeper texts are left to the parser that knows the limits. */
const MOST_CHARACTERS = 65_536;
const MOST_DEPTH = 20;

const KEY = /^([A-Za-z_][A-Za-z0-9_.-]{0,200}):(?: +(.+))?$/;

/** Words that the core schema takes for something else than text (YAML 1.2.2, section 10.3.2). */
const NO_TEXT = /^(?:null|Null|NULL|true|True|TRUE|false|False|FALSE)$/;

/** Numbers of every kind, also those that are left to the full parser. */
const NUMBER_LIKE = /^[-+.]?(?:[0-9]|\.[0-9]|\.?(?:inf|Inf|INF|nan|NaN|NAN)$)/;

const PLAIN_START = /^[A-Za-z0-9_./$-]/;

/**
 * The same tree as parse.ts makes, some ten times faster; undefined for every text that has anything unusual in it:
 * block scalars, anchors, tags, escapes, nested flow collections, multi-line values, empty values, mistakes. All of
 * those are left to the full parser, so that there is one judge of what is wrong.
 */
export function quickYaml(text: string): QuickTree | undefined {
  if (text.length > MOST_CHARACTERS || !EVERYDAY.test(text)) return undefined;
  const reader = new QuickReader(text);
  const tree = reader.map(0, []);
  if (tree === undefined || !reader.done) return undefined;
  return { tree, sources: reader.sources };
}

interface Line {
  readonly indent: number;
  readonly text: string;
}

class QuickReader {
  readonly sources = new Map<string, string>();
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split('\n').flatMap(contentLine);
  }

  get done(): boolean {
    return this.#at === this.#lines.length;
  }

  /** The keys at exactly this indent; undefined when something is unusual. */
  map(indent: number, path: Path): RawMap | undefined {
    const map = emptyMap();
    let empty = true;
    if (path.length > MOST_DEPTH) return undefined;
    for (let line = this.#lines[this.#at]; line !== undefined && line.indent >= indent; ) {
      const [, key, rest] = KEY.exec(line.text) ?? [];
      if (line.indent !== indent || key === undefined || NO_TEXT.test(key) || key in map) return undefined;
      this.#at += 1;
      const inside = [...path, key];
      const value =
        rest === undefined || rest.startsWith('#')
          ? this.#nested(indent, inside)
          : this.#inline(rest, inside);
      if (value === undefined) return undefined;
      map[key] = value;
      empty = false;
      line = this.#lines[this.#at];
      if (rest !== undefined && line !== undefined && line.indent > indent) return undefined;
    }
    return empty ? undefined : map;
  }

  /** What stands below a key: a map that is indented more, or a list that may be indented as much. */
  #nested(indent: number, path: Path): unknown {
    const next = this.#lines[this.#at];
    if (next === undefined || next.indent < indent) return undefined;
    if (next.text.startsWith('- ')) return this.#list(next.indent, path);
    return next.indent > indent ? this.map(next.indent, path) : undefined;
  }

  #list(indent: number, path: Path): readonly unknown[] | undefined {
    const items: unknown[] = [];
    for (let line = this.#lines[this.#at]; line !== undefined && line.indent >= indent; ) {
      if (line.indent !== indent) return undefined;
      if (!line.text.startsWith('- ')) break;
      this.#at += 1;
      const value = this.#scalar(line.text.slice(2).trimStart(), [...path, items.length]);
      if (value === undefined) return undefined;
      items.push(value);
      line = this.#lines[this.#at];
    }
    return items;
  }

  #inline(text: string, path: Path): unknown {
    return text.startsWith('[') ? this.#flowList(text, path) : this.#scalar(text, path);
  }

  #scalar(text: string, path: Path): unknown {
    const quoted = /^(?:"([^"\\]*)"|'([^']*)')(?: +#.*)?$/.exec(text);
    if (quoted !== null) return quoted[1] ?? quoted[2];
    const comment = text.indexOf(' #');
    const plain = comment < 0 ? text : text.slice(0, comment).trimEnd();
    return this.#plain(plain, path);
  }

  #flowList(text: string, path: Path): readonly unknown[] | undefined {
    const inner = /^\[ *(.*?) *\](?: +#.*)?$/.exec(text)?.[1];
    if (inner === undefined) return undefined;
    const items: unknown[] = [];
    for (let rest = inner; rest !== ''; ) {
      const match = /^(?:"([^"\\]*)"|'([^']*)'|([^"'[\]{},#&*!|>%@`?]+?)) *(?:, *(?=[^ ])|$)/.exec(rest);
      if (match === null) return undefined;
      const [whole, double, single, plain] = match;
      const value = plain === undefined ? (double ?? single) : this.#plain(plain, [...path, items.length]);
      if (value === undefined) return undefined;
      items.push(value);
      rest = rest.slice(whole.length);
    }
    return items;
  }

  /** Text, a whole or decimal number, true or false. */
  #plain(text: string, path: Path): unknown {
    if (!PLAIN_START.test(text) || /: |:$|^-( |$)|\t/.test(text)) return undefined;
    if (NUMBER_LIKE.test(text)) return this.#number(text, path);
    if (!NO_TEXT.test(text)) return text;
    const word = text.toLowerCase();
    if (word === 'null') return undefined;
    this.sources.set(pathText(path), text);
    return word === 'true';
  }

  /** What only begins like a number (`30s`, `1.2.3`) is text. */
  #number(text: string, path: Path): unknown {
    if (/^(?:0|-?[1-9][0-9]{0,14}|0[0-9]{1,14}|[0-9]{1,8}\.[0-9]{1,6})$/.test(text)) {
      this.sources.set(pathText(path), text);
      return Number(text);
    }
    // A letter that is in no number: `e` is in 1e5, and 0x and 0o begin other numbers.
    return /^[0-9].*[A-DF-Za-df-z]/.test(text) && !/^0[ox]/.test(text) ? text : undefined;
  }
}

/** Blank lines and comments say nothing; `---`, `...` and `%` begin what is unusual. */
function contentLine(text: string): readonly Line[] {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return [];
  return [{ indent: text.length - text.trimStart().length, text: trimmed }];
}
