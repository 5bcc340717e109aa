import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type FollowedLog, LogFollower, type Notice } from '../../src/logs/follow.ts';
import type { From } from '../../src/logs/log-position.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';
import { NUMBERED, rotatedName } from '../../src/policy/rotation-names.ts';
import { Compressor } from '../../src/world/compress.ts';
import { rotateLog, type Step } from '../../src/world/log-rotation.ts';
import { failingFstat } from '../world/failing-fstat.ts';
import { rotationOrder, STILL } from '../world/rotation-order.ts';

const isRotated = (base: string, name: string) => rotatedName(base, name) !== null;

let directory: string;
let path: string;
let followers: LogFollower[];

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  fs.mkdirSync(join(directory, 'logs'));
  path = join(directory, 'logs/out.log');
  followers = [];
});
afterEach(() => {
  for (const follower of followers) follower.close();
  expect(openBelow(directory)).toEqual([]);
  fs.rmSync(directory, { recursive: true });
});

const openBelow = (below: string) =>
  fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(below) ? [target] : [];
    } catch {
      return [];
    }
  });

function follow(from: From, changes: Partial<FollowedLog> = {}): LogFollower {
  const follower = new LogFollower({ path, credentials: null, rotation: 'ours', ...changes }, from);
  followers.push(follower);
  return follower;
}

async function lines(follower: LogFollower): Promise<readonly string[]> {
  const { lines, more, notices } = await follower.read();
  expect({ more, notices }).toEqual({ more: false, notices: [] });
  return lines;
}

async function all(follower: LogFollower): Promise<{ lines: string[]; notices: Notice['kind'][] }> {
  const told = { lines: [] as string[], notices: [] as Notice['kind'][] };
  for (let more = true; more; ) {
    const part = await follower.read();
    told.lines.push(...part.lines);
    told.notices.push(...part.notices.map(({ kind }) => kind));
    more = part.more;
  }
  return told;
}

const rotate = (passed?: (step: Step) => void, target = NUMBERED) =>
  rotateLog(
    rotationOrder(path, join(directory, 'state/journal'), {
      target,
      freezer: () => STILL,
      ...(passed === undefined ? {} : { passed }),
    }),
  );

