import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type OpenLogHistory, openHistory } from '../../src/logs/history.ts';
import type { HistoryQuery } from '../../src/logs/history-lines.ts';
import { rotatedName } from '../../src/policy/rotation-names.ts';
import { Compressor } from '../../src/world/compress.ts';
import { type LogHistory, openLogHistory } from '../../src/world/log-history.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { nextTurn } from '../../src/world/turn.ts';
import { rotationOrder, STILL } from '../world/rotation-order.ts';

const isRotated = (base: string, name: string) => rotatedName(base, name) !== null;

const ALL: HistoryQuery = { lines: null, since: null, until: null, matches: null, endedOnly: false };
const NOON = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

let directory: string;
let path: string;
let told: string[];
beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  path = join(directory, 'logs', 'out.log');
  fs.mkdirSync(join(directory, 'logs'));
  told = [];
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

interface Reading {
  readonly isRotated?: boolean;
  readonly open?: OpenLogHistory;
  readonly goOn?: (bytes: number) => Promise<boolean>;
  readonly found?: () => void;
}

async function opened(reading: Reading = {}) {
  const history = await openHistory({
    path,
    credentials: null,
    isRotated: true,
    goOn: async () => {
      await nextTurn();
      return true;
    },
    wait: (milliseconds) => after(milliseconds),
    tell: (sentence) => told.push(sentence),
    timeless: () => told.push('timeless'),
    ...reading,
  });
  if (history !== undefined && 'code' in history) throw new Error(history.message);
  return history;
}

async function read(query: Partial<HistoryQuery>, reading: Reading = {}): Promise<readonly string[]> {
  const history = await opened(reading);
  const lines: string[] = [];
  if (history === undefined) return lines;
  for await (const some of history.lines({ ...ALL, ...query })) lines.push(...some.map(({ line }) => line));
  return lines;
}

/** @param modified milliseconds since 1970 */
function write(name: string, text: string, modified = Date.now()): void {
  const file = join(directory, 'logs', name);
  fs.writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  fs.utimesSync(file, modified / 1000, modified / 1000);
}

const order = () => rotationOrder(path, join(directory, 'journal'), { freezer: () => STILL });
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const containing = (word: string) => (lines: readonly string[]) => lines.map((line) => line.includes(word));

describe('the last lines', () => {
  beforeEach(() => {
    write('out.log.3.gz', text(numbered(0, 100)), NOON);
    write('out.log.2', text(numbered(100, 200)), NOON + MINUTE);
    write('out.log.1', text(numbered(200, 300)), NOON + 2 * MINUTE);
    write('out.log', text(numbered(300, 310)));
    write('out.log.important', 'somebody else\n');
    write('stderr.log.1', 'another log\n');
  });

  test.each([1, 10, 11, 110, 111, 209, 210, 211, 250, 310, 311, 5000])('%i of them', async (lines) => {
    expect(await read({ lines })).toEqual(numbered(Math.max(0, 310 - lines), 310));
  });

  it('are none when none are asked for, and all without a number', async () => {
    expect(await read({ lines: 0 })).toEqual([]);
    expect(await read({})).toEqual(numbered(0, 310));
  });

  it('are counted among those that match', async () => {
    const matches = containing('5');
    const fitting = numbered(0, 310).filter((line) => line.includes('5'));
    for (const lines of [1, 3, 20, 30, 40, 1000])
      expect(await read({ lines, matches })).toEqual(fitting.slice(-lines));
  });

  it('of a file that is not ours to rotate are in that file alone', async () => {
    expect(await read({ lines: 50 }, { isRotated: false })).toEqual(numbered(300, 310));
  });

  it('come without a last one that is not ended, when they are followed', async () => {
    fs.appendFileSync(path, 'half');
    expect(await read({ lines: 1 })).toEqual(['half']);
    const history = await opened();
    history?.close();
    expect(history?.mark).toMatchObject({ position: text(numbered(300, 310)).length });
    expect((await read({ lines: null, endedOnly: true })).at(-1)).toBe('line 309');
  });
});

