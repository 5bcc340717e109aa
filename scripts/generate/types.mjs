/** Which TypeScript types do the raw files have, before and after defaults and units are filled in? */
import { compile } from 'json-schema-to-typescript';
import { resolve } from './keys.mjs';

const options = { bannerComment: '', additionalProperties: false, ignoreMinAndMaxItems: true, format: true };

const SIGNAL = "import('../../model/signals.ts').Signal";

/** What a scalar of each unit has become once it is parsed. */
const PARSED = {
  duration: 'number',
  'duration-or-never': 'number | null',
  size: 'number | null',
  'size-or-zero': 'number | null',
  bytes: 'number',
  cpu: 'number | null',
  count: 'number | null',
  limit: 'number | null',
  mode: 'number',
  umask: 'number',
  signal: SIGNAL,
  'reload-signal': SIGNAL,
  instant: 'number',
};

/** `RawService`, `RawSettings` (what may be written) and `CompleteService`, `CompleteSettings` (what is meant). */
export async function typesOf(service, config) {
  const texts = [];
  for (const schema of [service, config]) {
    texts.push(await compile(inline(schema, schema), schema.title, options));
    const title = schema.title.replace('Raw', 'Complete');
    texts.push(await compile({ ...complete(schema, schema), title }, title, options));
  }
  return texts.join('\n');
}

/** The schema without references, so that no type is made for a mere unit. */
function inline(node, schema) {
  const { $defs, $id, $schema, ...rest } = resolve(node, schema);
  return mapChildren(rest, (child) => inline(child, schema));
}

function complete(node, schema) {
  const { $defs, $id, $schema, required, ...rest } = resolve(node, schema);
  if (rest['x-unit'] === 'limit' && rest.properties) {
    return { tsType: 'number | null | { soft: number | null; hard: number | null }' };
  }
  if (rest['x-unit'] === 'text' && rest.properties?.base64) {
    return { tsType: 'string | { file: string } | { base64: string }' };
  }
  if (rest['x-short'] !== undefined) {
    rest.type = 'object';
    delete rest.items;
  }
  const scalar = ![rest.type].flat().some((type) => type === 'array' || type === 'object');
  if (rest['x-unit'] !== undefined && scalar) {
    return { description: rest.description, tsType: PARSED[rest['x-unit']] ?? 'string' };
  }
  const done = mapChildren(rest, (child) => complete(child, schema));
  if (done.properties === undefined) return done;
  const kept = Object.entries(done.properties).filter(([name]) => !rest.properties[name]['x-alias-of']);
  const always = Object.entries(rest.properties).filter(([name, child]) => {
    return 'default' in resolve(child, schema) || (required ?? []).includes(name);
  });
  return { ...done, properties: Object.fromEntries(kept), required: always.map(([name]) => name) };
}

function mapChildren(node, change) {
  const copy = { ...node };
  if (node.properties !== undefined) {
    copy.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, child]) => [name, change(child)]),
    );
  }
  if (typeof node.additionalProperties === 'object')
    copy.additionalProperties = change(node.additionalProperties);
  if (typeof node.items === 'object') copy.items = change(node.items);
  return copy;
}
