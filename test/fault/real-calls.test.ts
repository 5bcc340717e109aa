/** What does a single call of the world do when the kernel fails it? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/world/clock.ts';
import { systemFiles } from '../../src/world/files.ts';
import { openProcessGroups } from '../../src/world/process-groups.ts';
import { openLog } from '../../src/world/safe-open.ts';
import {
  emptied,
  keyOf,
  launchOf,
  processGroupGround,
  runOf,
  started,
  temporaryDirectory,
} from '../linux/ground.ts';
import { type Area, breakCalls, type Call, openFiles, setWeather } from './faulty-calls.ts';

function broken(places: readonly (readonly [string, Area])[]) {
  onTestFinished(breakCalls(places));
  return (code: string, fails: (call: Call) => boolean) =>
    setWeather({ fateOf: (call) => (fails(call) ? { code } : undefined) });
}

function directory(): string {
  const path = temporaryDirectory();
  onTestFinished(() => fs.rmSync(path, { recursive: true }));
  return path;
}

describe('a file that is replaced', () => {
  it('leaves no temporary file behind for good, also when that could not be removed at once', () => {
    const place = directory();
    const fail = broken([[place, 'state']]);
    const files = systemFiles();
    const replace = () => files.replace(join(place, 'a'), 'text', { mode: 0o600, durable: true });
    fail('EIO', ({ name }) => name === 'writeFile' || name === 'rm');
    expect(replace()).toEqual({ failed: 'EIO' });
    expect(fs.readdirSync(place)).toHaveLength(1);
    setWeather(undefined);
    expect(replace()).toBeUndefined();
    expect(fs.readdirSync(place)).toEqual(['a']);
  });

  it('leaves no descriptor open, whatever fails', () => {
    const place = directory();
    const fail = broken([[place, 'state']]);
    const files = systemFiles();
    for (const wrong of ['open', 'fchmod', 'writeFile', 'fsync', 'rename']) {
      fail('EIO', ({ name }) => name === wrong);
      expect(files.replace(join(place, 'a'), 'text', { mode: 0o600, durable: true })).toEqual({
        failed: 'EIO',
      });
      expect(openFiles()).toEqual([]);
    }
  });
});

it('a quota that is used up has a name, and words', () => {
  const place = directory();
  const fail = broken([[place, 'logs']]);
  fail('EDQUOT', ({ name }) => name === 'open');
  const path = join(place, 'out.log');
  expect(openLog(path, null)).toMatchObject({
    message: `${path} cannot be appended to: disk quota exceeded (EDQUOT)`,
    passing: true,
  });
});

it('a log whose status cannot be told is not kept open', () => {
  const place = directory();
  const fail = broken([[place, 'logs']]);
  fail('EIO', ({ name }) => name === 'fstat');
  expect(openLog(join(place, 'out.log'), null)).toMatchObject({ code: 'log-unwritable', passing: true });
  expect(openFiles()).toEqual([]);
});

describe('a run that an earlier daemon started', () => {
  it.each(['EMFILE', 'ENOMEM'])('has not ended because its process cannot be looked up: %s', async (code) => {
    const ground = processGroupGround();
    onTestFinished(ground.clear);
    const key = keyOf('web');
    started(ground.containment.start(key, launchOf(key, ['sleep', '1000'])));
    ground.containment.close();
    const later = ground.reopen();
    const fail = broken([['/proc', 'proc']]);
    fail(code, ({ path }) => /^\/proc\/\d+\//.test(path));
    expect(later.look(key.service, () => null)).toMatchObject({
      kind: 'unseen',
      problem: { code: 'observe-failed' },
    });
    setWeather(undefined);
    expect(runOf(later, key)).toMatchObject({ main: { is: 'running' }, members: { is: 'some' } });
    later.kill(key);
    await emptied(later, key);
  });

  it('gets no command beside it while it cannot be looked up what was left behind', () => {
    const ground = processGroupGround();
    onTestFinished(ground.clear);
    const key = keyOf('web');
    started(ground.containment.start(key, launchOf(key, ['sleep', '1000'])));
    const fail = broken([[ground.place, 'state']]);
    fail('EMFILE', ({ name }) => name === 'readdir');
    const launch = launchOf(key, ['true']);
    const never = () => expect.fail('it was not run');
    expect(ground.containment.runBeside(key, 'liveness', launch, 1000, never)).toMatchObject({
      passing: true,
    });
    expect(ground.containment.runInside(key, launch, never)).toMatchObject({ code: 'observe-failed' });
  });
});

it('a daemon gets its lock on a disk that has no room for its pid', () => {
  const stateDirectory = directory();
  const fail = broken([[stateDirectory, 'state']]);
  fail('ENOSPC', ({ name }) => name === 'write');
  const opened = openProcessGroups({ stateDirectory, clock: systemClock(), because: null });
  if ('refused' in opened) expect.fail(opened.refused.message);
  opened.containment.close();
});
