/** A daemon died in the middle of a rotation: what may the user of the service put in the place of the copy? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { resumeRotation } from '../../src/world/rotation-finish.ts';
import { isRoot, temporaryDirectory } from '../linux/ground.ts';

const USER: Credentials = {
  ...{ uid: 54_321, gid: 54_321, groups: [], user: 'app' },
  ...{ home: '/', shell: '/bin/sh' },
};
const COPY = '.pm-0123456789ab.rotating';

let ground: string;
const at = (name: string): string => join(ground, name);

beforeEach(() => {
  ground = fs.realpathSync(temporaryDirectory());
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  fs.chmodSync(ground, 0o755);
  fs.mkdirSync(at('logs'));
  fs.writeFileSync(at('logs/out.log'), 'later\n');
  fs.writeFileSync(at('precious'), 'precious content\n', { mode: 0o600 });
  for (const name of ['logs', 'logs/out.log']) if (isRoot) fs.chownSync(at(name), USER.uid, USER.gid);
});

/** As it lies there after the log was cut; `cut`: that was noted. */
function interrupted(cut: boolean): ReturnType<typeof resumeRotation> {
  const { dev, ino } = fs.statSync(at('logs/out.log'));
  const begun = {
    ...{ step: 'begun', log: at('logs/out.log'), credentials: USER, device: `${dev}`, inode: `${ino}` },
    ...{ temporary: COPY, target: '' },
  };
  const notes = [begun, cut ? { step: 'cut', keep: 3 } : { step: 'cutting', size: 3, keep: 3 }];
  fs.writeFileSync(at('journal'), notes.map((note) => `${JSON.stringify(note)}\n`).join(''));
  return resumeRotation(at('journal'), (_target, base) => ({ shifts: [], name: `${base}.1` }));
}

describe.skipIf(!isRoot).each([true, false])('instead of the copy; the cut was noted: %s', (cut) => {
  test('a second name of a file of root: that is not cut, and it is told', () => {
    fs.linkSync(at('precious'), at(`logs/${COPY}`));
    expect(interrupted(cut)).toMatchObject({ code: 'log-unsafe' });
    expect(fs.readFileSync(at('precious'), 'utf8')).toBe('precious content\n');
  });

  test('a link: it is not followed', () => {
    fs.symlinkSync(at('precious'), at(`logs/${COPY}`));
    expect(interrupted(cut)).toMatchObject({ code: 'log-unsafe' });
    expect(fs.readFileSync(at('precious'), 'utf8')).toBe('precious content\n');
  });

  test('a fifo: nobody waits for it', () => {
    execFileSync('mkfifo', [at(`logs/${COPY}`)]);
    expect(interrupted(cut)).toMatchObject({ code: 'log-unsafe' });
  });
});
