/** Does a raw tree have the structure that its schema demands, and how is a mistake told to the person who made it? */
import type { KeyFact } from '../model/keys.ts';
import { keysBelow, SERVICE_KEYS, SETTING_KEYS } from '../model/keys.ts';
import { nearest } from '../model/nearest.ts';
import type { Problem } from '../model/problem.ts';
import { validateService, validateSettings } from './generated/validators.ts';
import { type Origin, type Path, pathText, problemAt, valueAt } from './raw-tree.ts';

/** One mistake, as ajv reports it. */
interface Mistake {
  /** JSON pointer. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Validator {
  (tree: unknown): boolean;
  readonly errors?: readonly Mistake[] | null;
}

const KINDS = {
  service: { validator: validateService as unknown as Validator, keys: SERVICE_KEYS },
  config: { validator: validateSettings as unknown as Validator, keys: SETTING_KEYS },
};

const HEADER = 'a token of RFC 9110, such as Host';
const METHOD = 'letters, such as GET';

/** What a name or text at this place must look like; the rest of a sentence. */
const GRAMMARS: Readonly<Record<string, string>> = {
  labels: 'letters, digits and . _ / - inside, at most 63',
  'process.env': 'letters, digits and _, no digit first',
  'process.required_env': 'letters, digits and _, no digit first',
  'process.inherit_env': 'letters, digits and _, no digit first',
  'process.rlimits': 'the names of prlimit(1), such as nofile or core',
  instances: 'a whole number from 0 to 999, or auto',
  port: 'a whole number from 1 to 65535, or auto',
  depends_on: 'the name of a service',
  'probes.startup.http.headers': HEADER,
  'probes.readiness.http.headers': HEADER,
  'probes.liveness.http.headers': HEADER,
  'probes.startup.http.method': METHOD,
  'probes.readiness.http.method': METHOD,
  'probes.liveness.http.method': METHOD,
  vars: 'letters, digits, _ and -, no digit first',
  cgroup_root: 'an absolute path',
  cgroup_name: '1 to 64 of A-Z a-z 0-9 . _ - and a letter or digit first',
};

/**
 * Unknown keys, wrong types, values out of range; grammars of units are looked at later, by read-units.ts.
 * @param below where the tree stands in its file: `[]`, or `['service_defaults']`
 */
export function validate(
  kind: 'service' | 'config',
  tree: unknown,
  origin: Origin,
  below: Path = [],
): readonly Problem[] {
  const { validator, keys } = KINDS[kind];
  if (validator(tree)) return [];
  const mistakes = validator.errors ?? [];
  const ofWrongType = new Set(
    mistakes.flatMap((each) => (each.keyword === 'type' ? [each.instancePath] : [])),
  );
  const told = new Map<string, Problem>();
  for (const mistake of mistakes) {
    // A value of the wrong type is none of the allowed words either; once is enough.
    if (mistake.keyword === 'enum' && ofWrongType.has(mistake.instancePath)) continue;
    const path = segments(mistake.instancePath, tree);
    const problem = problemOf(mistake, path, { tree, origin, below, keys });
    if (problem !== undefined) told.set(`${pathText(path)} ${problem.message}`, problem);
  }
  return [...told.values()];
}

interface Context {
  readonly tree: unknown;
  readonly origin: Origin;
  readonly below: Path;
  readonly keys: readonly KeyFact[];
}

function problemOf(mistake: Mistake, path: Path, context: Context): Problem | undefined {
  // The names of a map are told once, by `propertyNames` itself.
  if (mistake.schemaPath.includes('/propertyNames/')) return undefined;
  if (mistake.keyword === 'additionalProperties') {
    return unknownKey(path, String(mistake.params['additionalProperty']), context);
  }
  const at = [...context.below, ...path];
  if (mistake.keyword === 'propertyNames') {
    const name = String(mistake.params['propertyName']);
    return badName([...at, name], name, pathText(path), context.origin);
  }
  const value = valueAt(context.tree, path);
  const says = sentence(mistake, value, factAt(path, context.keys));
  const code = mistake.keyword === 'required' ? 'key-missing' : 'value-invalid';
  return problemAt(context.origin, at, { code, ...says });
}

function unknownKey(path: Path, name: string, { origin, below, keys }: Context): Problem {
  const at = [...below, ...path, name];
  const hint = hintForUnknown(path, name, keys);
  const place = origin.place(at, 'key');
  return {
    code: 'key-unknown',
    severity: 'error',
    message: `unknown key ${pathText(at).slice(0, 200)}`,
    ...place,
    path: pathText(at),
    ...(hint === undefined ? {} : { hint }),
  };
}

function hintForUnknown(path: Path, name: string, keys: readonly KeyFact[]): string | undefined {
  const parent = patternOf(path, keys);
  const here = keysBelow(parent, keys);
  const inMilliseconds = here.filter((key) => isDuration(parent === '' ? key : `${parent}.${key}`, keys));
  const begun = here.find((key) => key.startsWith(`${name}_`));
  const near = begun ?? nearest(name, [...here, ...inMilliseconds.map((key) => `${key}_ms`)]);
  if (near !== undefined) return `did you mean ${near}?`;
  const bare = name.replace(/_ms$/, '');
  const elsewhere = keys.filter((fact) => !fact.path.includes('*')).map((fact) => fact.path);
  const same = elsewhere.filter((candidate) => lastKey(candidate) === bare);
  const homes = same.map((candidate) => candidate.slice(0, -bare.length - 1));
  if (homes.includes('')) return 'it belongs to the top of the file';
  if (homes.length > 0) return `it belongs under ${homes.map((home) => `${home}:`).join(' or ')}`;
  // Another word and another place at once: only where the word is nearly right.
  const word = name.length < 6 ? undefined : nearest(name, elsewhere.map(lastKey), 1);
  if (word !== undefined)
    return `did you mean ${elsewhere.find((candidate) => lastKey(candidate) === word)}?`;
  return here.length > 0 && here.length <= 12 ? `known here: ${here.join(', ')}` : undefined;
}

function isDuration(path: string, keys: readonly KeyFact[]): boolean {
  return keys.some((fact) => fact.path === path && fact.unit === 'duration');
}

function badName(at: Path, name: string, map: string, origin: Origin): Problem {
  const grammar = GRAMMARS[map] ?? 'another grammar';
  return {
    code: 'value-invalid',
    severity: 'error',
    message: `${map}: ${JSON.stringify(name.slice(0, 80))} is no name for this: ${grammar}`,
    ...origin.place(at, 'key'),
    path: pathText(at),
  };
}

function sentence(
  { keyword, params }: Mistake,
  value: unknown,
  fact: KeyFact | undefined,
): { readonly says: string; readonly hint?: string | undefined } {
  switch (keyword) {
    case 'type':
      return wrongType(value, fact);
    case 'enum': {
      const words = fact?.values ?? [];
      const near = typeof value === 'string' ? nearest(value, words) : undefined;
      const says = `${shown(value)} is not one of ${words.join(', ')}`;
      return { says, hint: near === undefined ? undefined : `did you mean ${near}?` };
    }
    case 'minimum':
      return { says: `${shown(value)} is less than ${params['limit']}` };
    case 'maximum':
      return { says: `${shown(value)} is more than ${params['limit']}` };
    case 'minLength':
    case 'minItems':
      return { says: 'is empty' };
    case 'uniqueItems':
      return { says: 'says the same twice' };
    case 'maxLength':
      return { says: `is longer than ${params['limit']} characters` };
    case 'minProperties':
    case 'maxProperties':
      return { says: 'takes one key, file: or base64:' };
    case 'required':
      return { says: `${params['missingProperty']}: is missing` };
    case 'pattern':
      return { says: `${shown(value)} must be ${GRAMMARS[fact?.path ?? ''] ?? 'written otherwise'}` };
    default:
      return { says: `${shown(value)} cannot be used here` };
  }
}

function wrongType(value: unknown, fact: KeyFact | undefined): { says: string; hint?: string | undefined } {
  if (value === null) return { says: 'has no value', hint: 'remove the key or give it a value' };
  const wanted = fact?.type ?? 'a map of keys';
  const says = `${shown(value)} is not ${/^(true|a map)/.test(wanted) ? wanted : `of type ${wanted}`}`;
  if (wanted === 'true or false' && typeof value === 'string') {
    return { says, hint: 'yes, no, on and off are plain words in YAML 1.2' };
  }
  return { says, hint: fact?.example == null ? undefined : `for example ${lastLine(fact.example)}` };
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function factAt(path: Path, keys: readonly KeyFact[]): KeyFact | undefined {
  const pattern = patternOf(path, keys);
  return keys.find((fact) => fact.path === pattern);
}

/** The path as in the tables of keys: no list indexes, `*` for a key of a map. */
function patternOf(path: Path, keys: readonly KeyFact[]): string {
  let pattern = '';
  for (const key of path) {
    if (typeof key === 'number') {
      if (isListOfMaps(pattern, keys)) pattern = `${pattern}.*`;
      continue;
    }
    const exact = (pattern === '' ? key : `${pattern}.${key}`).replace(/_ms$/, '');
    pattern = keys.some((fact) => fact.path === exact) ? exact : `${pattern}.*`;
  }
  return pattern;
}

function isListOfMaps(pattern: string, keys: readonly KeyFact[]): boolean {
  return keys.some(({ path, type }) => path === pattern && type === 'list of maps');
}

/** A JSON pointer (RFC 6901) to keys and, where the tree has a list, indexes. */
function segments(pointer: string, tree: unknown): Path {
  const path: (string | number)[] = [];
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(valueAt(tree, path)) ? Number(key) : key);
  }
  return path;
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function lastLine(example: string): string {
  return example.slice(example.lastIndexOf('\n') + 1).trim();
}
