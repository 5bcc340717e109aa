/** What does a file of the program say, apart from its comments and texts, and what does it import? */

export interface SourceFile {
  /** Below src/: `policy/restart.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments, texts and patterns blanked out; every line is where it was. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As it is written: `../model/spec.ts`, `node:fs`, `yaml`. */
  readonly from: string;
  /** For a file of our own: its path below src/. */
  readonly file: string | undefined;
  readonly dynamic: boolean;
}

export function sourceFile(path: string, text: string): SourceFile {
  const code = blanked(text);
  return { path, text, code, imports: importsOf(path, text, code) };
}

/** The room of a file: `policy`; '' for a file that stands in src/ itself. */
export function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

/** 1-based. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

const STATIC = /(?<=^|[;\n])[ \t]*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*(['"])([^'"\n]+)\1/g;
const DYNAMIC = /\bimport\(\s*(['"])([^'"\n]+)\1\s*\)/g;

function importsOf(path: string, text: string, code: string): readonly Import[] {
  const imports: Import[] = [];
  for (const [pattern, dynamic] of [
    [STATIC, false],
    [DYNAMIC, true],
  ] as const) {
    for (const match of text.matchAll(pattern)) {
      // What looks like an import in a comment or a text is none.
      if (!/^\s*(?:import|export)/.test(code.slice(match.index, match.index + match[0].length))) continue;
      const from = match[2] ?? '';
      imports.push({ from, file: from.startsWith('.') ? resolved(path, from) : undefined, dynamic });
    }
  }
  return imports;
}

function resolved(path: string, from: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of from.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Where a slash begins a pattern and is no division: at the start, or after these. */
const BEFORE_PATTERN = /(?:^|[(,=:[!&|?{};<>+\-*%~^]|\b(?:return|typeof|case|of|in|await|yield))\s*$/;

/** Blanks everything that is not code, by reading it once from left to right. */
function blanked(text: string): string {
  let code = '';
  let at = 0;
  /** Depth of braces within each `${` that is open. */
  const templates: number[] = [];

  const blank = (end: number): void => {
    code += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  const afterMatch = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    return match === null ? text.length : match.index + match[0].length;
  };
  /** From a backtick or the end of a `${}` to the next `${` or the closing backtick. */
  const template = (): void => {
    const end = afterMatch(/(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:\$\{|`)/y);
    if (text.slice(at, end).endsWith('${')) templates.push(0);
    blank(end);
  };

  while (at < text.length) {
    const one = text[at] ?? '';
    const two = text.slice(at, at + 2);
    if (two === '//') blank(afterMatch(/[^\n]*/y));
    else if (two === '/*') blank(afterMatch(/\*\//g));
    else if (one === "'" || one === '"') {
      blank(afterMatch(one === "'" ? /'(?:\\[\s\S]|[^'\\\n])*'?/y : /"(?:\\[\s\S]|[^"\\\n])*"?/y));
    } else if (one === '/' && BEFORE_PATTERN.test(code.slice(-40))) {
      blank(afterMatch(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y));
    } else if (one === '`') {
      blank(at + 1);
      template();
    } else if (one === '}' && templates.at(-1) === 0) {
      templates.pop();
      blank(at + 1);
      template();
    } else {
      const depth = templates.pop();
      if (depth !== undefined) templates.push(depth + (one === '{' ? 1 : one === '}' ? -1 : 0));
      code += one;
      at += 1;
    }
  }
  return code;
}
