import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastWords, stderrWords } from '../../src/daemon/last-words.ts';
import type { Exit } from '../../src/model/memory.ts';
import { defined, exited, memory, problem, run, runsRemembered, situation, slot } from '../builders.ts';

const KEPT = { result: 'failed', kept: true } as const;
const OLD_WORDS = 'boom\n';
const older = run({ hash: 'b' });
const newer = run({ age: 5000 });
const RUN_ID = newer.key.id;
const STARTED = newer.startedAt;

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(name: string, text: string, modified = STARTED): void {
  const path = join(directory, name);
  fs.writeFileSync(path, text);
  fs.utimesSync(path, modified / 1000, modified / 1000);
}

const rejected = (id: Exit['run']) => ({
  ...{ generation: 2, digest: 'd', pardon: 0, at: STARTED + 50 },
  ...{ reason: 'it failed', run: id },
});
const failed: Exit = { outcome: exited(1), at: STARTED + 50, by: 'itself', run: RUN_ID, uptime: 50 };
const refused: Exit = {
  ...{ outcome: { kind: 'not_started', problem: problem() }, at: STARTED + 50 },
  ...{ by: 'itself', run: null, uptime: 0 },
};
const stopped: Exit = {
  ...{ outcome: exited(0), at: STARTED + 900, by: 'stop', run: older.key.id, uptime: 5 },
  ...{ logFrom: 0, errFrom: 0 },
};

/** One definition goes on, the newer one ended like that. */
function after(exit: Exit, alive = [older], rejection: Exit['run'] | 'none' = exit.run) {
  const logs = { stdout: join(directory, 'out.log'), stderr: join(directory, 'err.log') };
  return situation({
    desired: defined({ spec: { logs } }),
    runs: alive,
    memory: memory({
      slots: { 0: slot({ exits: [stopped, exit] }) },
      rejected: rejection === 'none' ? null : rejected(rejection),
    }),
  });
}
const wordsOf = (exit: Exit) => lastWords(KEPT, () => after(exit)).log;
const sizes = { logFrom: 0, errFrom: OLD_WORDS.length };

describe('the last words of a definition of which nothing runs any more', () => {
  /** @param under what the crash was noted under; undefined: what is in force */
  const wordsAfter = (under?: string, runs: (typeof newer)[] = []) => {
    write('err.log', `${OLD_WORDS}FATAL: config option X missing\n`);
    write('out.log', '');
    const exit = { ...failed, ...sizes };
    const now = after(exit, runs, 'none');
    const digest = under ?? (now.desired?.kind === 'defined' ? now.desired.digest : '');
    const next = { at: STARTED + 1000, delay: 950, digest, pardon: 0 };
    const crashed = memory({ slots: { 0: slot({ exits: [stopped, exit], next }) } });
    return lastWords({ result: 'failed' }, () => ({ ...now, memory: crashed })).log;
  };

  it('are those of its run that failed last, not of the older one that was stopped', () => {
    expect(wordsAfter()).toEqual(['FATAL: config option X missing']);
  });

  it('are not told of a crash of another definition', () => {
    expect(wordsAfter('another')).toBeUndefined();
  });

  it('are not told while something runs', () => {
    expect(wordsAfter(undefined, [newer])).toBeUndefined();
  });
});

