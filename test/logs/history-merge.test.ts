import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergedByTime, type Timed } from '../../src/logs/history-merge.ts';

interface Line extends Timed {
  readonly log: number;
  readonly number: number;
}

async function* inBatches(lines: readonly Line[], size: number): AsyncGenerator<readonly Line[]> {
  for (let at = 0; at < lines.length; at += size) yield lines.slice(at, at + size);
}

async function merged(logs: readonly (readonly (number | null)[])[], size = 2): Promise<readonly Line[]> {
  const lines = logs.map((times, log) => times.map((time, number) => ({ time, log, number })));
  const all: Line[] = [];
  for await (const some of mergedByTime(lines.map((each) => inBatches(each, size)))) all.push(...some);
  return all;
}
const inShort = (lines: readonly Line[]) =>
  lines.map(({ log, number }) => `${log}${'abcdef'[number]}`).join(' ');

describe('lines of several logs', () => {
  it('are in the order of their times, those without one behind the line before', async () => {
    expect(
      inShort(
        await merged([
          [1, null, 4],
          [2, 3, null, 5],
        ]),
      ),
    ).toBe('0a 0b 1a 1b 1c 0c 1d');
  });

  it('with the same time are in the order of the logs', async () => {
    expect(inShort(await merged([[1, 2, 2], [1, 2], [2]]))).toBe('0a 1a 0b 0c 1b 2a');
  });

  it('without any time come log by log, before all others', async () => {
    expect(inShort(await merged([[1], [null, null, null], [null], [0]]))).toBe('1a 1b 1c 2a 3a 0a');
  });

  it('keep the order of their log, also where their times do not', async () => {
    expect(
      inShort(
        await merged([
          [5, 1, 6],
          [2, 7],
        ]),
      ),
    ).toBe('1a 0a 0b 0c 1b');
  });

  it('are all there, once, in the order of their log, whatever the times', async () => {
    const time = fc.option(fc.integer({ min: 0, max: 20 }), { nil: null });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(time, { maxLength: 12 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (logs, size) => {
          const all = await merged(logs, size);
          expect(all).toHaveLength(logs.flat().length);
          for (const log of logs.keys()) {
            const own = all.filter((line) => line.log === log).map(({ number }) => number);
            expect(own).toEqual(own.map((_, index) => index));
          }
          const sorted = logs.map((times) => times.flatMap((each) => each ?? []).sort((a, b) => a - b));
          const times = (await merged(sorted, size)).map((line) => line.time ?? 0);
          expect(times).toEqual([...times].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('that nobody waits for any more are closed', async () => {
    let open = 2;
    async function* endless(): AsyncGenerator<readonly Line[]> {
      try {
        for (let number = 0; ; number++) yield [{ time: number, log: 0, number }];
      } finally {
        open -= 1;
      }
    }
    for await (const _ of mergedByTime([endless(), endless()])) break;
    expect(open).toBe(0);
  });
});
