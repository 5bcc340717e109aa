/** What is told of what goes wrong for a moment, and to whom? */
import { expect, test } from 'vitest';
import { Reports } from '../../src/daemon/reports.ts';
import type { Event } from '../../src/model/action.ts';
import { problem, WEB } from '../builders.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

function told() {
  const time = { now: 1000 };
  const events: Event[] = [];
  const lines: string[] = [];
  const line = (_: object, text: string) => void lines.push(text);
  const log = { trace: line, debug: line, info: line, warn: line, error: line, fatal: line };
  const reports = new Reports({
    ...{ host: {}, settings: {}, clock: simulatedClock(time, 0, new Agenda()) },
    log,
    journal: { add: (event: Event) => void events.push(event) },
  } as never);
  return { time, events, lines, reports };
}

test('what went wrong for a service is in the log and among its events, once a minute', () => {
  const { time, events, lines, reports } = told();
  const failed = problem({ code: 'hook-failed', severity: 'warning', message: 'it failed', service: WEB });
  reports.complain(failed);
  reports.complain(failed);
  expect(lines).toEqual(['it failed']);
  expect(events).toEqual([
    {
      ...{ at: 1000, name: 'problem_found', service: WEB },
      fields: { severity: 'warning', code: 'hook-failed', message: 'it failed' },
    },
  ]);
  time.now += 60_000;
  reports.complain(failed);
  expect([lines.length, events.length]).toEqual([2, 2]);
});

test('what is about no service is in the log alone', () => {
  const { events, lines, reports } = told();
  const { service: _, ...failed } = problem({ code: 'observe-failed', message: 'it failed' });
  reports.complain(failed);
  expect(lines).toEqual(['it failed']);
  expect(events).toEqual([]);
});
