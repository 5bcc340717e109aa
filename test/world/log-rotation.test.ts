import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { placement } from '../../src/policy/rotation-names.ts';
import type { Freezer } from '../../src/world/cgroup-freeze.ts';
import { type RotationOrder, rotateLog, type Step } from '../../src/world/log-rotation.ts';
import { lookAround, removeRotated } from '../../src/world/rotated-files.ts';
import { resumeRotation } from '../../src/world/rotation-finish.ts';
import { rotationOrder, STILL } from './rotation-order.ts';

const APP: Credentials = { uid: 54321, gid: 54322, groups: [], user: 'app', home: '/', shell: '/bin/sh' };
const isRoot = process.getuid?.() === 0;

let directory: string;
let journal: string;
const at = (name: string) => join(directory, name);
const text = (name: string) => fs.readFileSync(at(name), 'utf8');

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  fs.chmodSync(directory, 0o755);
  journal = at('state/journal');
  fs.mkdirSync(at('logs'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function order(changes: Partial<RotationOrder> = {}): RotationOrder {
  return rotationOrder(at('logs/out.log'), journal, { freezer: () => STILL, ...changes });
}

const inLogs = () =>
  Object.fromEntries(
    fs
      .readdirSync(at('logs'))
      .sort()
      .map((name) => [name, text(`logs/${name}`)]),
  );

describe('a rotated file', () => {
  it('takes what the log has, and the log is the same file, empty', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\ntwo\n');
    fs.chmodSync(at('logs/out.log'), 0o604);
    const { ino } = fs.statSync(at('logs/out.log'));
    expect(await rotateLog(order())).toMatchObject({
      kind: 'rotated',
      name: 'out.log.1',
      bytes: 8,
      rounds: 1,
    });
    expect(inLogs()).toEqual({ 'out.log': '', 'out.log.1': 'one\ntwo\n' });
    expect(fs.statSync(at('logs/out.log')).ino).toBe(ino);
    expect(fs.statSync(at('logs/out.log.1')).mode & 0o777).toBe(0o604);
    expect(fs.existsSync(journal)).toBe(false);
  });

  test.each<[string, string, string, string]>([
    ['the beginning of a line goes back', 'one\ntw', 'one\n', 'tw'],
    ['a single line without an end is rotated', 'onetwo', 'onetwo', ''],
    ['a long one too', `one\n${'x'.repeat(70_000)}`, `one\n${'x'.repeat(70_000)}`, ''],
  ])('%s', async (_what, before, rotated, after) => {
    fs.writeFileSync(at('logs/out.log'), before);
    await rotateLog(order());
    expect(inLogs()).toEqual({ 'out.log': after, 'out.log.1': rotated });
  });

  it('pushes the others up', async () => {
    for (const line of ['a\n', 'b\n', 'c\n']) {
      fs.writeFileSync(at('logs/out.log'), line);
      await rotateLog(order());
    }
    expect(inLogs()).toEqual({ 'out.log': '', 'out.log.1': 'c\n', 'out.log.2': 'b\n', 'out.log.3': 'a\n' });
  });

  it('is made as well as it can be without a freezer where the kernel has none', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\ntw');
    fs.mkdirSync(at('group'));
    const freezer: Freezer = { ...STILL, cgroups: [at('group')] };
    expect(await rotateLog(order({ freezer: () => freezer }))).toMatchObject({ kind: 'rotated', bytes: 6 });
    fs.writeFileSync(at('group/cgroup.freeze'), '0');
    fs.writeFileSync(at('logs/out.log'), 'one\ntw');
    expect(await rotateLog(order({ freezer: () => freezer }))).toMatchObject({ kind: 'rotated', bytes: 4 });
  });

  it.each([
    [2, { kind: 'rotated', rounds: 3 }, { 'out.log': '', 'out.log.1': 'one\ntwo\nthree\n' }],
    [99, { message: 'not yet' }, { 'out.log': 'one\ntwo\nthree\n' }],
  ])('is made when the writers stand still after %d tries', async (tries, answer, files) => {
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    let left = tries;
    const freezer: Freezer = {
      ...STILL,
      freeze: (witness, before) => {
        if (left-- === 0) return STILL.freeze(witness, before);
        // On a busy host they write on.
        if (left >= tries - 2)
          fs.appendFileSync(at('logs/out.log'), left === tries - 1 ? 'two\n' : 'three\n');
        return { code: 'log-not-rotated', severity: 'error', message: 'not yet' };
      },
    };
    expect(await rotateLog(order({ freezer: () => freezer }))).toMatchObject(answer);
    expect(inLogs()).toEqual(files);
    expect(tries - left).toBe(3);
    expect(fs.existsSync(journal)).toBe(false);
  });

  it('is not made of nothing', async () => {
    expect(await rotateLog(order())).toEqual({ kind: 'nothing' });
    fs.writeFileSync(at('logs/out.log'), '');
    expect(await rotateLog(order())).toEqual({ kind: 'nothing' });
    expect(await rotateLog(order({ path: '/dev/null' }))).toEqual({ kind: 'nothing' });
    expect(inLogs()).toEqual({ 'out.log': '' });
  });

  it('is found and removed beside its log', async () => {
    for (const name of ['out.log', 'out.log.1', 'out.log.important', 'other'])
      fs.writeFileSync(at(`logs/${name}`), 'x');
    fs.symlinkSync('/etc/passwd', at('logs/out.log.2'));
    const seen = await lookAround(order().path, null, (base, name) => name.startsWith(`${base}.`));
    if ('code' in seen) throw new Error(seen.message);
    expect(seen.base).toBe('out.log');
    expect(seen.active?.size).toBe(1);
    expect(seen.files.map(({ name }) => name).sort()).toEqual(['out.log.1', 'out.log.important']);
    expect(removeRotated(order().path, null, ['out.log.1', 'out.log.7'])).toBeUndefined();
    expect(Object.keys(inLogs())).not.toContain('out.log.1');
  });
});

