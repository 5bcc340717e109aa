/** What does the journal promise to the next daemon, and what to this one when the disk is full? */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';
import type { NumberedEvent } from '../../src/model/action.ts';
import { EventFiles } from '../../src/world/event-files.ts';

/** Files that fail as long as the test says so, a clock that stands still, and everything that was logged. */
function ground() {
  const root = fs.mkdtempSync(join(tmpdir(), 'pm-events-'));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'events');
  const said: string[] = [];
  const say = (_fields: object, message: string) => void said.push(message);
  /** What is told as a problem that lasts, or that it is over. */
  const wrote: (readonly [string, string | undefined])[] = [];
  let now = 1_700_000_000_000;
  const timers: { at: number; wake: () => void }[] = [];
  let writes = 0;
  const ground = {
    directory,
    said,
    wrote,
    failure: undefined as string | undefined,
    told: () => {},
    writes: () => writes,
    pass: (time: number) => {
      now += time;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.wake();
      }
    },
    open: (): Journal => {
      const files = new EventFiles(directory, 1_000_000);
      const append = files.append.bind(files);
      files.append = (events) => {
        writes += 1;
        return ground.failure === undefined ? append(events) : { written: 0, failed: ground.failure };
      };
      const clock = {
        now: () => now,
        after: (delay: number, wake: () => void) => {
          const timer = { at: now + delay, wake };
          timers.push(timer);
          return () => {
            const index = timers.indexOf(timer);
            if (index >= 0) timers.splice(index, 1);
          };
        },
      };
      return new Journal({
        ...{ files, clock, log: { info: say, warn: say } },
        wrote: (part, problem) => {
          wrote.push([part, problem?.message]);
          ground.told();
        },
      });
    },
    onDisk: () =>
      fs.existsSync(directory)
        ? fs.readdirSync(directory).flatMap((name) =>
            fs
              .readFileSync(join(directory, name), 'utf8')
              .split('\n')
              .filter((line) => line !== ''),
          )
        : [],
  };
  return ground;
}

function add(journal: Journal, count: number, from = 1): void {
  for (let number = from; number < from + count; number++) {
    journal.add({ at: 1_700_000_000_000, name: `event_${number}`, fields: {} });
  }
}

async function all(journal: Journal, after = 0): Promise<readonly NumberedEvent[]> {
  const events: NumberedEvent[] = [];
  for await (const page of journal.read({ after, services: [] })) events.push(...page.events);
  return events;
}

test('what happens at about the same time is one write, and on disk a moment later', () => {
  const { open, pass, writes, onDisk } = ground();
  const journal = open();
  let news = 0;
  journal.onNews(() => {
    news += 1;
  });
  add(journal, 100);
  expect([writes(), onDisk().length, news]).toEqual([0, 0, 0]);
  pass(50);
  expect([writes(), onDisk().length, news]).toEqual([1, 100, 1]);
  pass(10_000);
  expect(writes()).toBe(1);
});

test('who asks is told only what is on disk by then', async () => {
  const { open, onDisk } = ground();
  const journal = open();
  add(journal, 3);
  expect((await all(journal)).map(({ name }) => name)).toEqual(['event_1', 'event_2', 'event_3']);
  expect(onDisk()).toHaveLength(3);
});

test('a burst does not wait until it is too much to remember', () => {
  const { open, onDisk } = ground();
  const journal = open();
  add(journal, 2500);
  expect(onDisk().length).toBeGreaterThanOrEqual(2000);
  journal.close();
  expect(onDisk()).toHaveLength(2500);
});

test('numbers grow from daemon to daemon, also when the state directory was lost', async () => {
  const { open, directory, pass } = ground();
  const first = open();
  add(first, 3);
  first.close();
  pass(1000);
  const second = open();
  add(second, 1, 4);
  expect((await all(second)).map(({ name }) => name)).toEqual(['event_1', 'event_2', 'event_3', 'event_4']);
  expect(second.last).toBeGreaterThan(first.last);
  second.close();
  fs.rmSync(directory, { recursive: true });
  pass(1000);
  const third = open();
  add(third, 1);
  expect(third.last).toBeGreaterThan(second.last);
  expect(third.hasGapAfter(first.last)).toBe(true);
  expect(third.hasGapAfter(0)).toBe(false);
});

test('a line that was cut off is told once', async () => {
  const { open, directory, said } = ground();
  const journal = open();
  add(journal, 2);
  journal.close();
  const [name = ''] = fs.readdirSync(directory);
  fs.truncateSync(join(directory, name), fs.statSync(join(directory, name)).size - 5);
  const second = open();
  expect(said).toEqual([expect.stringMatching(/^the last line of the events, \d+ bytes, was cut off/)]);
  add(second, 1, 3);
  second.close();
  const third = open();
  expect(said).toHaveLength(1);
  expect((await all(third)).map((event) => event.name)).toEqual(['event_1', 'event_3']);
});

test('a disk that is full stops nothing: it is told once, events are told from memory, and all are written later', async () => {
  const one = ground();
  const journal = one.open();
  one.failure = 'ENOSPC';
  let news = 0;
  journal.onNews(() => {
    news += 1;
  });
  add(journal, 10);
  one.pass(50);
  one.pass(60_000);
  expect(news).toBeGreaterThan(0);
  expect(one.said).toEqual([]);
  const message = `the events cannot be kept in ${one.directory} (ENOSPC); the last 2000 stay in memory`;
  expect(new Set(one.wrote.flat())).toEqual(new Set(['events', message]));
  expect(await all(journal)).toHaveLength(10);
  one.failure = undefined;
  one.pass(5000);
  expect(one.onDisk()).toHaveLength(10);
  expect(one.said).toEqual(['events are written again']);
  expect(one.wrote.at(-1)).toEqual(['events', undefined]);
  expect(await all(journal)).toHaveLength(10);
});

test('what was too much for the memory is counted', async () => {
  const one = ground();
  const journal = one.open();
  one.failure = 'ENOSPC';
  add(journal, 5000);
  one.failure = undefined;
  one.pass(60_000);
  const [first, ...rest] = await all(journal);
  expect(first).toMatchObject({ name: 'events_lost', fields: { count: 3000 } });
  expect(rest.map(({ name }) => name)).toEqual(
    Array.from({ length: 2000 }, (_, index) => `event_${index + 3001}`),
  );
});

test('to tell that nothing can be written is an event as well, which is written with the others', async () => {
  const one = ground();
  const journal = one.open();
  fs.writeFileSync(one.directory, 'no directory');
  let tells = 0;
  one.told = () => {
    tells += 1;
    if (tells === 1) add(journal, 1, 2);
  };
  add(journal, 1);
  one.pass(50);
  one.pass(5000);
  expect(one.wrote).toHaveLength(2);
  expect(one.wrote[0]?.[1]).toContain('(ENOTDIR)');
  fs.rmSync(one.directory);
  one.pass(5000);
  expect(one.wrote.at(-1)).toEqual(['events', undefined]);
  expect((await all(journal)).map(({ name }) => name)).toEqual(['event_1', 'event_2']);
  expect(one.onDisk()).toHaveLength(2);
});
