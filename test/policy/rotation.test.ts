import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  contentBegan,
  type FileBeside,
  judgeRotation,
  nextPruning,
  pruned,
  type RotationSpec,
  uncompressed,
} from '../../src/policy/rotation.ts';
import { NUMBERED, placement, rotatedName, spelled } from '../../src/policy/rotation-names.ts';
import { type Frequency, periodEnd, periodLabel } from '../../src/policy/rotation-period.ts';
import { type Zone, zoneNamed } from '../../src/policy/time-zone.ts';

const BASE = 'stdout.log';
const DAY = 86_400_000;

function zone(name: string): Zone {
  const found = zoneNamed(name);
  if (found === undefined) throw new Error(name);
  return found;
}

const BERLIN = zone('Europe/Berlin');

function spec(changes: Partial<RotationSpec> = {}): RotationSpec {
  return {
    mode: 'size',
    frequency: 'daily',
    max_age: 30 * DAY,
    size: 1000,
    backups: 3,
    compress: false,
    ...changes,
  };
}

const at = (text: string) => Date.parse(text);

describe('a period ends', () => {
  test.each<[string, Frequency, string, string, string]>([
    ['with the minute', 'minutely', 'UTC', '2026-11-21T14:05:59.999Z', '2026-11-21T14:06:00Z'],
    ['with the hour', 'hourly', 'UTC', '2026-11-21T14:00:00Z', '2026-11-21T15:00:00Z'],
    [
      'with the hour of a half-hour zone',
      'hourly',
      'Asia/Kolkata',
      '2026-11-21T14:00:00Z',
      '2026-11-21T14:30:00Z',
    ],
    ['at midnight of the host', 'daily', 'Europe/Berlin', '2026-11-21T14:00:00Z', '2026-11-21T23:00:00Z'],
    ['after 23 hours in spring', 'daily', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['after 25 hours in autumn', 'daily', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    [
      'when the clock shows two again',
      'hourly',
      'Europe/Berlin',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:00:00Z',
    ],
    [
      'when the clock leaves two out',
      'hourly',
      'Europe/Berlin',
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00:00Z',
    ],
    ['on Monday', 'weekly', 'UTC', '2026-11-21T14:00:00Z', '2026-11-23T00:00:00Z'],
    ['a week later on Monday', 'weekly', 'UTC', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['on the first', 'monthly', 'UTC', '2026-02-28T14:00:00Z', '2026-03-01T00:00:00Z'],
    ['with the year', 'monthly', 'America/New_York', '2026-12-31T23:00:00Z', '2027-01-01T05:00:00Z'],
  ])('%s', (_why, frequency, name, since, end) => {
    expect(new Date(periodEnd(frequency, at(since), zone(name)))).toEqual(new Date(end));
  });

  it('after it began, and where its name ends, whatever the zone', () => {
    const frequencies: Frequency[] = ['minutely', 'hourly', 'daily', 'weekly', 'monthly'];
    const names = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns'];
    fc.assert(
      fc.property(
        fc.constantFrom(...frequencies),
        fc.constantFrom(...names),
        fc.integer({ min: at('2020-01-01'), max: at('2030-01-01') }),
        (frequency, name, since) => {
          const here = zone(name);
          const end = periodEnd(frequency, since, here);
          expect(end).toBeGreaterThan(since);
          const label = periodLabel(frequency, since, here);
          expect(periodLabel(frequency, end - 1, here)).toBe(label);
          // The hour in which a clock is set back shows the same name twice.
          if (frequency !== 'minutely' && frequency !== 'hourly') {
            expect(periodLabel(frequency, end, here) > label).toBe(true);
          }
          expect(rotatedName(BASE, `${BASE}.${label}`)).not.toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a log is due', () => {
  const since = at('2026-11-21T10:00:00Z');
  test.each<[string, Partial<RotationSpec>, number, string, unknown]>([
    ['not below its size', {}, 999, '2026-11-21T11:00:00Z', { due: false, wakeAt: null }],
    ['at its size', {}, 1000, '2026-11-21T11:00:00Z', { due: true, target: NUMBERED }],
    ['never while it is empty', { size: 0 }, 0, '2026-11-21T11:00:00Z', { due: false, wakeAt: null }],
    [
      'not within the day',
      { mode: 'time' },
      5000,
      '2026-11-21T22:59:59Z',
      { due: false, wakeAt: at('2026-11-21T23:00Z') },
    ],
    [
      'with the next day, under the name of the old',
      { mode: 'time' },
      1,
      '2026-11-21T23:00:00Z',
      { due: true, target: '2026-11-21' },
    ],
    ['also days later', { mode: 'time' }, 1, '2026-11-29T12:00:00Z', { due: true, target: '2026-11-21' }],
    [
      'by the minute',
      { mode: 'time', frequency: 'minutely' },
      1,
      '2026-11-21T10:01:00Z',
      { due: true, target: '2026-11-21T11-00' },
    ],
    [
      'on time not while it is empty',
      { mode: 'time' },
      0,
      '2026-11-22T12:00:00Z',
      { due: false, wakeAt: at('2026-11-22T23:00Z') },
    ],
    [
      'never without a frequency',
      { mode: 'time', frequency: 'none' },
      9e9,
      '2029-01-01T00:00:00Z',
      { due: false, wakeAt: null },
    ],
  ])('%s', (_why, changes, size, now, verdict) => {
    expect(judgeRotation(spec(changes), { size, since }, at(now), BERLIN)).toEqual(verdict);
  });

  it('never before the time that was told', () => {
    const when = fc.integer({ min: since, max: since + 40 * DAY });
    fc.assert(
      fc.property(
        fc.constantFrom<Frequency>('minutely', 'hourly', 'daily', 'weekly', 'monthly'),
        when,
        when,
        (frequency, from, now) => {
          const timed = spec({ mode: 'time', frequency });
          const verdict = judgeRotation(timed, { size: 1, since: from }, now, BERLIN);
          if (verdict.due || verdict.wakeAt === null) return;
          expect(judgeRotation(timed, { size: 1, since: from }, verdict.wakeAt - 1, BERLIN).due).toBe(false);
          expect(judgeRotation(timed, { size: 1, since: from }, verdict.wakeAt, BERLIN).due).toBe(true);
        },
      ),
    );
  });
});

describe('names', () => {
  test.each([
    ['stdout.log.1', true],
    ['stdout.log.12.gz', true],
    ['stdout.log.2026-11', true],
    ['stdout.log.2026-11-21', true],
    ['stdout.log.2026-11-21.gz', true],
    ['stdout.log.2026-11-21.002', true],
    ['stdout.log.2026-11-21T14', true],
    ['stdout.log.2026-11-21T14-05.013.gz', true],
    ['stdout.log', false],
    ['stdout.log.gz', false],
    ['stdout.log.important', false],
    ['stdout.log.0', false],
    ['stdout.log.01', false],
    ['stdout.log.20261121', false],
    ['stdout.log.1.bak', false],
    ['stdout.log.1.gz.tmp', false],
    ['stdout.log.2026-13', false],
    ['stdout.log.2026-02-31', false],
    ['stdout.log.2026-11-21T24', false],
    ['stdout.log.2026-11-21.001', false],
    ['stdout.log.2026-11-21.0002', false],
    ['stdout.log.2026-11-21-1', false],
    ['xstdout.log.1', false],
    ['stdoutxlog.1', false],
  ])('%s: ours is %s', (name, ours) => {
    expect(rotatedName(BASE, name) !== null).toBe(ours);
    const read = rotatedName(BASE, name);
    if (read !== null) expect(spelled(BASE, read)).toBe(name);
  });

  it('move up only as far as there is no room', () => {
    const names = [BASE, `${BASE}.1`, `${BASE}.2.gz`, `${BASE}.4`, `${BASE}.2026-11-21`, `${BASE}.important`];
    expect(placement(NUMBERED, BASE, names)).toEqual({
      shifts: [
        { from: `${BASE}.2.gz`, to: `${BASE}.3.gz` },
        { from: `${BASE}.1`, to: `${BASE}.2` },
      ],
      name: `${BASE}.1`,
    });
  });

  test.each([
    [[], '2026-11-21'],
    [['2026-11-21'], '2026-11-21.002'],
    [['2026-11-21.gz', '2026-11-21.002'], '2026-11-21.003'],
    [['2026-11-21.004'], '2026-11-21.005'],
    [['2026-11-21T14', '2026-11'], '2026-11-21'],
  ])('of one day beside %j: %s', (taken, name) => {
    const names = taken.map((each) => `${BASE}.${each}`);
    expect(placement('2026-11-21', BASE, names)).toEqual({ shifts: [], name: `${BASE}.${name}` });
  });

  const anyName = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.boolean())
      .map(([number, compressed]) => spelled(BASE, { kind: 'numbered', number, compressed })),
    fc
      .tuple(
        fc.constantFrom('2026-11-20', '2026-11-21', '2026-11'),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
      )
      .map(([label, counter, compressed]) => spelled(BASE, { kind: 'dated', label, counter, compressed })),
    fc.constantFrom(`${BASE}.important`, `${BASE}.1.bak`, 'other.log.1'),
  );

  it('overwrite nothing and keep the order, also when stopped in the middle', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyName, { maxLength: 12 }),
        fc.constantFrom(NUMBERED, '2026-11-21'),
        fc.nat(8),
        (names, target, stop) => {
          // What lies in each file, told by its old name.
          const files = new Map(names.map((name) => [name, name]));
          const rename = (from: string, to: string) => {
            expect([...files.keys()]).toContain(from);
            expect([...files.keys()]).not.toContain(to);
            files.set(to, files.get(from) ?? '');
            files.delete(from);
          };
          const first = placement(target, BASE, [...files.keys()]);
          for (const { from, to } of first.shifts.slice(0, stop)) rename(from, to);
          const second = placement(target, BASE, [...files.keys()]);
          for (const { from, to } of second.shifts) rename(from, to);
          files.set('the copy', 'the copy');
          rename('the copy', second.name);
          expect([...files.values()].sort()).toEqual([...names, 'the copy'].sort());
          const number = (name: string) => {
            const rotated = rotatedName(BASE, name);
            return rotated?.kind === 'numbered' ? rotated.number : 0;
          };
          const numbered = [...files].filter(([name, old]) => number(name) > 0 && old !== 'the copy');
          for (const [name, old] of numbered) {
            for (const [other, otherOld] of numbered) {
              if (number(old) < number(otherOld)) expect(number(name)).toBeLessThan(number(other));
            }
            if (target === NUMBERED) expect(number(name)).toBeGreaterThan(1);
          }
        },
      ),
    );
  });
});

const NOW = at('2026-11-21T12:00:00Z');

/** `[name, age in days]`. */
function files(...list: readonly (readonly [string, number])[]): readonly FileBeside[] {
  return list.map(([name, days]) => ({ name: `${BASE}.${name}`, modified: NOW - days * DAY }));
}

describe('what goes', () => {
  const short = (names: readonly string[]) => names.map((name) => name.slice(BASE.length + 1));

  test.each<[string, Partial<RotationSpec>, readonly FileBeside[], string[]]>([
    ['all beyond the number', {}, files(['1', 1], ['2', 2], ['3', 3], ['4', 4], ['5.gz', 5]), ['5.gz', '4']],
    ['nobody is kept', { backups: 0 }, files(['1', 1]), ['1']],
    ['never what rotation did not make', { backups: 0 }, files(['important', 900], ['1.bak', 900]), []],
    [
      'those of the other mode count, by their time',
      {},
      files(['1', 1], ['2', 2], ['2026-11-18', 3], ['2026-11-17', 4]),
      ['2026-11-17'],
    ],
    ['newer ones of the other mode stay', { backups: 1 }, files(['1', 4], ['2026-11-20', 1]), ['1']],
    [
      'a number is older than the numbers below it, whatever was done to its time',
      { backups: 1 },
      files(['1', 3], ['2', 0]),
      ['2'],
    ],
    [
      'a half compressed file counts once and goes as a whole',
      { backups: 1 },
      files(['1', 1], ['2', 2], ['2.gz', 2]),
      ['2.gz', '2'],
    ],
    [
      'on time: what is too old, numbered or dated',
      { mode: 'time' },
      files(['1', 29], ['2', 31], ['2026-10-01', 40], ['2026-11-20', 1]),
      ['2026-10-01', '2'],
    ],
    ['on time without an age: nothing', { mode: 'time', max_age: null }, files(['1', 4000]), []],
    ['on time there is no number', { mode: 'time', backups: 0 }, files(['1', 1]), []],
  ])('%s', (_why, changes, list, names) => {
    expect(short(pruned(spec(changes), BASE, list, NOW))).toEqual(names);
  });

  it('tells when the next one goes', () => {
    const list = files(['1', 29], ['2026-11-20', 1], ['important', 400]);
    const when = nextPruning(spec({ mode: 'time' }), BASE, list);
    expect(when).toBe(NOW + DAY + 1);
    expect(pruned(spec({ mode: 'time' }), BASE, list, (when ?? 0) - 1)).toEqual([]);
    expect(short(pruned(spec({ mode: 'time' }), BASE, list, when ?? 0))).toEqual(['1']);
    expect(nextPruning(spec(), BASE, list)).toBeNull();
  });

  it('is judged also among very many', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => ({
      name: `${BASE}.${index + 1}`,
      modified: NOW,
    }));
    expect(nextPruning(spec({ mode: 'time', max_age: 5 }), BASE, many)).toBe(NOW + 6);
    expect(contentBegan([...many.keys()], NOW)).toBe(199_999);
  });

  it('is compressed only where it is wanted, the oldest first', () => {
    const list = files(['1', 1], ['2', 2], ['3.gz', 3], ['2026-11-01', 20], ['important', 5]);
    expect(uncompressed(spec(), BASE, list)).toEqual([]);
    expect(short(uncompressed(spec({ compress: true }), BASE, list))).toEqual(['2026-11-01', '2', '1']);
  });

  it('no file outlives one that is newer by its name, and no more stay than are wanted', () => {
    const entry = fc.record({
      name: fc.oneof(
        fc.integer({ min: 1, max: 20 }).map((number) => `${BASE}.${number}`),
        fc.integer({ min: 1, max: 28 }).map((day) => `${BASE}.2026-11-${String(day).padStart(2, '0')}`),
        fc.constant(`${BASE}.important`),
      ),
      modified: fc.integer({ min: NOW - 60 * DAY, max: NOW }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 20 }),
        fc.constantFrom<'size' | 'time'>('size', 'time'),
        fc.nat(10),
        (list, mode, backups) => {
          const gone = new Set(pruned(spec({ mode, backups }), BASE, list, NOW));
          expect(gone.has(`${BASE}.important`)).toBe(false);
          const ours = list.map(({ name }) => name).filter((name) => rotatedName(BASE, name) !== null);
          if (mode === 'size') expect(ours.length - gone.size).toBe(Math.min(backups, ours.length));
          for (const kept of ours.filter((name) => !gone.has(name))) {
            for (const lost of gone) {
              const [a, b] = [rotatedName(BASE, kept), rotatedName(BASE, lost)];
              if (a?.kind === 'numbered' && b?.kind === 'numbered') expect(a.number).toBeLessThan(b.number);
              if (a?.kind === 'dated' && b?.kind === 'dated') expect(a.label > b.label).toBe(true);
            }
          }
        },
      ),
    );
  });
});