it('very many rotated files are looked at without holding up everybody else', async () => {
  fs.writeFileSync(at('logs/out.log'), 'x');
  for (let number = 1; number <= 3000; number++) fs.writeFileSync(at(`logs/out.log.${number}`), '');
  let turns = 0;
  const turn = () => {
    turns += 1;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const seen = await lookAround(order().path, null, (base, name) => name.startsWith(`${base}.`));
  clearImmediate(timer);
  if ('code' in seen) throw new Error(seen.message);
  expect(seen.files.length).toBe(3000);
  expect(turns).toBeGreaterThan(1);
});

class Crash extends Error {}

const STEPS: readonly Step[] = [
  ...([
    'begun',
    'created',
    'copied',
    'rest copied',
    'cutting',
    'truncated',
    'cut',
    'thawed',
    'named',
  ] as const),
];

describe('a rotation that is cut off', () => {
  async function crash(last: Step, freezer: Freezer | null): Promise<void> {
    const passed = (step: Step) => {
      if (step === last) throw new Crash(step);
    };
    await expect(rotateLog(order({ freezer: () => freezer, passed }))).rejects.toThrow(Crash);
  }

  /** The power goes: nobody comes back, and of the log the end is lost that was not on the disk yet. */
  function powerCut(lost: number): void {
    const notes = fs.readFileSync(journal, 'utf8').split('\n');
    const { boot, ...begun } = JSON.parse(notes[0] ?? '');
    expect(boot).not.toBe('');
    fs.writeFileSync(journal, [JSON.stringify({ ...begun, boot: 'another' }), ...notes.slice(1)].join('\n'));
    const { size } = fs.statSync(at('logs/out.log'));
    fs.truncateSync(at('logs/out.log'), Math.max(0, size - lost));
    // The size came to the disk, and what was written there did not.
    if (size > lost && lost > 0) fs.truncateSync(at('logs/out.log'), size - lost + 5);
  }

  const withLost = (before: string, lost: number) =>
    `${before.slice(0, before.length - lost)}${lost > 0 ? '\0'.repeat(5) : ''}`;

  test.each(STEPS.flatMap((step) => [0, 9, 100_000].map((lost) => [step, lost] as const)))(
    'after "%s" by a power cut that takes %i bytes of the log: nothing is there twice, and what was copied is there',
    async (step, lost) => {
      const before = `${Array.from({ length: 50_000 }, (_, line) => `line ${line}`).join('\n')}\n`;
      fs.writeFileSync(at('logs/out.log'), before);
      await crash(step, STILL);
      powerCut(lost);
      resumeRotation(journal, placement);
      const { 'out.log': log = '', 'out.log.1': rotated = '', ...others } = inLogs();
      const isCopied = step !== 'begun' && step !== 'created';
      expect(`${rotated}${log}`).toBe(isCopied ? before : withLost(before, lost));
      expect(others).toEqual({});
    },
  );

  test.each(STEPS.flatMap((step) => [[step, STILL] as const, [step, null] as const]))(
    'after "%s" leaves no byte behind and none twice (%#)',
    async (step, freezer) => {
      const before = `${Array.from({ length: 50_000 }, (_, line) => `line ${line}`).join('\n')}\n`;
      fs.writeFileSync(at('logs/out.log.1'), 'older\n');
      fs.writeFileSync(at('logs/out.log'), before);
      await crash(step, freezer);
      fs.appendFileSync(at('logs/out.log'), 'later\n');
      const resumed = resumeRotation(journal, placement);
      const isCut = ['truncated', 'cut', 'thawed', 'named'].includes(step);
      expect(resumed).toMatchObject({ kind: isCut ? 'finished' : 'undone' });
      expect(inLogs()).toEqual(
        isCut
          ? { 'out.log': 'later\n', 'out.log.1': before, 'out.log.2': 'older\n' }
          : { 'out.log': `${before}later\n`, 'out.log.1': 'older\n' },
      );
      expect(fs.existsSync(journal)).toBe(false);
      // Whatever was, the next one goes well.
      expect(await rotateLog(order())).toMatchObject({ kind: 'rotated', name: 'out.log.1' });
    },
  );

  it('is finished by the next rotation, if nobody did so before', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    await crash('cut', STILL);
    fs.appendFileSync(at('logs/out.log'), 'two\n');
    await rotateLog(order());
    expect(inLogs()).toEqual({ 'out.log': '', 'out.log.1': 'two\n', 'out.log.2': 'one\n' });
  });

  it('when the beginning of a line was written back is worth only what comes before it', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\ntw');
    await crash('written back', STILL);
    fs.appendFileSync(at('logs/out.log'), 'o\n');
    expect(resumeRotation(journal, placement)).toMatchObject({ kind: 'finished' });
    expect(inLogs()).toEqual({ 'out.log': 'two\n', 'out.log.1': 'one\n' });
  });

  it('with its directory is no trouble', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    await crash('cut', STILL);
    fs.rmSync(at('logs'), { recursive: true });
    expect(resumeRotation(journal, placement)).toEqual({ kind: 'nothing' });
    expect(fs.existsSync(journal)).toBe(false);
  });

  it('in the middle of a note is read up to there', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    await crash('cutting', STILL);
    fs.appendFileSync(journal, '{"step":"cu');
    expect(resumeRotation(journal, placement)).toMatchObject({ kind: 'undone' });
    expect(inLogs()).toEqual({ 'out.log': 'one\n' });
  });
});

