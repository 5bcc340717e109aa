/** What is a raw tree, and how are its places named? */
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { Position } from '../model/spec.ts';

/**
 * A map as it was written. It has no prototype, so that `constructor` and `__proto__` are keys like any other and no
 * lookup finds what nobody wrote.
 */
export type RawMap = { [key: string]: unknown };

/** Keys and list indexes from the top. */
export type Path = readonly (string | number)[];

/** Where the values of a raw tree come from: a file, the environment, the command line. */
export interface Origin {
  /** The place of a key (or of its value), or of the nearest one above it that is there. */
  place(path: Path, of: 'key' | 'value'): { readonly file?: string } & Partial<Position>;
  /** The characters of a plain scalar; undefined when there is none at this path. */
  source(path: Path): string | undefined;
  /** What a person calls this place: the key path, or the name of a variable or flag. */
  name(path: Path): string;
  /** Where a value is written that has another path once the tree is complete; absent: where it is. */
  written?(path: Path): Path;
}

/** Of a definition whose file is not there any more. */
export const NO_ORIGIN: Origin = { place: () => ({}), source: () => undefined, name: pathText };

export function emptyMap(): RawMap {
  return Object.create(null) as RawMap;
}

export function isMap(value: unknown): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `process.args[0]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    text += typeof key === 'number' ? `[${key}]` : text === '' ? key : `.${key}`;
  }
  return text;
}

/** Whether it is the value of a variable: what stands there may be a secret, and is quoted in no sentence. */
export function isVariable(path: Path): boolean {
  return path.some((key, index) => key === 'env' && path[index - 1] === 'process');
}

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** Maps are merged key by key, everything else is replaced; the later tree wins. Neither is changed. */
export function merged(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (!isMap(under) || !isMap(over)) return over;
  const result = emptyMap();
  for (const key of Object.keys(under)) result[key] = under[key];
  for (const key of Object.keys(over)) result[key] = merged(result[key], over[key]);
  return result;
}

/** A problem with the value (or the key) at a path. */
export function problemAt(
  origin: Origin,
  path: Path,
  detail: {
    readonly code: ProblemCode;
    readonly says: string;
    readonly hint?: string | undefined;
    readonly of?: 'key' | 'value';
    readonly severity?: Problem['severity'];
  },
): Problem {
  const name = origin.name(path);
  const written = origin.written?.(path) ?? path;
  return {
    code: detail.code,
    severity: detail.severity ?? 'error',
    message: name === '' ? detail.says : `${name}: ${detail.says}`,
    ...origin.place(path, detail.of ?? 'value'),
    ...(path.length === 0 ? {} : { path: pathText(written) }),
    ...(detail.hint === undefined ? {} : { hint: detail.hint }),
  };
}