describe('the last words of a definition that failed to take over', () => {
  it('are none when it was never started', () => {
    write('err.log', OLD_WORDS);
    expect(lastWords(KEPT, () => after(refused))).toEqual({});
  });

  it('are told also where it replaces the older one all the same', () => {
    write('err.log', `${OLD_WORDS}FATAL: config option X missing\n`);
    write('out.log', '');
    const now = after({ ...failed, ...sizes });
    const digest = now.desired?.kind === 'defined' ? now.desired.digest : '';
    const accepted = { ...now.memory, rejected: { ...rejected(RUN_ID), digest } };
    expect(lastWords({ result: 'failed' }, () => ({ ...now, memory: accepted })).log).toEqual([
      'FATAL: config option X missing',
    ]);
  });

  it('are none when it wrote nothing, whatever was written before', () => {
    write('err.log', OLD_WORDS);
    write('out.log', '');
    expect(lastWords(KEPT, () => after({ ...failed, ...sizes }))).toEqual({});
  });

  it('are found however much the older one writes to the same file meanwhile', () => {
    const busy = 'GET / 200\n'.repeat(2000);
    write('out.log', '');
    write('err.log', `${busy}${busy}FATAL: config option X missing\n${busy.repeat(20)}`);
    const log = wordsOf({ ...failed, logFrom: 0, errFrom: 2 * busy.length });
    expect(log).toEqual(['FATAL: config option X missing']);
  });

  it('are those of both streams, also when both go to one file', () => {
    write('out.log', 'older\nconnecting\n');
    write('err.log', `${OLD_WORDS}no database\n`);
    expect(wordsOf({ ...failed, ...sizes, logFrom: 'older\n'.length })).toEqual([
      'connecting',
      'no database',
    ]);
    fs.rmSync(join(directory, 'err.log'));
    fs.linkSync(join(directory, 'out.log'), join(directory, 'err.log'));
    const both = after({ ...failed, logFrom: 6, errFrom: 6 });
    if (both.desired?.kind !== 'defined') throw new Error('it is defined');
    const { logs } = both.desired.spec;
    const spec = { ...both.desired.spec, logs: { ...logs, stderr: logs.stdout } };
    const { log } = lastWords(KEPT, () => ({ ...both, desired: defined({ spec }) }));
    expect(log).toEqual(['connecting']);
  });

  it('are found in the file that they were rotated into', () => {
    write('err.log.2', 'of other days\n', STARTED - 1000);
    write('err.log.1', `${OLD_WORDS}no database\n`, STARTED + 100);
    write('err.log', 'GET / 200\n', STARTED + 200);
    expect(wordsOf({ ...failed, ...sizes })).toEqual(['no database', 'GET / 200']);
  });

  it('are found before its end is noted', () => {
    write('err.log', `${OLD_WORDS}no database\n`);
    const known = after(stopped, [older, newer], RUN_ID);
    const runs = runsRemembered([newer, sizes]);
    expect(lastWords(KEPT, () => ({ ...known, memory: { ...known.memory, runs } })).log).toEqual([
      'no database',
    ]);
  });

  it('are those of the hook that kept it from being started', () => {
    write('err.log', `${OLD_WORDS}migration 7 failed\n`);
    expect(wordsOf({ ...refused, ...sizes })).toEqual(['migration 7 failed']);
  });

  it('are not guessed where nobody noted how long the log was, or it was cut since', () => {
    write('err.log', OLD_WORDS);
    expect(wordsOf(failed)).toBeUndefined();
    expect(wordsOf({ ...failed, logFrom: 0, errFrom: 900 })).toBeUndefined();
  });

  it('are not told of what works, or of what is not replaced', () => {
    write('err.log', 'all is well\n');
    const known = () => after({ ...failed, logFrom: 0, errFrom: 0 });
    expect(lastWords({ result: 'done' }, known)).toEqual({});
    expect(lastWords({ result: 'pending' }, known)).toEqual({});
    // What runs is of it, and has not ended.
    expect(lastWords({ result: 'failed' }, known)).toEqual({});
  });
});

describe('what why shows of stderr', () => {
  const everything = {
    ...{ files: [], problems: [] },
    logs: [{ service: 'web', stream: 'stderr', path: '', instance: null, line: 'any', time: null }],
  } as const;
  const words = (of: ReturnType<typeof after>) =>
    stderrWords(of, { services: new Map(), problems: [] } as never, () => everything);

  it('is its end while all is well', () => {
    expect(words(after({ ...failed, ...sizes }, [older], 'none'))).toEqual({ stderr_tail: ['any'] });
  });

  it('is what was written since the newer definition was started that failed, and says so', () => {
    write('err.log', `${OLD_WORDS}no database\n`);
    expect(words(after({ ...failed, ...sizes }))).toEqual({
      stderr_tail: ['no database'],
      stderr_since: new Date(STARTED).toISOString(),
    });
    expect(words(after(refused))).toEqual({ stderr_tail: [] });
  });

  it('is the end of what the last run wrote when nothing runs', () => {
    const lines = Array.from({ length: 12 }, (_, at) => `line ${at}`);
    write('err.log', `${OLD_WORDS}${lines.join('\n')}\n`);
    const down = after({ ...failed, ...sizes, at: STARTED + 1000 }, [], 'none');
    expect(words(down)).toEqual({ stderr_tail: lines.slice(-10) });
    expect(words(after({ ...refused, at: STARTED + 1000 }, [], 'none'))).toEqual({ stderr_tail: [] });
    expect(words(after({ ...failed, at: STARTED + 1000 }, [], 'none'))).toEqual({ stderr_tail: ['any'] });
  });
});
