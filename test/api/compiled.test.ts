import { Ajv } from 'ajv';
import fc from 'fast-check';
import fastify from 'fastify';
import { expect, it, test } from 'vitest';
import { COMPILED } from '../../src/api/compiled.ts';
import { BODIES } from '../../src/api/request-schemas.ts';

const RIGHT: Readonly<Record<string, object>> = {
  command: { verb: 'start', services: ['web'] },
  define: { name: 'web', command: ['sleep'], directory: '/srv' },
  delete: { services: ['web'] },
  wait: { service: 'web', for: 'ready', timeout: 1 },
};

/** A body that is right, or nearly: what a schema wants, with something else in one place or another. */
function near(call: string, schema: (typeof BODIES)[keyof typeof BODIES]): fc.Arbitrary<unknown> {
  const value = fc.oneof(
    fc.constantFrom(
      'auto',
      'start',
      'ready',
      'rollback',
      '/srv',
      'me@host',
      '\0',
      'x'.repeat(65),
      0,
      1,
      -1,
      1.5,
    ),
    fc.constantFrom(true, null, [], ['web'], [1], {}, { A: 'b' }, { A: 1 }, { desired: '', changes: [] }),
    fc.constant({ desired: 'x', changes: [{ service: 'web', action: 'start', instances: -1 }] }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const keys = [...Object.keys(schema.properties), 'other'];
  const body = fc
    .uniqueArray(fc.constantFrom(...keys), { maxLength: 3 })
    .chain((some) => fc.record(Object.fromEntries(some.map((key) => [key, value]))))
    .map((some) => ({ ...RIGHT[call], ...some }));
  return fc.oneof({ weight: 9, arbitrary: body }, { weight: 1, arbitrary: value });
}

const build = COMPILED.compilersFactory?.buildValidator as unknown as () => (route: {
  url: string;
  httpPart: string;
}) => { (body: unknown): boolean; errors: unknown };

test.each(Object.entries(BODIES))('what was compiled for %s says what ajv says', (call, schema) => {
  const compiled = build()({ url: `/api/${call}`, httpPart: 'body' });
  const fresh = new Ajv({ allowUnionTypes: true }).compile(schema);
  let wrong = 0;
  fc.assert(
    fc.property(near(call, schema), (body) => {
      const isRight = compiled(body);
      if (!isRight) wrong += 1;
      expect(isRight).toBe(fresh(body));
      expect(compiled.errors).toEqual(fresh.errors);
    }),
    { numRuns: 500 },
  );
  expect(wrong).toBeGreaterThan(0);
  expect(wrong).toBeLessThan(500);
});

it('refuses to serve a route with a body that nothing was compiled for', async () => {
  const app = fastify({ schemaController: COMPILED });
  app.post('/api/novel', { schema: { body: { type: 'object' } } }, () => '');
  await expect(app.ready()).rejects.toThrow('no validator for the body of /api/novel');
});
