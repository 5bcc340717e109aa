import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { timeOfLine, type WallClock } from '../../src/model/line-time.ts';

const NOON = Date.UTC(2026, 10, 21, 12);

/** A host two hours ahead of UTC. */
const local: WallClock = (year, month, day, hour, minute, second, millisecond) =>
  Date.UTC(year, month - 1, day, hour - 2, minute, second, millisecond);
const timeOf = (line: string, reference = NOON) => {
  const time = timeOfLine(line, { reference, local });
  return time === null ? null : new Date(time).toISOString();
};

describe('a line tells its time', () => {
  test.each([
    ['2026-11-21T14:05:06Z started', '2026-11-21T14:05:06.000Z'],
    ['2026-11-21T14:05:06.789123Z started', '2026-11-21T14:05:06.789Z'],
    ['2026-11-21T14:05:06,7+01:00', '2026-11-21T13:05:06.700Z'],
    ['2026-11-21T14:05:06-0530 x', '2026-11-21T19:35:06.000Z'],
    ['2026-11-21 14:05:06 +0100 x', '2026-11-21T13:05:06.000Z'],
    ['2026-11-21 14:05:06.123 UTC [42] LOG:  ready', '2026-11-21T14:05:06.123Z'],
    ['2026-11-21 14:05:06 no zone', '2026-11-21T12:05:06.000Z'],
    ['2026-11-21T14:05 no seconds', '2026-11-21T12:05:00.000Z'],
    ['[2026-11-21 14:05:06,123] INFO', '2026-11-21T12:05:06.123Z'],
    ['[2026-11-21T14:05:06.123Z] INFO', '2026-11-21T14:05:06.123Z'],
    ['2026/11/21 14:05:06 [error] 7#7: nginx', '2026-11-21T12:05:06.000Z'],
    ['Nov 21 14:05:06 host app[7]: x', '2026-11-21T12:05:06.000Z'],
    ['<34>Nov  1 14:05:06 host x', '2026-11-01T12:05:06.000Z'],
    ['Dec 31 23:59:59 host x', '2025-12-31T21:59:59.000Z'],
    ['Feb 29 12:00:00 leap year', '2024-02-29T10:00:00.000Z'],
    ['127.0.0.1 - bob [21/Nov/2026:14:05:06 +0100] "GET / HTTP/1.1" 200', '2026-11-21T13:05:06.000Z'],
    ['[21/Nov/2026:14:05:06 +0000] x', '2026-11-21T14:05:06.000Z'],
    ['1795269906 x', '2026-11-21T14:05:06.000Z'],
    ['1795269906.5: x', '2026-11-21T14:05:06.500Z'],
    ['[1795269906789] x', '2026-11-21T14:05:06.789Z'],
    ['{"level":30,"time":1795269906789,"msg":"pino"}', '2026-11-21T14:05:06.789Z'],
    ['{"level":"info","ts":1795269906.25,"msg":"zap"}', '2026-11-21T14:05:06.250Z'],
    ['{"ts":1795269906789123456}', '2026-11-21T14:05:06.789Z'],
    ['{"@timestamp":"2026-11-21T14:05:06Z","message":"ecs"}', '2026-11-21T14:05:06.000Z'],
    ['{"timestamp":"2026-11-21T14:05:06.1+02:00"}', '2026-11-21T12:05:06.100Z'],
    ['{"nested":{"time":"12ms"},"time":"2026-11-21T14:05:06Z"}', '2026-11-21T14:05:06.000Z'],
    ['{"time":"2026-11-21T14:05:06Z","msg":"cut off…', '2026-11-21T14:05:06.000Z'],
    [
      'processmaster:marker time=2026-11-21T14:05:06.123Z event=started service=web instance=0 reason=boot',
      '2026-11-21T14:05:06.123Z',
    ],
  ])('%s', (line, time) => {
    expect(timeOf(line)).toBe(time);
  });
});

describe('a line tells no time', () => {
  test.each([
    '',
    '    at Server.listen (net.js:1:2)',
    'started at 2026-11-21T14:05:06Z',
    '2026-02-31T14:05:06Z',
    '2026-11-21T25:05:06Z',
    '2026-11-21',
    '12345 lines',
    '17952699061 is longer than seconds',
    '0123456789',
    'Nov 31 14:05:06 x',
    '{"msg":"time"}',
    '{"time":"12ms"}',
    '{"time":12}',
    '{"time":{"at":1795269906789}}',
    '{ not JSON',
    'processmaster:marker event=started',
  ])('%s', (line) => {
    expect(timeOf(line)).toBeNull();
  });
});

/** 2002 to 2099, to the second. */
const seconds = fc.integer({ min: 1_010_000_000, max: 4_080_000_000 });

it('every instant is read back as it was written', () => {
  fc.assert(
    fc.property(
      seconds,
      fc.integer({ min: 0, max: 999 }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (at, ms, zone) => {
        const time = at * 1000 + ms;
        const wall = new Date(time + zone * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60];
        const two = (number: number) => String(number).padStart(2, '0');
        const offset = `${zone < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
        const read = (line: string) => timeOfLine(line, { reference: time, local });
        expect(read(`${wall}${offset} x`)).toBe(time);
        expect(read(`[${wall.replace('T', ' ').replace('.', ',')} ${offset.replace(':', '')}] x`)).toBe(time);
        expect(read(JSON.stringify({ time }))).toBe(time);
        expect(read(JSON.stringify({ ts: new Date(time).toISOString() }))).toBe(time);
        expect(read(`${at}.${String(ms).padStart(3, '0')} x`)).toBe(time);
      },
    ),
  );
});

it('the year that a line does not tell is the last one in which it is not of the future', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 0, max: 330 * 86_400 }), (at, age) => {
      const date = new Date((at + 7200) * 1000);
      const [month, day, time] = [
        date.toUTCString().slice(8, 11),
        date.getUTCDate(),
        date.toISOString().slice(11, 19),
      ];
      const line = `${month} ${String(day).padStart(2, ' ')} ${time} x`;
      expect(timeOfLine(line, { reference: (at + age) * 1000, local })).toBe(at * 1000);
    }),
  );
});

it('no line is too odd', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (line) => {
      const time = timeOfLine(line, { reference: NOON });
      expect(time === null || Number.isFinite(time)).toBe(true);
    }),
  );
  const began = performance.now();
  timeOfLine('{'.repeat(65_536), { reference: NOON });
  timeOfLine(`{"time${' '.repeat(65_536)}`, { reference: NOON });
  timeOfLine('a '.repeat(40_000), { reference: NOON });
  expect(performance.now() - began).toBeLessThan(500);
});
