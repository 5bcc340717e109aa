/** Which keys does a schema describe, and what does each of them say? */

/** Grammars that are narrower than the unit in which their value is measured. */
const UNIT_OF_GRAMMAR = {
  'duration-or-never': 'duration',
  'size-or-zero': 'size',
  bytes: 'size',
  umask: 'mode',
  'reload-signal': 'signal',
};

/** Every key with its facts, in the order of the schema. Fails on a key that says too little. */
export function keyFacts(schema) {
  const facts = [];
  walk(resolve(schema, schema), '', undefined, schema, facts);
  return facts;
}

/** A node with its `$ref` followed; what is written beside the `$ref` wins. */
export function resolve(node, schema) {
  if (node.$ref === undefined) return node;
  const target = schema.$defs[node.$ref.replace('#/$defs/', '')];
  if (target === undefined) throw new Error(`${node.$ref} leads nowhere`);
  const { $ref, ...beside } = node;
  return resolve({ ...target, ...beside }, schema);
}

/** The defaults as they would be written in the file. A map that is optional has them only where it is given. */
export function defaultTree(schema, node = schema) {
  const tree = {};
  for (const [name, raw] of Object.entries(node.properties ?? {})) {
    const property = resolve(raw, schema);
    if (property['x-optional']) continue;
    if (property.properties !== undefined) tree[name] = defaultTree(schema, property);
    else if ('default' in property) tree[name] = property.default;
  }
  return tree;
}

/** Maps that are there only where they are written, outer ones first: what a shorter form stands for, and defaults. */
export function optionalMaps(schema, node = schema, path = []) {
  return Object.entries(node.properties ?? {}).flatMap(([name, raw]) => {
    const property = resolve(raw, schema);
    if (property.properties === undefined) return [];
    const at = [...path, name];
    const below = optionalMaps(schema, property, at);
    if (!property['x-optional']) return below;
    return [{ at, short: property['x-short'] ?? null, defaults: defaultTree(schema, property) }, ...below];
  });
}

function walk(node, path, above, schema, facts) {
  const children = { ...node.properties };
  if (typeof node.additionalProperties === 'object') children['*'] = node.additionalProperties;
  // The keys of the maps in a list.
  if (node['x-type'] === 'list of maps') children['*'] = node.items;
  for (const [name, raw] of Object.entries(children)) {
    const child = resolve(raw, schema);
    if (child['x-alias-of'] !== undefined) continue;
    const fact = factOf(child, path === '' ? name : `${path}.${name}`, above);
    checkTwin(fact, name, node);
    facts.push(fact);
    walk(child, fact.path, fact, schema, facts);
  }
}

function factOf(node, path, above) {
  const group = node.properties !== undefined && !path.endsWith('*');
  const apply = node['x-apply'] ?? (path.includes('*') ? above.apply : undefined);
  if (!path.endsWith('*') && node.description === undefined) throw new Error(`${path} has no description`);
  if (!group && apply === undefined) throw new Error(`${path} has no x-apply`);
  const grammar = node['x-unit'] ?? null;
  return {
    path,
    apply: apply ?? strongest(node),
    unit: UNIT_OF_GRAMMAR[grammar] ?? grammar,
    grammar,
    type: typeText(node, group),
    default: defaultText(node),
    description: node.description ?? above.description,
    example: exampleText(path, node),
    values: node.enum ?? node.items?.enum ?? null,
    group,
  };
}

/** A whole map that comes or goes does what the most intrusive of its keys does. */
function strongest(node) {
  const order = ['restart', 'live', 'reload', 'roll', 'replace'];
  const classes = Object.values(node.properties).map(
    (child) => child['x-apply'] ?? (child.properties ? strongest(child) : 'live'),
  );
  return classes.reduce(
    (most, next) => (order.indexOf(next) > order.indexOf(most) ? next : most),
    classes[0],
  );
}

/** One rule for all durations: `x` may be written `x_ms`. */
function checkTwin(fact, name, node) {
  if (fact.unit !== 'duration') return;
  if (node.properties?.[`${name}_ms`]?.['x-alias-of'] !== name)
    throw new Error(`${fact.path} has no ${name}_ms`);
}

function typeText(node, group) {
  if (node['x-type'] !== undefined) return node['x-type'];
  if (node.enum !== undefined) return node.enum.join(', ');
  if (group) return 'map';
  if (node['x-unit'] === 'path' || node['x-unit'] === 'log-path') return 'path';
  const words = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
    object: 'map',
  };
  return [node.type]
    .flat()
    .map((type) => words[type] ?? type)
    .join(' or ');
}

function defaultText(node) {
  if (node['x-default'] !== undefined) return node['x-default'];
  if (!('default' in node)) return null;
  return typeof node.default === 'string' && node.default !== ''
    ? node.default
    : JSON.stringify(node.default);
}

/** Written out in full, from the top: what a person can copy. */
function exampleText(path, node) {
  if (node.examples === undefined) return null;
  const keys = path.split('.');
  const last = keys.pop();
  const above = keys.map((key, depth) => `${'  '.repeat(depth)}${key}:\n`).join('');
  return `${above}${'  '.repeat(keys.length)}${last}: ${flow(node.examples[0])}`;
}

/** A value in the flow style of YAML, with quotes only where they are needed. */
function flow(value) {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, item]) => `${key}: ${flow(item)}`)
      .join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  const plain = /^[A-Za-z/.][A-Za-z0-9_/. ;'-]*$/.test(value) && !/^(true|false|null)$/i.test(value);
  return plain || /^\d+(ms|s|m|h|d|[KMGT])$/.test(value) || /^0[0-7]+$/.test(value)
    ? value
    : JSON.stringify(value);
}
