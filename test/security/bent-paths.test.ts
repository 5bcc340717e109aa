/** May a user make root read for him what he may not read, by a link where root looks for his files? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readEnvironment } from '../../src/config/environment.ts';
import { systemFiles } from '../../src/world/files.ts';
import { isRoot } from '../linux/ground.ts';

/** Nobody on this host: as good as any other. */
const USER = 54_321;
const OTHER = 54_322;

/** Only root may write it; what belongs to the user lies in `home`. */
let ground: string;
const at = (name: string): string => join(ground, name);

beforeEach(() => {
  ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  fs.chmodSync(ground, 0o755);
  fs.mkdirSync(at('private'), { mode: 0o700 });
  put('private/other.env', 'TOKEN=of-somebody-else\n', 0);
  fs.mkdirSync(at('home'));
  give('home', USER);
});

function put(name: string, text: string, uid: number): void {
  fs.writeFileSync(at(name), text, { mode: 0o600 });
  give(name, uid);
}

function give(name: string, uid: number): void {
  if (isRoot) fs.lchownSync(at(name), uid, uid);
}

function link(target: string, name: string, uid: number): void {
  fs.symlinkSync(target, at(name));
  give(name, uid);
}

const read = (name: string) => systemFiles().read(at(name), 1000);
const REFUSED = { failed: 'EBENT' };

describe.skipIf(!isRoot)('root, in a directory of a user', () => {
  test('reads the files of that user', () => {
    put('home/.env', 'A=1\n', USER);
    expect(read('home/.env')).toBe('A=1\n');
  });

  test('follows no link of his to what is not his: the file, a directory on the way, a chain', () => {
    link(at('private/other.env'), 'home/.env', USER);
    link(at('private'), 'home/conf', USER);
    link('conf/other.env', 'home/chain', USER);
    link('../private/other.env', 'home/relative', USER);
    const names = ['home/.env', 'home/conf/other.env', 'home/chain', 'home/relative'];
    expect(names.map(read)).toEqual(names.map(() => REFUSED));
  });

  test('follows his links to his own files, as a directory of releases has them', () => {
    fs.mkdirSync(at('home/releases'));
    give('home/releases', USER);
    put('home/releases/.env', 'A=2\n', USER);
    link('releases', 'home/current', USER);
    expect(read('home/current/.env')).toBe('A=2\n');
  });

  test('follows links that root made, wherever they lie', () => {
    link(at('private/other.env'), 'home/by-root', 0);
    link(at('private'), 'conf', 0);
    const text = 'TOKEN=of-somebody-else\n';
    expect([read('home/by-root'), read('conf/other.env')]).toEqual([text, text]);
  });

  test('follows no link in a directory that everybody may write, sticky or not', () => {
    for (const mode of [0o777, 0o1777]) {
      fs.mkdirSync(at(`shared-${mode}`));
      fs.chmodSync(at(`shared-${mode}`), mode);
      link(at('private/other.env'), `shared-${mode}/.env`, OTHER);
      expect([mode, read(`shared-${mode}/.env`)]).toEqual([mode, REFUSED]);
    }
  });

  test('takes no second name of what is not his for a file of his', () => {
    fs.linkSync(at('private/other.env'), at('home/.env'));
    expect(read('home/.env')).toEqual(REFUSED);
    put('home/own.env', 'A=3\n', USER);
    fs.linkSync(at('home/own.env'), at('home/again.env'));
    expect(read('home/again.env')).toBe('A=3\n');
  });

  test('is not held up by a fifo, nor by a link to one', () => {
    execFileSync('mkfifo', [at('home/fifo')]);
    link('fifo', 'home/to-fifo', USER);
    give('home/fifo', USER);
    expect([read('home/fifo'), read('home/to-fifo')]).toEqual([{ failed: 'ENOTREG' }, { failed: 'ENOTREG' }]);
  });

  test('opens nothing that is no file: a device could act on it', () => {
    execFileSync('mkfifo', [at('private/fifo'), at('home/fifo')]);
    link(at('private/fifo'), 'home/.env', USER);
    const open = fs.openSync;
    const flags: unknown[] = [];
    const spy = vi.spyOn(fs, 'openSync').mockImplementation((path, how, mode) => {
      const fd = open(path, how, mode);
      if (fs.fstatSync(fd).isFIFO()) flags.push(how);
      return fd;
    });
    onTestFinished(() => spy.mockRestore());
    for (const name of ['home/.env', 'home/fifo', 'private/fifo']) read(name);
    expect(flags.length).toBeGreaterThan(2);
    // Only looked at, never opened (open(2), O_PATH).
    expect(flags.filter((how) => (Number(how) & 0o10000000) === 0)).toEqual([]);
  });

  test('gives a service no secret of another one, and says why', () => {
    link(at('private/other.env'), 'home/.env', USER);
    link(at('private/other.env'), 'home/password', USER);
    const written = { env: { PASSWORD: { file: at('home/password') } }, env_files: [at('home/.env')] };
    const origin = { place: () => ({}), source: () => undefined, name: () => '' };
    const answer = readEnvironment(written, systemFiles(), origin);
    const told =
      'problems' in answer ? answer.problems.map(({ message }) => message).join('\n') : 'it was read';
    expect(told.match(/link of somebody who does not own the file/g)).toHaveLength(2);
    expect(told).not.toContain('of-somebody-else');
  });

  test('leaves no descriptor open, however it ends', () => {
    link(at('private/other.env'), 'home/.env', USER);
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    read('home/.env');
    const before = open();
    for (let time = 0; time < 50; time++) for (const name of ['home/.env', 'home/none', 'home']) read(name);
    expect(open()).toBe(before);
  });
});