describe.skipIf(!isRoot)('a disk', () => {
  const mounted: string[] = [];
  afterEach(() => {
    for (const each of mounted.splice(0)) execFileSync('umount', [each]);
  });

  it('that is full costs nothing but the rotation, until there is room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'pmtest', at('logs')]);
    mounted.push(at('logs'));
    const before = `${'x'.repeat(99)}\n`.repeat(6000);
    fs.writeFileSync(at('logs/out.log'), before);
    const message = expect.stringContaining('ENOSPC');
    expect(await rotateLog(order())).toMatchObject({ kind: 'no-room', problem: { message } });
    expect(inLogs()).toEqual({ 'out.log': before });
    expect(fs.existsSync(journal)).toBe(false);
    execFileSync('mount', ['-o', 'remount,size=2m', at('logs')]);
    expect(await rotateLog(order())).toMatchObject({ kind: 'rotated' });
    expect(inLogs()).toEqual({ 'out.log': '', 'out.log.1': before });
  });

  it('that can only be read costs nothing but the rotation', async () => {
    execFileSync('mount', ['-t', 'tmpfs', 'pmtest', at('logs')]);
    mounted.push(at('logs'));
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    execFileSync('mount', ['-o', 'remount,ro', at('logs')]);
    expect(await rotateLog(order())).toMatchObject({ message: expect.stringContaining('EROFS') });
    execFileSync('mount', ['-o', 'remount,rw', at('logs')]);
    expect(inLogs()).toEqual({ 'out.log': 'one\n' });
    expect(await rotateLog(order())).toMatchObject({ kind: 'rotated' });
  });

  it('that holds the journal and is full leaves the log alone', async () => {
    fs.mkdirSync(at('state'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'pmtest', at('state')]);
    mounted.push(at('state'));
    fs.writeFileSync(at('state/filler'), 'x'.repeat(4096));
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    expect(await rotateLog(order())).toMatchObject({ code: 'log-not-rotated' });
    expect(inLogs()).toEqual({ 'out.log': 'one\n' });
    expect(fs.existsSync(journal)).toBe(false);
  });
});

