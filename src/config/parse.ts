/** Is this text YAML that we take, and what does it say? */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
} from 'yaml';
import type { Problem } from '../model/problem.ts';
import { count } from '../model/units.ts';
import { inOrder } from './in-order.ts';
import { emptyMap, isVariable, type Path, pathText, type RawMap } from './raw-tree.ts';
import { SourceText } from './source-text.ts';

/** More is no definition that a person wrote. It bounds the time for noise, at about a quarter of a second. */
const MOST_TOKENS = 60_000;

/** Values after aliases are followed: nine lines of YAML can stand for a billion. */
const MOST_VALUES = 20_000;

const MOST_DEPTH = 50;

/**
 * Deeper than this nothing is composed at all: the parser calls itself for each level, and where the stack is nearly
 * used up, V8 ends the whole process as soon as it has to compile a regular expression, which nobody can catch.
 */
const MOST_OPEN = 150;

/** So many problems are told about one file, and one more; where there are others, that one counts them. */
const MOST_PROBLEMS = 20;

/** One sign that is missing can make nonsense of all that comes after it: more would hide the first. */
const MOST_OF_SYNTAX = 3;

/** Everything but tab and line breaks below U+0020, and what is no character (YAML 1.2.2, section 5.1). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd-\uffff]/;

/** The tags of the core schema, which plain values have anyway. */
const CORE_TAG = /^tag:yaml\.org,2002:(map|seq|str|null|bool|int|float)$/;

type Node = ParsedNode | null;

/**
 * Reads one YAML 1.2 document (core schema, plus `<<` merge keys).
 * @param file as shown to people
 * @returns the tree (maps without prototype) and where its parts stand in the text; or what is wrong, at most 21
 * problems
 */
export function parseYaml(
  text: string,
  file: string,
): { readonly tree: unknown; readonly source: SourceText } | { readonly problems: readonly Problem[] } {
  const bad = UNPRINTABLE.exec(text);
  if (bad !== null) return { problems: [unprintable(text, bad.index, file)] };
  const documents = compose(text);
  if (documents === 'too large') {
    const message = `more than ${MOST_TOKENS} words and signs: this is no definition`;
    return { problems: [{ code: 'yaml-syntax', severity: 'error', message, file }] };
  }
  if ('tooDeep' in documents) {
    const message = `nested more than ${MOST_DEPTH} deep`;
    return {
      problems: [new SourceText(text, file, null).problem('yaml-syntax', documents.tooDeep, message)],
    };
  }
  const [document, second] = documents;
  const source = new SourceText(text, file, document?.contents ?? null);
  const errors = documents
    .flatMap((each) => each.errors)
    .sort((a, b) => a.pos[0] - b.pos[0])
    .map((error) => syntaxProblem(error, source));
  if (errors.length > 0)
    return { problems: bounded(errors, MOST_OF_SYNTAX, ', which may follow from these') };
  if (second !== undefined) {
    const message = 'a second document: one file holds one document';
    return { problems: [source.problem('yaml-syntax', second.range[0], message)] };
  }
  if (document?.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    const message = `YAML ${document.directives.yaml.version}: files are read as YAML 1.2`;
    return { problems: [source.problem('yaml-syntax', 0, message)] };
  }
  const reader = new TreeReader(source);
  const tree = reader.read(document?.contents ?? null, [], 0);
  return reader.problems.length > 0 ? { problems: bounded(reader.problems) } : { tree, source };
}

/**
 * All of the problems; where there are many, the first in the file, and one that counts the others, stands where the
 * first of them does, and says `ofOthers` about them. It never takes the line of a single one.
 */
export function bounded(
  problems: readonly Problem[],
  most = MOST_PROBLEMS,
  ofOthers = '',
): readonly Problem[] {
  if (problems.length <= most + 1) return problems;
  const sorted = inOrder(problems);
  const shown = sorted.slice(0, most);
  const next = sorted[most];
  if (next === undefined) return shown;
  const message = `and ${count(problems.length - most, 'more problem')} in this file${ofOthers}`;
  const { hint: _, path: __, ...rest } = next;
  return [...shown, { ...rest, message }];
}

/** @returns `tooDeep`: the place in the text where it becomes so */
function compose(text: string): readonly Document.Parsed[] | 'too large' | { readonly tooDeep: number } {
  let tokens = 0;
  const parser = new Parser();
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    logLevel: 'silent',
    // Looked for in TreeReader: here it takes a time that grows with the square of the keys.
    uniqueKeys: false,
  });
  const documents: Document.Parsed[] = [];
  try {
    for (const lexeme of new Lexer().lex(text)) {
      if (++tokens > MOST_TOKENS) return 'too large';
      for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
      if (parser.stack.length > MOST_OPEN) return { tooDeep: Math.min(parser.offset, text.length) };
    }
    for (const token of parser.end()) documents.push(...composer.next(token));
    documents.push(...composer.end(false, text.length));
  } catch (error) {
    // The parser calls itself for each level; no definition is nested that deep.
    if (error instanceof RangeError) return 'too large';
    throw error;
  }
  return documents;
}

