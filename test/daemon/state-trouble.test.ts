import { beforeEach, describe, expect, it } from 'vitest';
import { readKeptState } from '../../src/daemon/kept-state.ts';
import type { Part } from '../../src/daemon/state-problems.ts';
import { StateTrouble } from '../../src/daemon/state-trouble.ts';
import type { Problem } from '../../src/model/problem.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const UNKEPT: Problem = { code: 'state-unwritable', severity: 'warning', message: 'it cannot be kept' };
const SETTINGS = { state_directory: '/state', config_directory: '/etc/pm' };

let files: MemoryFiles;
let trouble: StateTrouble;
/** What began and what ended. */
let told: string[];
let mended: Part[];
/** How it goes to write such a part again. */
let stillUnkept: Problem | undefined;
/** What waits for its time. */
let timers: (() => void)[];

beforeEach(() => {
  files = new MemoryFiles(new Injector());
  told = [];
  mended = [];
  stillUnkept = undefined;
  timers = [];
  const after = (_milliseconds: number, act: () => void) => {
    timers.push(act);
    return () => {
      timers = timers.filter((each) => each !== act);
    };
  };
  const clock = { after };
  const lasting = (before: readonly Problem[], now: readonly Problem[]) => {
    told.push(...before.map(({ code }) => `- ${code}`), ...now.map(({ code }) => `+ ${code}`));
  };
  const reports = { lasting };
  trouble = new StateTrouble({
    ...{ files, clock, stateDirectory: '/state', reports },
    mended: (part) => {
      mended.push(part);
      trouble.wrote(part, stillUnkept);
    },
  });
});

function passTime(): void {
  const due = timers;
  timers = [];
  for (const act of due) act();
}

describe('what was lost before the start', () => {
  it('is told as long as nobody has removed what was set aside', () => {
    files.set('/state/intent.json', 'garbage');
    trouble.found(readKeptState(files, SETTINGS, 'boot').lost);
    expect(trouble.problems).toMatchObject([{ code: 'state-corrupt' }]);
    expect(trouble.losses).toEqual(trouble.problems);
    trouble.look();
    expect(told).toEqual(['+ state-corrupt']);
    files.remove('/state/intent.json.broken');
    trouble.look();
    expect(trouble.problems).toEqual([]);
    expect(told).toEqual(['+ state-corrupt', '- state-corrupt']);
  });

  it('is told until the next start where nothing could be set aside', () => {
    files.set('/state/intent.json', 'garbage');
    files.failing = 'ENOSPC';
    trouble.found(readKeptState(files, SETTINGS, 'boot').lost);
    trouble.look();
    expect(trouble.problems[0]?.message).toContain('it was not kept (ENOSPC)');
  });

  it('is told until the files are followed again, where it is what was rolled back to', () => {
    files.set('/state/frozen.json', 'garbage');
    const { lost, freeze } = readKeptState(files, SETTINGS, 'boot');
    trouble.found(lost);
    trouble.look();
    expect(trouble.problems).toMatchObject([{ code: 'state-corrupt' }]);
    expect(freeze.clear()).toBeUndefined();
    trouble.look();
    expect(trouble.problems).toEqual([]);
  });
});

describe('a part that cannot be written', () => {
  it('is told once, and until it can be', () => {
    trouble.wrote('snapshots', undefined);
    trouble.wrote('snapshots', UNKEPT);
    trouble.wrote('snapshots', { ...UNKEPT });
    expect(told).toEqual(['+ state-unwritable']);
    expect([trouble.problems, trouble.losses]).toEqual([[UNKEPT], []]);
    trouble.wrote('snapshots', undefined);
    expect(told).toEqual(['+ state-unwritable', '- state-unwritable']);
    expect(trouble.problems).toEqual([]);
  });

  it('is tried again, and taken up as soon as that works', () => {
    files.failing = 'ENOSPC';
    trouble.wrote('last-good', UNKEPT);
    passTime();
    expect([files.failures, trouble.problems, mended]).toEqual([1, [UNKEPT], []]);
    files.failing = undefined;
    passTime();
    expect([trouble.problems, mended, timers]).toEqual([[], ['last-good'], []]);
    expect([...files.contents.keys()]).toEqual([]);
  });

  it('is not tried here where whoever writes it tries again himself', () => {
    trouble.wrote('events', UNKEPT);
    expect([trouble.problems, timers]).toEqual([[UNKEPT], []]);
    trouble.wrote('last-good', UNKEPT);
    passTime();
    expect([trouble.problems, mended]).toEqual([[UNKEPT], ['last-good']]);
  });

  it('is told without a pause where there is room to try it, but none for what is to be kept', () => {
    trouble.wrote('snapshots', UNKEPT);
    stillUnkept = { ...UNKEPT };
    passTime();
    passTime();
    expect([told, mended]).toEqual([['+ state-unwritable'], ['snapshots', 'snapshots']]);
    stillUnkept = undefined;
    passTime();
    expect([told, timers]).toEqual([['+ state-unwritable', '- state-unwritable'], []]);
  });

  it('is not tried again after the end', () => {
    trouble.wrote('last-good', UNKEPT);
    trouble.close();
    expect(timers).toEqual([]);
  });
});
