import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rotatedName } from '../../src/policy/rotation-names.ts';
import { Compressor } from '../../src/world/compress.ts';
import { copyAhead } from '../../src/world/log-copy.ts';
import { LEFT_FREE } from '../../src/world/log-room.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { rotationOrder } from './rotation-order.ts';

const isRoot = process.getuid?.() === 0;
const MIB = 1 << 20;
const isRotated = (base: string, name: string) => rotatedName(base, name) !== null;

let directory: string;
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

it('a copy ends before the room does', async () => {
  fs.writeFileSync(at('log'), Buffer.alloc(3 * MIB));
  const log = fs.openSync(at('log'), 'r');
  const copy = fs.openSync(at('copy'), 'w');
  let room = 2 * MIB;
  const isRoomFor = (bytes: number) => {
    room -= bytes;
    return room >= 0;
  };
  await expect(copyAhead(log, copy, 0, isRoomFor)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(fs.fstatSync(copy).size).toBe(2 * MIB);
  for (const fd of [log, copy]) fs.closeSync(fd);
});

describe.skipIf(!isRoot)('a small disk', () => {
  beforeEach(() => {
    fs.mkdirSync(at('disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'pmtest', at('disk')]);
  });
  afterEach(() => execFileSync('umount', [at('disk')]));

  const log = () => at('disk/out.log');
  const names = () => fs.readdirSync(at('disk')).sort();
  const rotate = (passed: (step: string) => void = () => {}) =>
    rotateLog(rotationOrder(log(), at('journal'), { passed }));
  const compress = async () => {
    const compressor = new Compressor();
    const answer = await compressor.compress(log(), null, 'out.log.1', isRotated);
    await compressor.close();
    return answer;
  };
  const free = () => {
    const { bavail, bsize } = fs.statfsSync(at('disk'));
    return bavail * bsize;
  };

  it('with less room than the log has is not written to at all, and the reason says what helps', async () => {
    fs.writeFileSync(log(), Buffer.alloc(2 * MIB, 'x\n'));
    fs.writeFileSync(at('disk/filler'), Buffer.alloc(MIB / 2));
    const steps: string[] = [];
    const hint = expect.stringContaining('as much room as the log has');
    const refused = { kind: 'no-room', problem: { code: 'log-not-rotated', hint } };
    expect(await rotate((step) => steps.push(step))).toMatchObject(refused);
    expect(steps).toEqual([]);
    fs.rmSync(at('disk/filler'));
    // It would fit, but leaves nothing to the services.
    fs.appendFileSync(log(), Buffer.alloc(MIB / 8, 'x\n'));
    expect(await rotate((step) => steps.push(step))).toMatchObject(refused);
    expect(steps).toEqual([]);
    fs.truncateSync(log(), MIB);
    expect(await rotate()).toMatchObject({ kind: 'rotated', bytes: MIB });
  });

  it('that others fill while a log is copied is not filled to its end by the copy', async () => {
    fs.writeFileSync(log(), Buffer.alloc(1.5 * MIB, 'x\n'));
    const answer = await rotate((step) => {
      if (step === 'created') fs.writeFileSync(at('disk/filler'), Buffer.alloc(free() - MIB));
    });
    expect(answer).toMatchObject({ kind: 'no-room' });
    expect(names()).toEqual(['filler', 'out.log']);
    expect(fs.existsSync(at('journal'))).toBe(false);
    fs.rmSync(at('disk/filler'));
    expect(await rotate()).toMatchObject({ kind: 'rotated' });
  });

  it('takes a compressed file that is expected to fit, with less room than the plain one has', async () => {
    fs.writeFileSync(at('disk/out.log.1'), Buffer.alloc(3 * MIB, 'a line\n'));
    expect(await compress()).toEqual({ kind: 'compressed', name: 'out.log.1.gz' });
    expect(names()).toEqual(['out.log.1.gz']);
  });

  it('takes none that is not: nothing is written', async () => {
    fs.writeFileSync(at('disk/out.log.1'), randomBytes(2 * MIB));
    const { mtimeMs } = fs.statSync(at('disk'));
    expect(await compress()).toEqual({ kind: 'no-room', bytes: 2 * MIB + LEFT_FREE });
    expect(names()).toEqual(['out.log.1']);
    expect(fs.statSync(at('disk')).mtimeMs).toBe(mtimeMs);
  });

  it('is not filled by one that begins better than it goes on; that needs room for the whole then', async () => {
    fs.writeFileSync(at('disk/out.log.1'), Buffer.concat([Buffer.alloc(MIB), randomBytes(1.9 * MIB)]));
    const size = fs.statSync(at('disk/out.log.1')).size;
    const before = free();
    expect(await compress()).toEqual({ kind: 'no-room', bytes: size + LEFT_FREE });
    expect(names()).toEqual(['out.log.1']);
    expect(free()).toBe(before);
  });
});