const compress = (name: string) => new Compressor().compress(path, null, name, isRotated);
const write = (text: string) => fs.appendFileSync(path, text);
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`);
const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');

describe.each([
  ['for whatever it is asked', () => true],
  ['after the file was found to be a good one', (_look: number, isExact: boolean) => isExact],
])('a disk that fails %s', (_when, isMeant) => {
  const unreadable = expect.objectContaining({
    kind: 'unreadable',
    problem: expect.objectContaining({ message: expect.stringContaining('EIO') }),
  });

  it('is told once, and no line is lost by it', async () => {
    write('one\n');
    const follower = follow('start');
    const mend = failingFstat(isMeant);
    expect(await follower.read()).toEqual({ lines: [], notices: [unreadable], more: false });
    expect(await follower.read()).toEqual({ lines: [], notices: [], more: false });
    mend();
    expect(await lines(follower)).toEqual(['one']);
  });

  it('is told once where a rotated file is what comes next, and no line comes before its turn', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    write('two\n');
    await rotate();
    write('three\n');
    const mend = failingFstat(isMeant);
    expect(await follower.read()).toEqual({ lines: [], notices: [unreadable], more: false });
    expect(await follower.read()).toEqual({ lines: [], notices: [], more: false });
    mend();
    expect(await all(follower)).toEqual({ lines: ['two', 'three'], notices: [] });
  });
});

describe('a follower', () => {
  it('tells lines once, when they are ended', async () => {
    write('old\n');
    const [end, start] = [follow('end'), follow('start')];
    expect([await lines(end), await lines(start)]).toEqual([[], ['old']]);
    write('one\ntw');
    expect([await lines(end), await lines(start)]).toEqual([['one'], ['one']]);
    write('o\n');
    expect([await lines(end), await lines(start)]).toEqual([['two'], ['two']]);
    expect(await lines(end)).toEqual([]);
  });

  test.each([
    [2, ['b', 'c']],
    [9, ['a', 'b', 'c']],
    [0, []],
  ])('begins with the last %d lines', async (count, expected) => {
    write('a\nb\nc\n');
    const follower = follow({ lines: count });
    expect(await lines(follower)).toEqual(expected);
    write('d\n');
    expect(await lines(follower)).toEqual(['d']);
  });

  it('waits for a log whose directory does not exist yet, and begins at its beginning', async () => {
    fs.rmdirSync(join(directory, 'logs'));
    const follower = follow('end');
    expect(await lines(follower)).toEqual([]);
    fs.mkdirSync(join(directory, 'logs'));
    write('first\n');
    expect(await lines(follower)).toEqual(['first']);
  });

  it.each(['', 'a longer new line than what was there\n'])(
    'begins again when the file was truncated, and grew by %j before anybody looked',
    async (grown) => {
      write('a long old line\nhalf');
      const follower = follow('start');
      expect(await lines(follower)).toEqual(['a long old line']);
      fs.truncateSync(path);
      write(grown);
      write('new\n');
      expect(await all(follower)).toEqual({
        lines: [...(grown === '' ? [] : [grown.trimEnd()]), 'new'],
        notices: ['truncated'],
      });
    },
  );

  it('reads a replaced file to its end before it goes on with the next', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    write('two\nthree');
    fs.renameSync(path, `${path}.1`);
    write('four\n');
    expect(await lines(follower)).toEqual(['two', 'three', 'four']);
    expect(openBelow(`${path}.1`)).toEqual([]);
    fs.appendFileSync(`${path}.1`, 'too late\n');
    fs.renameSync(`${path}.1`, `${path}.2`);
    write('five\n');
    expect(await lines(follower)).toEqual(['five']);
  });

  it('keeps what it has while the name is away', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    fs.renameSync(path, `${path}.1`);
    expect(await lines(follower)).toEqual([]);
    fs.appendFileSync(`${path}.1`, 'still here\n');
    expect(await lines(follower)).toEqual(['still here']);
  });

  it('gives much in portions, and loses and doubles nothing between them', async () => {
    const follower = follow('start');
    expect(await lines(follower)).toEqual([]);
    write(text(numbered(20_000)));
    await rotate();
    await compress('out.log.1');
    write(text(numbered(20_000, 20_000)));
    await rotate();
    write(text(numbered(10_000, 40_000)));
    const got: string[] = [];
    let portions = 0;
    for (let more = true; more; portions++) {
      const part = await follower.read({ bytes: 10_000, lines: 300 });
      expect(part.lines.length).toBeLessThanOrEqual(300);
      got.push(...part.lines);
      more = part.more;
    }
    expect(got).toEqual(numbered(50_000));
    expect(portions).toBeGreaterThan(50_000 / 300);
  });

  it('does not keep a line without an end in memory', async () => {
    write(`${'x'.repeat(1_000_000)}\nnext\n`);
    const { lines } = await all(follow('start'));
    expect(lines.map(({ length }) => length)).toEqual([LONGEST_LINE + 1, 'next'.length]);
  });

  it('tells once why a log cannot be read', async () => {
    fs.mkdirSync(path);
    const follower = follow('end');
    const { notices } = await follower.read();
    expect(notices).toMatchObject([{ kind: 'unreadable', problem: { code: 'log-unsafe' } }]);
    expect(await lines(follower)).toEqual([]);
  });
});

const STEPS: readonly Step[] = [
  'begun',
  'created',
  'copied',
  'frozen',
  'rest copied',
  'cutting',
  'truncated',
  'written back',
  'cut',
  'thawed',
  'named',
];

describe('through a rotation', () => {
  test.each(STEPS)('a look after "%s" and one afterwards tell each line once', async (step) => {
    for (const unfinished of ['', 'half a ']) {
      const follower = follow('start');
      const first = (await all(follower)).lines;
      write(text(numbered(1000)));
      write(unfinished);
      first.push(...(await all(follower)).lines);
      write(unfinished === '' ? text(numbered(500, 1000)) : text(['line']));
      write(unfinished);
      let seen: ReturnType<typeof all> | undefined;
      await rotate((passed) => {
        if (passed === step) seen = all(follower);
      });
      const { lines: then = [], notices } = (await seen) ?? { notices: [] };
      // Longer than all that was there: the position alone would not show that the log was cut.
      write(unfinished === '' ? '' : text(['line']));
      write(text(numbered(3000, 1500)));
      const last = await all(follower);
      const whole = [...first, ...then, ...last.lines].filter((line) => line !== 'half a line');
      expect({ notices: [...notices, ...last.notices], whole }).toEqual({
        notices: [],
        whole: [...numbered(unfinished === '' ? 1500 : 1000), ...numbered(3000, 1500)],
      });
      expect([...first, ...then, ...last.lines].length - whole.length).toBe(unfinished === '' ? 0 : 2);
      follower.close();
      for (const name of fs.readdirSync(join(directory, 'logs'))) fs.rmSync(join(directory, 'logs', name));
    }
  });

  it('tells lines that are all the same as often as they were written', async () => {
    const follower = follow('start');
    let written = 0;
    let told = 0;
    const put = (count: number) => {
      write('y\n'.repeat(count));
      written += count;
    };
    for (let round = 0; round < 5; round++) {
      put(1000);
      told += (await lines(follower)).length;
      put(round * 100);
      await rotate();
      put(3000);
    }
    told += (await lines(follower)).length;
    expect(told).toBe(written);
  });

  it('reads a line to its end that is cut in the middle because it is all that there is', async () => {
    const follower = follow('start');
    write('a');
    expect(await lines(follower)).toEqual([]);
    for (const letter of 'bcd') {
      await rotate();
      write(letter);
      if (letter === 'c') expect(await lines(follower)).toEqual([]);
    }
    write('e\nf\n');
    expect(await lines(follower)).toEqual(['abcde', 'f']);
  });

  it('goes on where it was before when the rotation is given up', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    const passed = (step: Step) => {
      if (step === 'rest copied')
        throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    };
    expect(await rotate(passed)).toMatchObject({ code: 'log-not-rotated' });
    write('two\n');
    expect(await lines(follower)).toEqual(['two']);
  });

  it('does not wait for a daemon that was killed before it cut the log', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    const copy = join(directory, 'logs/.pm-0123456789ab.rotating');
    fs.copyFileSync(path, copy);
    write('two\n');
    expect(await lines(follower)).toEqual([]);
    const longAgo = Date.now() / 1000 - 60;
    fs.utimesSync(copy, longAgo, longAgo);
    expect(await lines(follower)).toEqual(['two']);
    // It was killed later, as it turns out.
    fs.appendFileSync(copy, 'two\nthree\n');
    fs.utimesSync(copy, longAgo, longAgo);
    fs.truncateSync(path);
    write('four\n');
    expect(await lines(follower)).toEqual([]);
    fs.renameSync(copy, `${path}.1`);
    expect(await lines(follower)).toEqual(['three', 'four']);
  });

  it('tells that lines are lost when the rotated file is gone before it was read', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    write('lost\n');
    await rotate();
    fs.rmSync(`${path}.1`);
    write('two\n');
    expect(await all(follower)).toEqual({ lines: ['two'], notices: ['lost'] });
    write('three\n');
    await rotate();
    write('four\n');
    await rotate();
    fs.rmSync(`${path}.2`);
    write('five\n');
    expect(await all(follower)).toEqual({ lines: ['four', 'five'], notices: ['lost'] });
  });

  it('follows no link that stands where a rotated file should', async () => {
    write('one\n');
    const follower = follow('start');
    expect(await lines(follower)).toEqual(['one']);
    fs.writeFileSync(join(directory, 'secret'), 'secret\n');
    fs.symlinkSync(join(directory, 'secret'), `${path}.1`);
    fs.symlinkSync(join(directory, 'secret'), `${path}.2026-11-21`);
    write('two\n');
    expect(await lines(follower)).toEqual(['two']);
  });
});

describe('a log that others rotate', () => {
  it('is not taken for cut because somebody copies it', async () => {
    write(text(numbered(10)));
    const follower = follow('start', { rotation: 'unknown' });
    expect(await lines(follower)).toEqual(numbered(10));
    write('eleven\n');
    fs.copyFileSync(path, `${path}.1`);
    write('twelve\n');
    expect(await lines(follower)).toEqual(['eleven', 'twelve']);
  });

  it('is read to its end in the copy when it was cut', async () => {
    write(text(numbered(10)));
    const follower = follow('start', { rotation: 'unknown' });
    expect(await lines(follower)).toEqual(numbered(10));
    write('eleven\n');
    fs.copyFileSync(path, `${path}.1`);
    expect(await lines(follower)).toEqual(['eleven']);
    fs.appendFileSync(`${path}.1`, 'twelve\n');
    fs.truncateSync(path);
    write('thirteen\n');
    expect(await lines(follower)).toEqual(['twelve', 'thirteen']);
  });
});

describe('a mark', () => {
  it('leads on in another process, however often the log was rotated since', async () => {
    write(text(numbered(10)));
    const first = follow('start');
    expect(await lines(first)).toEqual(numbered(10));
    expect(first.mark()).toMatchObject({ after: null, position: 70 });
    write('line 10\nunfini');
    expect(await lines(first)).toEqual(['line 10']);
    const mark = JSON.parse(JSON.stringify(first.mark()));
    write('shed\n');
    await rotate();
    write('a\n');
    await rotate();
    await compress('out.log.2');
    write('b\n');
    const second = follow(mark);
    expect(await lines(second)).toEqual(['unfinished', 'a', 'b']);
    const later = JSON.parse(JSON.stringify(second.mark()));
    await compress('out.log.1');
    write('c\n');
    await rotate(undefined, '2026-11-21');
    expect(await lines(follow(later))).toEqual(['c']);
  });

  it('can be taken amid the rotated files', async () => {
    const follower = follow('start');
    expect(await lines(follower)).toEqual([]);
    for (let round = 0; round < 4; round++) {
      write(text(numbered(100, round * 100)));
      await rotate();
    }
    await compress('out.log.3');
    const got: string[] = [];
    let mark: From = 'start';
    for (let more = true; more; ) {
      const next: LogFollower = got.length === 0 ? follower : follow(mark);
      const part = await next.read({ bytes: 1 << 20, lines: 30 });
      got.push(...part.lines);
      more = part.more;
      mark = JSON.parse(JSON.stringify(next.mark()));
    }
    expect(got).toEqual(numbered(400));
  });

  it('tells that lines are lost when nothing is left of what it stands in', async () => {
    write('one\n');
    const first = follow('start');
    expect(await lines(first)).toEqual(['one']);
    fs.rmSync(path);
    write('a new beginning\n');
    const mark = first.mark();
    expect(await all(follow(mark ?? 'start'))).toEqual({ lines: ['a new beginning'], notices: ['lost'] });
  });
});

type Deed = 'append' | 'half' | 'rotate' | 'by date' | 'compress' | 'prune' | 'look' | 'look amid' | 'anew';

test('whatever happens between two looks: every line once, in order', async () => {
  const deeds = fc.array(
    fc.constantFrom<Deed>(
      'append',
      'half',
      'append',
      'rotate',
      'by date',
      'compress',
      'prune',
      'look',
      'look amid',
      'anew',
    ),
    { minLength: 8, maxLength: 40, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(deeds, fc.array(fc.nat(400), { minLength: 40, maxLength: 40 }), async (plan, sizes) => {
      path = join(fs.mkdtempSync(join(directory, 'logs/')), 'out.log');
      let follower = follow('start');
      const got: string[] = (await all(follower)).lines;
      const notices: string[] = [];
      let written = 0;
      let open = '';
      // Since the last look: rotations, and a line that had begun by then, perhaps in what is a rotated file now.
      let unseen = 0;
      let begun = '';
      const look = async () => {
        const told = await all(follower);
        got.push(...told.lines);
        notices.push(...told.notices);
        unseen = 0;
        begun = open;
      };
      for (const [index, deed] of plan.entries()) {
        const backups = fs.readdirSync(join(path, '..')).filter((name) => name.startsWith('out.log.'));
        if (deed === 'append') {
          const count = sizes[index] ?? 0;
          write(
            `${open === '' ? '' : `${open.slice(3)}\n`}${text(numbered(count, written + (open === '' ? 0 : 1)))}`,
          );
          written += count + (open === '' ? 0 : 1);
          open = '';
        } else if (deed === 'half' && open === '') {
          open = `line ${written}`;
          write(open.slice(0, 3));
        } else if (deed === 'rotate' || deed === 'by date') {
          const target = deed === 'rotate' ? NUMBERED : '2026-11-21';
          if ('kind' in (await rotate(undefined, target))) unseen++;
        } else if (deed === 'look amid') {
          const amid: Promise<void>[] = [];
          const step = STEPS[(sizes[index] ?? 0) % STEPS.length];
          await rotate((passed) => {
            if (passed === step) amid.push(look());
          });
          await Promise.all(amid);
          unseen++;
        } else if (deed === 'compress') {
          const plain = backups.find((name) => !name.endsWith('.gz'));
          if (plain !== undefined) await compress(plain);
        } else if (deed === 'prune' && unseen === 0 && begun === '') {
          for (const name of backups) fs.rmSync(join(path, '..', name));
        } else if (deed === 'look') {
          await look();
        } else if (deed === 'anew') {
          const mark = JSON.parse(JSON.stringify(follower.mark()));
          follower.close();
          follower = follow(mark);
        }
      }
      await look();
      expect({ notices, got }).toEqual({ notices: [], got: numbered(written) });
    }),
    { numRuns: 100 },
  );
}, 60_000);