function unprintable(text: string, offset: number, file: string): Problem {
  const code = (text.codePointAt(offset) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message = code === 'FFFD' ? 'this is no UTF-8 text' : `U+${code} is no character of a YAML text`;
  return new SourceText(text, file, null).problem('yaml-syntax', offset, message, 'is it a binary file?');
}

const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BLOCK_AS_IMPLICIT_KEY: 'put a text that contains ": " in quotes',
  MULTILINE_IMPLICIT_KEY: 'is a colon missing, or the indent wrong?',
  BAD_ALIAS: 'put a text that begins with * in quotes',
};

function syntaxProblem(
  error: { readonly code: string; readonly message: string; readonly pos: [number, number] },
  source: SourceText,
): Problem {
  const line = error.message.split('\n', 1)[0] ?? '';
  const message = line.length > 160 ? `${line.slice(0, 157)}...` : line;
  const deep = message.includes('call stack');
  return source.problem('yaml-syntax', error.pos[0], deep ? 'nested too deeply' : message, HINTS[error.code]);
}

const TAG_HINT = 'put a text that begins with ! in quotes';

const NO_ANCHOR = 'no such anchor before this';

interface Anchored {
  readonly node: ParsedNode;
  readonly value: unknown;
  readonly size: number;
}

/** Nodes to plain values, and whatever YAML allows but a definition must not do. */
class TreeReader {
  readonly problems: Problem[] = [];
  readonly #source: SourceText;
  readonly #anchors = new Map<string, Anchored>();
  #size = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  read(node: Node, path: Path, depth: number): unknown {
    if (node === null) return null;
    this.#size += 1;
    if (depth > MOST_DEPTH) return this.#refuse(node, path, `nested more than ${MOST_DEPTH} deep`);
    if (isAlias(node)) return this.#follow(node.source, node, path);
    if (node.tag !== undefined && !CORE_TAG.test(node.tag)) {
      const tag = isVariable(path) ? 'a tag' : `the tag ${node.tag.slice(0, 60)}`;
      return this.#refuse(node, path, `${tag} means nothing here`, TAG_HINT);
    }
    const before = this.#size;
    const value = this.#value(node, path, depth);
    if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, { node, value, size: this.#size - before + 1 });
    }
    return value;
  }

  #value(
    node: Exclude<ParsedNode, { source: string; resolve: unknown }>,
    path: Path,
    depth: number,
  ): unknown {
    if (isSeq(node)) {
      return node.items.map((item, index) => this.read(item as Node, [...path, index], depth + 1));
    }
    if (isMap(node)) return this.#map(node, path, depth);
    if (!isScalar(node)) return null;
    if (typeof node.value === 'string' && node.value.includes('\0')) {
      return this.#refuse(node, path, 'a NUL character, which no value may hold');
    }
    return typeof node.value === 'bigint' ? Number(node.value) : node.value;
  }

  #map(node: { readonly items: readonly unknown[] }, path: Path, depth: number): RawMap {
    const map = emptyMap();
    const merges: unknown[] = [];
    for (const pair of node.items as readonly { key: Node; value: Node }[]) {
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof name !== 'string' || name.includes('\0')) {
        this.#refuse(pair.key ?? (node as Node), path, 'a key must be a text: put it in quotes');
      } else if (name === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merges.push(this.#mergeKey(pair.value, path, depth));
      } else if (Object.hasOwn(map, name)) {
        this.#refuse(pair.key, [...path, name], `duplicate key ${JSON.stringify(name)}`, 'each key once');
      } else {
        map[name] = this.read(pair.value, [...path, name], depth + 1);
      }
    }
    for (const from of merges.flat()) this.#mergeInto(map, from as RawMap);
    return map;
  }

  #mergeKey(value: Node, path: Path, depth: number): unknown {
    const from = this.read(value, [...path, '<<'], depth + 1);
    const maps = Array.isArray(from) ? from : [from];
    if (maps.every((map) => typeof map === 'object' && map !== null && !Array.isArray(map))) return maps;
    this.#refuse(value, path, '<<: takes a map or a list of maps');
    return [];
  }

  #mergeInto(map: RawMap, from: RawMap): void {
    for (const key of Object.keys(from)) if (!Object.hasOwn(map, key)) map[key] = from[key];
  }

  #follow(name: string, node: ParsedNode, path: Path): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const says = isVariable(path) ? NO_ANCHOR : `no anchor &${name.slice(0, 60)} before this`;
      return this.#refuse(node, path, says, HINTS['BAD_ALIAS']);
    }
    this.#source.stands(node, target.node);
    this.#size += target.size;
    if (this.#size > MOST_VALUES) {
      return this.#refuse(node, path, `its aliases stand for more than ${MOST_VALUES} values`);
    }
    return structuredCopy(target.value);
  }

  #refuse(node: Node, path: Path, says: string, hint?: string): null {
    const name = pathText(path);
    const message = name === '' || says.startsWith('duplicate') ? says : `${name}: ${says}`;
    const problem = this.#source.problem('yaml-syntax', node?.range?.[0] ?? 0, message, hint);
    this.problems.push(name === '' ? problem : { ...problem, path: name });
    return null;
  }
}

function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (typeof value !== 'object' || value === null) return value;
  const copy = emptyMap();
  for (const [key, inner] of Object.entries(value)) copy[key] = structuredCopy(inner);
  return copy;
}
