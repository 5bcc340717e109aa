import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { rotationOrder } from '../world/rotation-order.ts';
import { temporaryDirectory } from './ground.ts';

/** The least that mkfs.xfs makes is 300 MB. */
const IMAGE = 320 << 20;
const LOG = 200 << 20;

let directory: string;
let mount: string;
let refusal: string | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
  mount = join(directory, 'mount');
  fs.mkdirSync(mount);
  refusal = mounted();
});

afterEach(() => {
  if (refusal === undefined) run('umount', mount);
  fs.rmSync(directory, { recursive: true });
});

/** A file system whose files can share blocks; or why there is none. */
function mounted(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root may mount';
  const image = join(directory, 'image');
  fs.closeSync(fs.openSync(image, 'w'));
  fs.truncateSync(image, IMAGE);
  const made = run('mkfs.xfs', '-q', image);
  // What a package brings is there in CI; whether the kernel knows XFS is the machine's affair.
  if (made !== undefined && process.env['CI'] !== undefined) throw new Error(`mkfs.xfs: ${made}`);
  return made ?? run('mount', '-o', 'loop', image, mount);
}

/** What went wrong; undefined: nothing. */
function run(program: string, ...args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

it('rotates a log that is larger than what is free, where files can share blocks', async (context) => {
  if (refusal !== undefined) return context.skip(refusal);
  const log = join(mount, 'stdout.log');
  const text = Buffer.alloc(LOG, `${'x'.repeat(99)}\n`);
  fs.writeFileSync(log, text, { mode: 0o640 });
  const { bavail, bsize } = fs.statfsSync(mount);
  expect(bavail * bsize).toBeLessThan(LOG);
  const journal = join(directory, 'journal');
  const before = fs.statSync(log);
  expect(await rotateLog(rotationOrder(log, journal))).toMatchObject({
    kind: 'rotated',
    name: 'stdout.log.1',
    bytes: LOG,
  });
  expect(fs.readFileSync(`${log}.1`).equals(text)).toBe(true);
  expect(fs.statSync(`${log}.1`).mode).toBe(before.mode);
  expect(fs.statSync(log)).toMatchObject({ ino: before.ino, size: 0 });
});