describe('much', () => {
  it('is read in order from plain and compressed files, also when lines are cut by blocks', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index} ${'x'.repeat(index % 97)}`);
    write('out.log.2.gz', text(lines.slice(0, 30_000)), NOON);
    write('out.log.1', text(lines.slice(30_000, 50_000)), NOON + MINUTE);
    write('out.log', text(lines.slice(50_000)));
    expect(await read({})).toEqual(lines);
    expect(await read({ lines: 45_000 })).toEqual(lines.slice(-45_000));
    expect(await read({ lines: 25_000, matches: containing('7') })).toEqual(
      lines.filter((line) => line.includes('7')).slice(-25_000),
    );
  });

  it('costs nothing at the end of a huge file', async () => {
    write('out.log', '');
    fs.truncateSync(path, 10 * 1024 ** 3);
    fs.appendFileSync(path, `\n${text(numbered(0, 100))}`);
    let bytes = 0;
    const goOn = async (count: number) => {
      bytes += count;
      return true;
    };
    expect(await read({ lines: 50 }, { goOn })).toEqual(numbered(50, 100));
    expect(bytes).toBeLessThan(1 << 20);
    expect((await read({ lines: 500 }, { goOn })).slice(1)).toEqual(numbered(0, 100));
    expect(bytes).toBeLessThan(100 << 20);
  });

  it('ends where no more may be read, with the last lines that were found', async () => {
    write('out.log', text(Array.from({ length: 100_000 }, (_, index) => `number ${index}`)));
    let left = 600_000;
    const goOn = async (count: number) => {
      left -= count;
      return left > 0;
    };
    const found = () => {
      left = Number.POSITIVE_INFINITY;
    };
    const fitting = Array.from({ length: 1000 }, (_, index) => `number ${index * 100 + 77}`);
    const matches = (some: readonly string[]) => some.map((line) => line.endsWith('77'));
    const lines = await read({ lines: 900, matches }, { goOn, found });
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(500);
    expect(lines).toEqual(fitting.slice(-lines.length));
    left = 400_000;
    expect(await read({ lines: 10, matches: containing('number 5 ') }, { goOn, found })).toEqual([]);
  });
});

const stamped = (minutes: number, what: string) =>
  `${new Date(NOON + minutes * MINUTE).toISOString()} ${what}`;

describe('since and until', () => {
  beforeEach(() => {
    write('out.log.2.gz', text([stamped(-60, 'a'), stamped(-50, 'b')]), NOON - 50 * MINUTE);
    write('out.log.1', text([stamped(-40, 'c'), '  at trace', stamped(-30, 'd')]), NOON - 30 * MINUTE);
    write('out.log', text([stamped(-20, 'e'), '  at trace', stamped(-10, 'f')]), NOON - 10 * MINUTE);
  });
  const letters = async (query: Partial<HistoryQuery>, reading: Reading = {}) =>
    (await read(query, reading)).map((line) => (line.endsWith('trace') ? '~' : line.slice(-1))).join('');

  test.each([
    { since: -100, shown: 'abc~de~f' },
    { since: -55, shown: 'bc~de~f' },
    { since: -40, shown: 'c~de~f' },
    { since: -5, shown: '' },
  ])('from $since minutes', async ({ since, shown }) => {
    expect(await letters({ since: NOON + since * MINUTE })).toBe(shown);
  });

  it('a line without a time belongs to the one before', async () => {
    expect(await letters({ since: NOON - 35 * MINUTE })).toBe('de~f');
    expect(await letters({ since: NOON - 15 * MINUTE })).toBe('f');
    expect(await letters({ until: NOON - 35 * MINUTE })).toBe('abc~');
    expect(await letters({ since: NOON - 45 * MINUTE, until: NOON - 15 * MINUTE })).toBe('c~de~');
  });

  it('with a number of lines takes the last ones of those', async () => {
    expect(await letters({ until: NOON - 35 * MINUTE, lines: 2 })).toBe('c~');
    expect(await letters({ since: NOON - 55 * MINUTE, until: NOON - 25 * MINUTE, lines: 3 })).toBe('c~d');
  });

  it('files that are too old, or too new, are not even opened', async () => {
    const names: string[] = [];
    const open = (log: string, credentials: null): LogHistory => {
      const history = openLogHistory(log, credentials);
      if (history === undefined || 'code' in history) throw new Error('no history');
      return {
        ...history,
        open: (name) => {
          names.push(name);
          return history.open(name);
        },
      };
    };
    const reading = { open: open as NonNullable<Reading['open']> };
    await read({ since: NOON - 29 * MINUTE }, reading);
    expect(names).toEqual(['out.log']);
    names.length = 0;
    await read({ since: NOON - 55 * MINUTE, until: NOON - 45 * MINUTE }, reading);
    // The active one is opened to know what it is.
    expect(new Set(names)).toEqual(new Set(['out.log', 'out.log.1', 'out.log.2.gz']));
    names.length = 0;
    await read({ until: NOON - 52 * MINUTE, lines: 5 }, reading);
    expect(new Set(names)).toEqual(new Set(['out.log', 'out.log.2.gz']));
  });

  it('of a file without any times count all its lines as of its last change, and say so', async () => {
    write('out.log', 'no\ntimes\nhere\n', NOON - 10 * MINUTE);
    expect(await read({ since: NOON - 15 * MINUTE })).toEqual(['no', 'times', 'here']);
    expect(told).toEqual(['timeless']);
    expect(await read({ since: NOON - 5 * MINUTE })).toEqual([]);
    expect((await read({ until: NOON - 12 * MINUTE })).at(-1)).toBe(stamped(-30, 'd'));
  });

  it('of an empty file need no word about its times', async () => {
    write('out.log', '', NOON);
    expect(await read({ since: NOON - 6 * MINUTE })).toEqual([]);
    expect(told).toEqual([]);
  });

  it('read only the end of a large file', async () => {
    const lines = Array.from({ length: 200_000 }, (_, index) =>
      stamped((index - 200_000) / 60, `line ${index}`),
    );
    write('out.log', text(lines), NOON);
    let bytes = 0;
    const goOn = async (count: number) => {
      bytes += count;
      return true;
    };
    expect(await read({ since: NOON - MINUTE }, { goOn })).toEqual(lines.slice(-60));
    expect(bytes).toBeLessThan(3_000_000);
  });
});

describe('a log that is rotated meanwhile', () => {
  it('at any step of it has every line once', async () => {
    const old = numbered(0, 20_000);
    write('out.log.1.gz', text(numbered(-100, 0)), NOON);
    const seen: string[] = [];
    const steps = [
      ...['begun', 'created', 'copied', 'rest copied', 'cutting', 'truncated', 'cut', 'thawed', 'named'],
    ];
    for (const step of steps) {
      for (const name of fs.readdirSync(join(directory, 'logs'))) fs.rmSync(join(directory, 'logs', name));
      write('out.log.1.gz', text(numbered(-100, 0)), NOON);
      write('out.log', text(old));
      let reading: Promise<readonly string[]> | undefined;
      await rotateLog({
        ...order(),
        passed: (passed) => {
          if (passed === step) reading = read({});
          if (passed === 'thawed') fs.appendFileSync(path, 'later\n');
        },
      });
      const lines = (await reading) ?? [];
      expect(lines.slice(0, 20_100), step).toEqual([...numbered(-100, 0), ...old]);
      expect([[], ['later']], step).toContainEqual(lines.slice(20_100));
      seen.push(step);
    }
    expect(seen).toEqual(steps);
  });

  it('and compressed while it is read is read to its end', async () => {
    const old = Array.from({ length: 100_000 }, (_, index) => `old line ${index}`);
    write('out.log.1', 'before\n', NOON);
    write('out.log', text(old));
    const history = await opened();
    const lines: string[] = [];
    let rounds = 0;
    for await (const some of history?.lines(ALL) ?? []) {
      lines.push(...some.map(({ line }) => line));
      rounds += 1;
      if (rounds !== 3) continue;
      for (const later of ['new\n', 'newer\n']) {
        await rotateLog(order());
        fs.appendFileSync(path, later);
      }
      const compressor = new Compressor();
      expect(await compressor.compress(path, null, 'out.log.2', isRotated)).toMatchObject({
        kind: 'compressed',
      });
      await compressor.close();
    }
    expect(rounds).toBeGreaterThan(5);
    expect(lines).toEqual(['before', ...old]);
    expect(told).toEqual([]);
  });

  it('again and again, while somebody writes, has numbers without a gap', async () => {
    let next = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        fs.appendFileSync(path, text(Array.from({ length: 50 }, () => `${next++}`)));
        await nextTurn();
      }
    })();
    const rotating = (async () => {
      while (!isOver) {
        await rotateLog(order());
        await nextTurn();
      }
    })();
    for (let round = 0; round < 25; round++) {
      const numbers = (await read({ lines: 400 })).map(Number);
      const [first = 0] = numbers;
      expect(numbers).toEqual(numbers.map((_, index) => first + index));
    }
    isOver = true;
    await Promise.all([writing, rotating]);
    expect(next).toBeGreaterThan(1000);
    expect(await read({})).toEqual(Array.from({ length: next }, (_, index) => `${index}`));
  });

  it('is not confused by the rotation of a log beside it that was killed', async () => {
    write('out.log', text(numbered(0, 10)));
    write('other.log', text(['another log']));
    fs.writeFileSync(join(directory, 'logs', '.pm-0123456789ab.rotating'), 'another log\n');
    fs.utimesSync(join(directory, 'logs', '.pm-0123456789ab.rotating'), NOON / 1000, NOON / 1000);
    expect(await read({})).toEqual(numbered(0, 10));
  });
});

it('is nothing where nothing is', async () => {
  expect(await read({})).toEqual([]);
  path = join(directory, 'nowhere', 'out.log');
  expect(await opened()).toBeUndefined();
  path = '/dev/null';
  expect(await read({})).toEqual([]);
});

it('lets nothing open behind', async () => {
  write('out.log.1', 'one\n');
  write('out.log', 'two\n');
  const open = () => fs.readdirSync('/proc/self/fd').length;
  const before = open();
  await read({});
  const history = await opened();
  for await (const _ of history?.lines(ALL) ?? []) break;
  expect(open()).toBe(before);
});

it.skipIf(process.getuid?.() !== 0)('shows nothing that the user of the service has planted', async () => {
  const app = { uid: 54321, gid: 54321, groups: [], user: 'app', home: '/', shell: '/bin/sh' };
  fs.writeFileSync(join(directory, 'secret'), 'secret\n');
  fs.chmodSync(directory, 0o755);
  fs.chownSync(join(directory, 'logs'), app.uid, app.gid);
  write('out.log', 'mine\n');
  fs.chownSync(path, app.uid, app.gid);
  fs.symlinkSync(join(directory, 'secret'), `${path}.1`);
  fs.linkSync(join(directory, 'secret'), `${path}.2`);
  const reading = { credentials: app } as Reading;
  expect(await read({}, reading)).toEqual(['mine']);
  expect(told.join()).toContain('second name');
  fs.rmSync(path);
  fs.symlinkSync(join(directory, 'secret'), path);
  await expect(opened(reading)).rejects.toThrow('out.log');
});
