import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NumberedEvent } from '../../src/model/action.ts';
import { eventLine, readEventLine } from '../../src/model/event-line.ts';
import type { RunId, ServiceName } from '../../src/model/names.ts';

/** Every shape that an event may have, with fields that are named like its own keys. */
export const anyEvent: fc.Arbitrary<NumberedEvent> = fc.record(
  {
    id: fc.integer({ min: 1, max: 2 ** 48 }),
    at: fc.integer({ min: 0, max: 4e12 }),
    name: fc.string({ minLength: 1 }),
    service: fc.constantFrom('web', 'db').map((name) => name as ServiceName),
    run_id: fc.constant('r1' as RunId),
    actor: fc.string({ minLength: 1 }),
    fields: fc.dictionary(
      fc
        .oneof(fc.constantFrom('id', 'at', 'name', 'service', '_id', '__', 'reason'), fc.string())
        .filter((key) => !key.includes('__proto__')),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer()),
    ),
  },
  { requiredKeys: ['id', 'at', 'name', 'fields'] },
);

test('what is written is read back, whatever the fields are called', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const line = eventLine(event);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(readEventLine(line)).toEqual({ ...event, fields: { ...event.fields } });
    }),
  );
});

test('the line is flat, with the time as people and programs write it', () => {
  const event: NumberedEvent = {
    ...{ id: 7, at: Date.UTC(2026, 1, 3, 4, 5, 6, 789), name: 'stop_requested' },
    ...{ service: 'web' as ServiceName, actor: 'bob', fields: { reason: 'x', id: 3 } },
  };
  expect(eventLine(event)).toBe(
    '{"id":7,"at":"2026-02-03T04:05:06.789Z","name":"stop_requested","service":"web","actor":"bob","reason":"x","_id":3}\n',
  );
});

test('a text without end is cut', () => {
  const event: NumberedEvent = { id: 1, at: 0, name: 'x', fields: { problem: 'a'.repeat(1_000_000) } };
  expect(eventLine(event).length).toBeLessThan(5000);
});

test.each(['', '{', '[]', '{"id":1}', 'null', '{"id":"1","at":"2026-02-03T04:05:06Z","name":"x"}', '\0\0\0'])(
  'no event: %j',
  (line) => {
    expect(readEventLine(line)).toBeUndefined();
  },
);
