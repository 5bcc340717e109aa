/** Which events tell of commands, of problems with the configuration, and of the guard? */
import { describe, expect, test } from 'vitest';
import { commandEvents } from '../../src/daemon/command-events.ts';
import { tellGuard } from '../../src/daemon/guard-events.ts';
import { problemEvents } from '../../src/daemon/problem-events.ts';
import type { Removals } from '../../src/daemon/removals.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { name, problem, WEB } from '../builders.ts';

describe('a command', () => {
  test('is one event for each service, with who gave it and what it said', () => {
    const request = {
      verb: 'hold',
      services: [],
      by: 'bob',
      reason: 'incident',
      for: 5000,
      wait: 0,
    } as const;
    expect(commandEvents(request, [WEB, name('db')], new Map())).toEqual([
      { name: 'hold_requested', service: 'web', actor: 'bob', fields: { reason: 'incident', for_ms: 5000 } },
      { name: 'hold_requested', service: 'db', actor: 'bob', fields: { reason: 'incident', for_ms: 5000 } },
    ]);
  });

  test('that could not be noted says so', () => {
    const failed = new Map([[WEB, problem({ message: 'disk full' })]]);
    expect(
      commandEvents({ verb: 'scale', services: [], by: 'bob', instances: 3, wait: 0 }, [WEB], failed),
    ).toEqual([
      {
        name: 'scale_requested',
        service: 'web',
        actor: 'bob',
        fields: { instances: 3, problem: 'disk full' },
      },
    ]);
  });
});

describe('problems of the configuration', () => {
  const one = problem({ message: 'one', file: 'a.yaml', line: 3, column: 1 });
  const two = problem({ message: 'two', file: 'b.yaml', service: 'db' });

  test('those that are new, and those that are gone', () => {
    const events = problemEvents([one], [two]);
    expect(
      events.map(({ name: what, service, fields }) => [what, service, fields['file'], fields['message']]),
    ).toEqual([
      ['problem_found', 'db', 'b.yaml', 'two'],
      ['problem_gone', undefined, 'a.yaml:3:1', 'one'],
    ]);
  });

  test('one that only moved to another line is the same', () => {
    expect(problemEvents([one], [{ ...one, line: 9 }])).toEqual([]);
  });

  test('of very many the rest is counted', () => {
    const many = Array.from({ length: 80 }, (_, index) => problem({ message: `number ${index}` }));
    const events = problemEvents([], many);
    expect(events).toHaveLength(51);
    expect(events.at(-1)).toEqual({ name: 'problem_found', fields: { more: 30 } });
  });
});

test('what the guard holds back is told when it changes, and when it is over', () => {
  let pass = (): void => {};
  let held: readonly ServiceName[] = [];
  const told: unknown[] = [];
  tellGuard(
    {
      get removals() {
        return { held, reason: 'too many' } as Removals;
      },
      onPass: (listener) => {
        pass = listener;
        return () => {};
      },
    },
    ({ name: what, fields }) => told.push([what, fields['services']]),
  );
  pass();
  held = [WEB];
  pass();
  pass();
  held = [WEB, name('db')];
  pass();
  held = [];
  pass();
  pass();
  expect(told).toEqual([
    ['prune_held', 'web'],
    ['prune_held', 'web db'],
    ['prune_released', undefined],
  ]);
});
