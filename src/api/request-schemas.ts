/** What may the body of a request say? Anything else is refused before it is looked at. */
import type { Verb } from './contract.ts';

const milliseconds = { type: 'integer', minimum: 0 } as const;
/** A hundred years: longer than anybody holds anything, and its end is still a time of ECMAScript (21.4.1.1). */
const period = { ...milliseconds, maximum: 100 * 365 * 24 * 3600 * 1000 } as const;

const names = { type: 'array', maxItems: 10_000, items: { type: 'string', maxLength: 64 } } as const;

/** Nothing that a process is started with may hold the character that ends a text there (execve(2)). */
const text = { type: 'string', maxLength: 131_072, pattern: '^[^\\u0000]*$' } as const;

const VERBS: readonly Verb[] = [
  'start',
  'stop',
  'restart',
  'reload',
  'trigger',
  'hold',
  'release',
  'enable',
  'disable',
  'scale',
];

/** A saved plan, as `update` takes it. */
const PLAN = {
  type: 'object',
  additionalProperties: false,
  required: ['desired', 'changes'],
  properties: {
    desired: { type: 'string', maxLength: 64 },
    changes: {
      type: 'array',
      maxItems: 100_000,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['service', 'action', 'instances'],
        properties: {
          service: { type: 'string', maxLength: 64 },
          action: { type: 'string', maxLength: 16 },
          instances: { type: 'integer', minimum: 0 },
        },
      },
    },
  },
} as const;

/** JSON Schemas by call: `/api/CALL`. */
export const BODIES = {
  update: {
    type: 'object',
    additionalProperties: false,
    properties: {
      services: names,
      prune: { type: 'boolean' },
      wait: milliseconds,
      on_failure: { enum: ['stop', 'rollback', 'continue'] },
      plan: PLAN,
    },
  },
  sync: {
    type: 'object',
    additionalProperties: false,
    properties: {
      dryRun: { type: 'boolean' },
      prune: { type: 'boolean' },
      wait: milliseconds,
      limit: milliseconds,
      on_failure: { enum: ['stop', 'rollback', 'continue'] },
    },
  },
  command: {
    type: 'object',
    additionalProperties: false,
    required: ['verb', 'services'],
    properties: {
      verb: { enum: VERBS },
      services: { ...names, minItems: 1 },
      reason: { type: 'string', maxLength: 500 },
      for: period,
      instances: { type: 'integer', minimum: 0, maximum: 999 },
      wait: milliseconds,
    },
  },
  define: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'command', 'directory'],
    properties: {
      name: { type: 'string', maxLength: 64 },
      command: { type: 'array', minItems: 1, maxItems: 10_000, items: text },
      directory: { ...text, pattern: '^/[^\\u0000]*$' },
      instances: { anyOf: [{ type: 'integer', minimum: 1, maximum: 999 }, { const: 'auto' }] },
      port: { anyOf: [{ type: 'integer', minimum: 1, maximum: 65_535 }, { const: 'auto' }] },
      env: { type: 'object', maxProperties: 10_000, additionalProperties: text },
      user: { type: 'string', minLength: 1, maxLength: 256 },
      schedule: { type: 'string', minLength: 1, maxLength: 1000 },
      dev: { type: 'boolean' },
      wait: milliseconds,
    },
  },
  delete: {
    type: 'object',
    additionalProperties: false,
    required: ['services'],
    properties: { services: { ...names, minItems: 1 }, wait: milliseconds },
  },
  wait: {
    type: 'object',
    additionalProperties: false,
    required: ['service', 'for', 'timeout'],
    properties: {
      service: { type: 'string', maxLength: 64 },
      for: { enum: ['ready', 'stopped', 'completed'] },
      timeout: milliseconds,
    },
  },
  shutdown: {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: { stopServices: { type: 'boolean' } },
  },
  rollback: {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      id: { type: 'string', minLength: 1, maxLength: 64 },
      prune: { type: 'boolean' },
      wait: milliseconds,
    },
  },
  resume: {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: { prune: { type: 'boolean' }, wait: milliseconds },
  },
} as const;
