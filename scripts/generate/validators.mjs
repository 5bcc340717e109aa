/** Which code checks the structure of a raw file, or of the body of a request? */
import { Ajv } from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { resolve } from './keys.mjs';

/** Units whose grammar src/model/units.ts checks, with better sentences than a pattern could give. */
const PARSED_LATER = new Set([
  'duration',
  'duration-or-never',
  'size',
  'size-or-zero',
  'bytes',
  'cpu',
  'count',
  'limit',
  'mode',
  'umask',
  'signal',
  'reload-signal',
  'instant',
]);

/** One ES module that imports nothing: no schema is compiled when a program starts. */
export function validatorsOf(service, config) {
  const ajv = new Ajv2020({
    allErrors: true,
    messages: false,
    allowUnionTypes: true,
    strictRequired: false,
    unicodeRegExp: false,
    code: { source: true, esm: true, optimize: 2 },
  });
  ajv.addSchema(structure(service, service), 'service');
  ajv.addSchema(structure(config, config), 'config');
  return standalone(ajv, { validateService: 'service', validateSettings: 'config' });
}

/**
 * The same for the bodies of requests; the first mistake counts, and is told in words.
 * @param bodies JSON Schemas by call
 */
export function bodyValidatorsOf(bodies) {
  const ajv = new Ajv({
    allowUnionTypes: true,
    strictRequired: false,
    code: { source: true, esm: true, optimize: 2 },
  });
  for (const [call, schema] of Object.entries(bodies)) ajv.addSchema(schema, call);
  // The name of a function may be no word of the language, as `delete` is one.
  return standalone(ajv, Object.fromEntries(Object.keys(bodies).map((call) => [`${call}Body`, call])));
}

function standalone(ajv, names) {
  const code = standaloneCode.default(ajv, names);
  const withoutHelper = code.replaceAll(
    'require("ajv/dist/runtime/ucs2length").default',
    '((text) => [...text].length)',
  );
  if (withoutHelper.includes('require(')) throw new Error('a validator needs a module at run time');
  return withoutHelper.replace(/^"use strict";/, '');
}

/**
 * The part of a schema that is about structure. What must be there is asked once the defaults are merged, so nothing
 * is required at the top of a service file here.
 */
function structure(node, schema) {
  const { $defs, $id, $schema, description, examples, default: _, ...rest } = resolve(node, schema);
  if (rest.properties?.process !== undefined || rest.properties?.stop_grace !== undefined)
    delete rest.required;
  if (PARSED_LATER.has(rest['x-unit'])) {
    for (const keyword of ['pattern', 'minimum', 'maximum', 'minLength']) delete rest[keyword];
    const types = [rest.type].flat();
    rest.type = [...new Set(['string', 'number', 'boolean', ...types.filter((type) => type === 'object')])];
  }
  for (const key of Object.keys(rest)) if (key.startsWith('x-')) delete rest[key];
  if (rest.properties !== undefined) {
    rest.properties = Object.fromEntries(
      Object.entries(rest.properties).map(([name, child]) => [name, structure(child, schema)]),
    );
  }
  if (typeof rest.additionalProperties === 'object') {
    rest.additionalProperties = structure(rest.additionalProperties, schema);
  }
  if (typeof rest.items === 'object') rest.items = structure(rest.items, schema);
  return rest;
}
