/** Is every event that was written there again, whatever happened to the daemon, the disk or the directory? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NumberedEvent } from '../../src/model/action.ts';
import { eventLine } from '../../src/model/event-line.ts';
import type { EventQuery } from '../../src/model/event-query.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { EventFiles } from '../../src/world/event-files.ts';
import { eventsIn } from '../../src/world/event-history.ts';

const LARGE = 1_000_000;

function ground(): string {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pm-events-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'events');
}

function event(id: number, service = 'web'): NumberedEvent {
  return {
    id,
    at: 1_000_000 + id * 1000,
    name: `event_${id}`,
    service: service as ServiceName,
    fields: { text: 'ä\n' },
  };
}

function events(from: number, to: number): readonly NumberedEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
}

async function read(directory: string, query: Partial<EventQuery> = {}): Promise<readonly number[]> {
  const ids: number[] = [];
  for await (const page of eventsIn(directory, { services: [], ...query }))
    ids.push(...page.events.map(({ id }) => id));
  return ids;
}

function opened(directory: string, size = LARGE) {
  const files = new EventFiles(directory, size);
  const kept = files.open();
  return { files, kept };
}

function range(from: number, to: number): readonly number[] {
  return events(from, to).map(({ id }) => id);
}

test('a daemon that comes later goes on after the last number', async () => {
  const directory = ground();
  const first = opened(directory);
  expect(first.kept).toEqual({ last: 0, torn: 0 });
  expect(fs.existsSync(directory)).toBe(false);
  first.files.append(events(1, 3));
  const second = opened(directory);
  expect(second.kept).toEqual({ last: 3, torn: 0 });
  second.files.append(events(4, 5));
  expect(await read(directory)).toEqual([1, 2, 3, 4, 5]);
  expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
  expect(fs.readdirSync(directory)).toEqual(['1.jsonl']);
  expect(fs.statSync(join(directory, '1.jsonl')).mode & 0o777).toBe(0o600);
});

test('cut off at any byte, all whole lines are read back, and what follows begins on a new line', async () => {
  const written = events(1, 4);
  const whole = Buffer.from(written.map(eventLine).join(''));
  const ends = written.map((_, index) =>
    Buffer.byteLength(
      written
        .slice(0, index + 1)
        .map(eventLine)
        .join(''),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (cut) => {
      const directory = fs.mkdtempSync(join(tmpdir(), 'pm-events-'));
      try {
        fs.writeFileSync(join(directory, '1.jsonl'), whole.subarray(0, cut));
        // A line is whole without its newline, too.
        const kept = ends.filter((end) => end - 1 <= cut).length;
        const files = new EventFiles(directory, LARGE);
        const rest = cut - (ends.filter((end) => end <= cut).at(-1) ?? 0);
        expect(files.open()).toEqual({ last: kept, torn: ends.includes(cut + 1) ? 0 : rest });
        expect(files.append(events(kept + 1, kept + 2))).toEqual({ written: 2 });
        expect(await read(directory)).toEqual(range(1, kept + 2));
        // The next one has nothing to tell of it.
        expect(new EventFiles(directory, LARGE).open()).toEqual({ last: kept + 2, torn: 0 });
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    }),
    { numRuns: 150 },
  );
});

test('it takes no more room than it may: the oldest go, and the newest are all there', async () => {
  const directory = ground();
  const { files } = opened(directory, 10_000);
  for (let id = 1; id <= 1000; id += 7) expect(files.append(events(id, id + 6))).toEqual({ written: 7 });
  const sizes = fs.readdirSync(directory).map((name) => fs.statSync(join(directory, name)).size);
  expect(sizes).toHaveLength(5);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(10_000);
  const kept = await read(directory);
  expect(kept.at(-1)).toBe(1001);
  expect(kept).toEqual(range(kept[0] ?? 0, 1001));
  expect(files.oldest).toBe(kept[0]);
  // One that comes later sees the same, and keeps to the bound.
  const later = opened(directory, 10_000);
  expect(later.kept.last).toBe(1001);
  expect(later.files.oldest).toBe(kept[0]);
});

describe('reading', () => {
  /** Several files, and lines of two services by turns. */
  function filled(): string {
    const directory = ground();
    const { files } = opened(directory, 100_000);
    files.append(range(1, 600).map((id) => event(id, id % 2 === 0 ? 'web' : 'db')));
    expect(fs.readdirSync(directory).length).toBeGreaterThan(2);
    return directory;
  }

  test.each<[string, Partial<EventQuery>, readonly number[]]>([
    ['all', {}, range(1, 600)],
    ['those after a number', { after: 400 }, range(401, 600)],
    ['none after the last', { after: 600 }, []],
    ['those since a time', { since: 1_000_000 + 500_000 }, range(500, 600)],
    ['those of a service', { after: 590, services: ['web'] }, [592, 594, 596, 598, 600]],
    ['the last few', { last: 3 }, [598, 599, 600]],
    ['the last few of a service', { last: 2, services: ['db'] }, [597, 599]],
    ['the last few since a time', { last: 900, since: 1_000_000 + 598_000 }, [598, 599, 600]],
    ['the last few after a number', { last: 900, after: 597 }, [598, 599, 600]],
    ['more of the last than there are', { last: 10_000 }, range(1, 600)],
    ['the last none', { last: 0 }, []],
    ['those of nobody', { services: ['nobody'] }, []],
  ])('%s', async (_what, query, expected) => {
    expect(await read(filled(), query)).toEqual(expected);
  });

  test('tells up to where it has looked, whoever the events belong to', async () => {
    let upTo = 0;
    for await (const page of eventsIn(filled(), { services: ['nobody'] })) upTo = page.upTo;
    expect(upTo).toBe(600);
  });

  test('rubbish between the lines is passed over', async () => {
    const directory = ground();
    fs.mkdirSync(directory);
    const rubbish = ['\0\0\0\n', '{"id":\n', '\n', `${'x'.repeat(200_000)}\n`, eventLine(event(1))];
    fs.writeFileSync(
      join(directory, '1.jsonl'),
      [eventLine(event(1)), ...rubbish, eventLine(event(2))].join(''),
    );
    expect(await read(directory)).toEqual([1, 2]);
    expect(await read(directory, { last: 5 })).toEqual([1, 2]);
  });

  test('there is nothing where there is no journal', async () => {
    expect(await read('/nonexistent/events')).toEqual([]);
  });
});

test('a fifo in the place of a file is not waited for', () => {
  const directory = ground();
  const { files } = opened(directory);
  files.append(events(1, 2));
  const [name = ''] = fs.readdirSync(directory);
  fs.rmSync(join(directory, name));
  execFileSync('mkfifo', [join(directory, name)]);
  expect(files.append(events(3, 4))).toEqual({ written: 0, failed: 'ENXIO' });
});

test('what cannot be written is said, and what follows later is written whole', async () => {
  const directory = ground();
  const { files } = opened(directory);
  files.append(events(1, 2));
  fs.rmSync(directory, { recursive: true });
  // In the place of the directory there is something else.
  fs.writeFileSync(directory, '');
  expect(files.append(events(3, 4))).toEqual({ written: 0, failed: 'ENOTDIR' });
  fs.rmSync(directory);
  expect(files.append(events(3, 4))).toEqual({ written: 2 });
  expect(await read(directory)).toEqual([3, 4]);
});