describe.skipIf(!isRoot)('a log in a directory of the user of the service', () => {
  beforeEach(() => fs.chownSync(at('logs'), APP.uid, APP.gid));

  const refusal = async (changes: Partial<RotationOrder> = {}) => {
    const answer = await rotateLog(order({ credentials: APP, ...changes }));
    return 'code' in answer ? answer.code : answer.kind;
  };

  it('keeps its owner', async () => {
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    fs.chownSync(at('logs/out.log'), APP.uid, APP.gid);
    fs.chmodSync(at('logs/out.log'), 0o640);
    expect(await refusal()).toBe('rotated');
    const { uid, gid, mode } = fs.statSync(at('logs/out.log.1'));
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: APP.uid, gid: APP.gid, mode: 0o640 });
  });

  it('is not what a link makes it', async () => {
    fs.mkdirSync(at('secret'));
    fs.writeFileSync(at('secret/out.log'), 'secret\n');
    fs.symlinkSync(at('secret/out.log'), at('logs/out.log'));
    expect(await refusal()).toBe('log-unsafe');
    fs.symlinkSync(at('secret'), at('logs/deep'));
    expect(await refusal({ path: at('logs/deep/out.log') })).toBe('log-unsafe');
    fs.rmSync(at('logs/out.log'));
    fs.linkSync(at('secret/out.log'), at('logs/out.log'));
    expect(await refusal()).toBe('log-unsafe');
    expect(fs.readdirSync(at('secret'))).toEqual(['out.log']);
    expect(text('secret/out.log')).toBe('secret\n');
  });

  it('is rotated in the directory that was opened, wherever a link leads meanwhile', async () => {
    fs.mkdirSync(at('secret'));
    fs.writeFileSync(at('secret/out.log'), 'secret\n');
    fs.writeFileSync(at('logs/out.log'), 'one\n');
    const passed = (step: Step) => {
      if (step !== 'copied') return;
      fs.renameSync(at('logs'), at('moved'));
      fs.symlinkSync(at('secret'), at('logs'));
    };
    expect(await refusal({ passed })).toBe('rotated');
    expect(fs.readdirSync(at('secret'))).toEqual(['out.log']);
    expect(text('secret/out.log')).toBe('secret\n');
    expect(text('moved/out.log.1')).toBe('one\n');
  });
});

test('a copy is noted on disk before it is made: a power cut leaves none that nobody knows of', async () => {
  fs.writeFileSync(at('logs/out.log'), 'one\n');
  const seen: string[] = [];
  const { fsyncSync } = fs;
  const spy = vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
    seen.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
    fsyncSync(fd);
  });
  onTestFinished(() => spy.mockRestore());
  const passed = (step: Step) => {
    if (step === 'created') seen.push(`copies: ${fs.readdirSync(at('logs')).length - 1}`);
  };
  await rotateLog(order({ passed }));
  expect(seen.slice(0, 2)).toEqual([join(fs.realpathSync(at('state')), 'journal'), 'copies: 1']);
});
