/** Is only believed what the user of a service wrote himself, and is nothing else opened on the way? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toldStats } from '../../src/world/told-stats.ts';
import { credentials } from '../builders.ts';

let place: string;
beforeEach(() => {
  place = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtold-')));
  fs.chmodSync(place, 0o755);
});
afterEach(() => fs.rmSync(place, { recursive: true, force: true }));

function written(text: string, name = 'stats.json'): string {
  const path = join(place, name);
  fs.writeFileSync(path, text);
  return path;
}

describe('what a service tells', () => {
  it('is its heap, and when it said so', () => {
    const path = written('{"heap": 1234567, "more": "is left alone"}');
    fs.utimesSync(path, 1000, 1000);
    expect(toldStats(path, null)).toEqual({ heap: 1234567, at: 1_000_000 });
  });

  it.each([
    ['nothing yet', ''],
    ['half of it', '{"heap": 12'],
    ['no object', '12'],
    ['no heap', '{"rss": 1}'],
    ['text', '{"heap": "1"}'],
    ['less than nothing', '{"heap": -1}'],
    ['a fraction', '{"heap": 1.5}'],
    ['more than can be', '{"heap": 1e300}'],
    ['too much', `{"heap": 1, "more": "${'x'.repeat(5000)}"}`],
  ])('is not believed when it is %s', (_, text) => {
    expect(toldStats(written(text), null)).toBeUndefined();
  });

  it('is not waited for', () => {
    const fifo = join(place, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(toldStats(fifo, null)).toBeUndefined();
    expect(toldStats(place, null)).toBeUndefined();
    expect(toldStats(join(place, 'missing'), null)).toBeUndefined();
    expect(toldStats('stats.json', null)).toBeUndefined();
  });

  it('is not read from a huge file', () => {
    const path = written('{"heap": 1}');
    fs.truncateSync(path, 64 * 1024 ** 3);
    expect(toldStats(path, null)).toBeUndefined();
  });
});

describe.runIf(process.getuid?.() === 0)('what the user of a service may have put there', () => {
  const www = credentials({ uid: 33, gid: 33 });

  it('counts when it is his own file', () => {
    const path = written('{"heap": 5}');
    fs.chownSync(path, 33, 33);
    expect(toldStats(path, www)?.heap).toBe(5);
    expect(toldStats(path, null)).toBeUndefined();
  });

  it('does not when it is a link, or a second name, of the file of somebody else', () => {
    const secret = written('{"heap": 6}', 'secret.json');
    const home = join(place, 'home');
    fs.mkdirSync(home);
    fs.symlinkSync(secret, join(home, 'linked.json'));
    fs.linkSync(secret, join(home, 'named.json'));
    fs.symlinkSync(place, join(home, 'way'));
    fs.chownSync(home, 33, 33);
    for (const name of ['linked.json', 'named.json', 'way/secret.json']) {
      expect([name, toldStats(join(home, name), www)]).toEqual([name, undefined]);
    }
    // Not even for a service of the daemon's own user does a stranger decide what is opened.
    expect(toldStats(join(home, 'linked.json'), null)).toBeUndefined();
  });
});
