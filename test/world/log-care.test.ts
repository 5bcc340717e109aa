import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { type LogCare, systemLogCare } from '../../src/world/log-care.ts';

const APP: Credentials = { uid: 54321, gid: 54322, groups: [], user: 'app', home: '/', shell: '/bin/sh' };
const isRoot = process.getuid?.() === 0;

let directory: string;
let care: LogCare;
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  fs.chmodSync(directory, 0o755);
  care = systemLogCare(at('journals'));
  fs.mkdirSync(at('logs'));
  fs.writeFileSync(at('logs/out.log'), 'one\n');
});
afterEach(async () => {
  await care.close();
  fs.rmSync(directory, { recursive: true });
});

describe('what is to be remembered', () => {
  it('is there for the next daemon, and is no rotation that was cut off', () => {
    expect(care.recall()).toBeUndefined();
    expect(care.remember('some text')).toBeUndefined();
    const next = systemLogCare(at('journals'));
    expect(next.resume(() => ({ shifts: [], name: 'x' }))).toEqual([]);
    expect(next.recall()).toBe('some text');
  });
});

it('says so when it cannot be seen which rotations were cut off', () => {
  fs.writeFileSync(at('journals'), 'no directory');
  expect(care.resume(() => ({ shifts: [], name: 'x' }))).toMatchObject([
    { code: 'state-unreadable', severity: 'warning', message: expect.stringContaining('ENOTDIR') },
  ]);
});

describe('the place of a log', () => {
  it('is the same for a directory and a link to it, also before anything is there', () => {
    fs.symlinkSync('logs', at('link'));
    for (const name of ['out.log', 'later.log', 'not/yet/there.log']) {
      expect(care.placeOf(at(`link/${name}`), null)).toBe(at(`logs/${name}`));
      expect(care.placeOf(at(`logs/${name}`), null)).toBe(at(`logs/${name}`));
    }
  });

  it('is that of the file which a link leads to', () => {
    fs.symlinkSync('out.log', at('logs/link.log'));
    expect(care.placeOf(at('logs/link.log'), null)).toBe(at('logs/out.log'));
    expect(care.placeOf(at('logs/link.log'), APP)).toBe(at('logs/out.log'));
  });

  it.runIf(isRoot)('is nowhere else for a link that the user of the service has made', () => {
    fs.mkdirSync(at('home'));
    fs.symlinkSync(at('logs'), at('home/directory'));
    fs.symlinkSync(at('logs/out.log'), at('home/file'));
    fs.chownSync(at('home'), APP.uid, APP.gid);
    for (const name of ['home/directory/out.log', 'home/file']) {
      expect(care.placeOf(at(name), APP)).toBe(at(name));
    }
  });
});
