/** Is a value of the kind that it has to be? TypeScript alone is told that by a type; a program in JavaScript may give anything. */
import { STREAMS } from '../api/logs-request.ts';
import { BODIES } from '../api/request-schemas.ts';

/** @returns what is to be written instead; undefined: it is right */
export type Kind = (value: unknown) => string | undefined;

function kind(wish: string, isRight: (value: unknown) => boolean): Kind {
  return (value) => (isRight(value) ? undefined : wish);
}

/** Also of another realm (`node:vm`), which has classes of its own: instanceof knows none of them. */
function isA(tag: string): (value: unknown) => boolean {
  return (value) => tagOf(value) === tag;
}

/** `Object`, also for instances of classes that name none; `Map`, `Date`, `Null`, … (ECMAScript 20.1.3.6). */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/**
 * Is all that it says in keys of its own? A Map, a list, and what hides its values behind a class look empty, or like
 * something else, to who asks for the keys.
 */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

/** As the daemon takes numbers. */
function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

export const FLAG = kind('write true or false', (value) => typeof value === 'boolean');
export const COUNT = kind('write a whole number', isCount);
export const COUNT_OR_AUTO = kind(
  'write a whole number, or auto',
  (value) => isCount(value) || value === 'auto',
);
export const MILLISECONDS = kind('write a whole number of milliseconds', isCount);
/** Also for ever. */
export const PATIENCE = kind(
  'write a number of milliseconds',
  (value) => typeof value === 'number' && value >= 0,
);
export const TEXT = kind('write a text', isText);
export const TEXTS = kind('write a list of texts', isListOfTexts);
export const TEXT_OR_TEXTS = kind(
  'write a text, or a list of texts',
  (value) => isText(value) || isListOfTexts(value),
);
/** An empty one would be the working directory. */
export const PATH = kind('write a path', (value) => isText(value) && value !== '');
export const NAME = kind('write the name of a service', isText);
export const NAMES = kind(
  'write the name of a service, or a list of names',
  (value) => isText(value) || isListOfTexts(value),
);
export const DATE = kind('write a Date', isA('Date'));
export const PATTERN = kind(
  'write a regular expression, or a text',
  (value) => isText(value) || isA('RegExp')(value),
);
export const SIGNAL = kind('write an AbortSignal', (value) => value instanceof AbortSignal);
export const FUNCTION = kind('write a function', (value) => typeof value === 'function');
/** `process.env` is one, and not plain. */
export const OBJECT = kind('write an object', isA('Object'));
/** What a program starts with. */
export const VARIABLES = kind(
  'write an object of texts',
  (value) =>
    typeof value === 'object' &&
    OBJECT(value) === undefined &&
    Object.values(value ?? {}).every((each) => each === undefined || isText(each)),
);
/** Checked by who knows more about it. */
export const ANYTHING: Kind = () => undefined;
export const SERVICES = kind('write a plain object: definitions by the names of services', isPlain);

export const CONTAINMENT = oneOf(['process_group', 'cgroup', 'auto']);
export const GOAL = oneOf(BODIES.wait.properties.for.enum);
export const ON_FAILURE = oneOf(BODIES.update.properties.on_failure.enum);
export const STREAM = oneOf(STREAMS);

function oneOf(words: readonly unknown[]): Kind {
  return kind(`write one of ${words.join(', ')}`, (value) => words.includes(value));
}
