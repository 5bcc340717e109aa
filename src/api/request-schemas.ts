/** What may the body of a request say? Anything else is refused before it is looked at. */

const milliseconds = { type: 'integer', minimum: 0 } as const;
const names = { type: 'array', maxItems: 10_000, items: { type: 'string', maxLength: 64 } } as const;

/** JSON Schemas by call. */
export const BODIES = {
  update: {
    type: 'object',
    additionalProperties: false,
    properties: { services: names, prune: { type: 'boolean' }, wait: milliseconds },
  },
  command: {
    type: 'object',
    additionalProperties: false,
    required: ['verb', 'services'],
    properties: {
      verb: { enum: ['start', 'stop', 'restart', 'hold', 'release', 'enable', 'disable', 'scale'] },
      services: { ...names, minItems: 1 },
      by: { type: 'string', pattern: '^[\\w.@+-]{1,64}$' },
      reason: { type: 'string', maxLength: 500 },
      for: milliseconds,
      instances: { type: 'integer', minimum: 0, maximum: 999 },
      wait: milliseconds,
    },
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
    properties: { stopServices: { type: 'boolean' }, by: { type: 'string' } },
  },
} as const;
