/** How is it told what is wrong with the body of a request? The words of the validator are about its schema. */

/** One mistake, as ajv reports it. */
export interface BodyMistake {
  readonly keyword: string;
  /** JSON pointer. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'nothing',
};

/**
 * One sentence, which names the key as it is written: `services[0]: …`.
 * @param mistakes the first is told; the others are what else would have been right in its place
 */
export function bodyRefusal(mistakes: readonly BodyMistake[]): string {
  const [first, ...others] = mistakes;
  if (first === undefined) return 'the body is not as it should be';
  const { keyword, params } = first;
  const key = keyOf(first.instancePath);
  if (keyword === 'additionalProperties') {
    return `${inside(key)}unknown key ${JSON.stringify(params['additionalProperty'])}`;
  }
  if (keyword === 'required') return `${inside(key)}${params['missingProperty']} is missing`;
  const word = others.find((other) => other.keyword === 'const')?.params['allowedValue'];
  const instead = word === undefined ? '' : `, or ${word}`;
  return `${key === '' ? 'the body' : key}: ${wishOf(first)}${instead}`;
}

/** What should be there. */
function wishOf({ keyword, params }: BodyMistake): string {
  const { limit, allowedValues, type, pattern } = params;
  switch (keyword) {
    case 'type':
      return `write ${listOf(type).map(kindOf).join(' or ')}`;
    case 'enum':
      return `write one of ${listOf(allowedValues).join(', ')}`;
    case 'minimum':
      return `write at least ${limit}`;
    case 'maximum':
      return `write at most ${limit}`;
    case 'minItems':
      return limit === 1 ? 'the list is empty' : `write at least ${limit} entries`;
    case 'maxItems':
    case 'maxProperties':
      return `write at most ${limit} entries`;
    case 'minLength':
      return limit === 1 ? 'the text is empty' : `write at least ${limit} characters`;
    case 'maxLength':
      return `write at most ${limit} characters`;
    case 'pattern':
      return String(pattern).startsWith('^/')
        ? 'write an absolute path'
        : 'a NUL character is not possible here';
    default:
      return 'this cannot be used here';
  }
}

function kindOf(type: unknown): string {
  return KINDS[String(type)] ?? String(type);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function inside(key: string): string {
  return key === '' ? '' : `${key}: `;
}

/** `services[0]` for the pointer `/services/0` (RFC 6901). */
function keyOf(pointer: string): string {
  let key = '';
  for (const token of pointer.split('/').slice(1)) {
    const part = token.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 80);
    key += /^\d+$/.test(part) ? `[${part}]` : key === '' ? part : `.${part}`;
  }
  return key;
}
