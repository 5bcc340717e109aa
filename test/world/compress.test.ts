import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { rotatedName } from '../../src/policy/rotation-names.ts';
import { Compressor } from '../../src/world/compress.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { rotationOrder } from './rotation-order.ts';

const isRotated = (base: string, name: string) => rotatedName(base, name) !== null;

let directory: string;
let compressor: Compressor;
const at = (name: string) => join(directory, name);
const log = () => at('out.log');
const content = `${Array.from({ length: 300_000 }, (_, line) => `line ${line}`).join('\n')}\n`;

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  compressor = new Compressor();
});
afterEach(async () => {
  await compressor.close();
  fs.rmSync(directory, { recursive: true });
});

const names = () => fs.readdirSync(directory).sort();

it('replaces the file by one that is smaller, and has its owner, mode and time', async () => {
  fs.writeFileSync(at('out.log.1'), content, { mode: 0o604 });
  fs.utimesSync(at('out.log.1'), 1_000_000, 1_000_000);
  const { mode } = fs.statSync(at('out.log.1'));
  expect(await compressor.compress(log(), null, 'out.log.1', isRotated)).toEqual({
    kind: 'compressed',
    name: 'out.log.1.gz',
  });
  expect(names()).toEqual(['out.log.1.gz']);
  const packed = fs.readFileSync(at('out.log.1.gz'));
  expect(gunzipSync(packed).toString()).toBe(content);
  expect(packed.length).toBeLessThan(content.length / 2);
  const found = fs.statSync(at('out.log.1.gz'));
  expect([found.mode, found.mtimeMs]).toEqual([mode, 1_000_000_000]);
});

it('gives it the name that rotation gave the file meanwhile', async () => {
  // So much that it is compressed for longer than a rotation of next to nothing takes, also on a slow disk.
  const much = content.repeat(5);
  fs.writeFileSync(log(), much);
  await rotateLog(rotationOrder(log(), at('j')));
  const packing = compressor.compress(log(), null, 'out.log.1', isRotated);
  fs.writeFileSync(log(), 'later\n');
  await rotateLog(rotationOrder(log(), at('j')));
  expect(names().filter((name) => !name.startsWith('.'))).toEqual(['out.log', 'out.log.1', 'out.log.2']);
  expect(await packing).toEqual({ kind: 'compressed', name: 'out.log.2.gz' });
  expect(names()).toEqual(['out.log', 'out.log.1', 'out.log.2.gz']);
  expect(fs.readFileSync(at('out.log.1'), 'utf8')).toBe('later\n');
  expect(gunzipSync(fs.readFileSync(at('out.log.2.gz'))).toString() === much).toBe(true);
});

it('leaves nothing of a file that was removed meanwhile, or never was', async () => {
  fs.writeFileSync(at('out.log.1'), content);
  const packing = compressor.compress(log(), null, 'out.log.1', isRotated);
  await Promise.resolve();
  fs.renameSync(at('out.log.1'), at('taken'));
  fs.rmSync(at('taken'));
  expect(await packing).toEqual({ kind: 'nothing' });
  expect(await compressor.compress(log(), null, 'out.log.9', isRotated)).toEqual({ kind: 'nothing' });
  expect(names()).toEqual([]);
});

it('does one after the other, and stops when it is closed', async () => {
  for (const name of ['out.log.1', 'out.log.2']) fs.writeFileSync(at(name), content);
  const both = ['out.log.1', 'out.log.2'].map((name) => compressor.compress(log(), null, name, isRotated));
  expect(await both[0]).toMatchObject({ kind: 'compressed' });
  await compressor.close();
  expect(await both[1]).toEqual({ kind: 'nothing' });
  expect(names()).toEqual(['out.log.1.gz', 'out.log.2']);
});

it('removes what a process left that died, and follows no link', async () => {
  fs.writeFileSync(at('.pm-0123456789ab.gz.tmp'), 'half');
  fs.writeFileSync(at('.pm-mine.gz.tmp'), 'not ours');
  fs.writeFileSync(at('elsewhere'), 'secret');
  fs.symlinkSync(at('elsewhere'), at('out.log.2'));
  fs.writeFileSync(at('out.log.1'), 'one\n');
  expect(await compressor.compress(log(), null, 'out.log.2', isRotated)).toEqual({ kind: 'nothing' });
  expect(await compressor.compress(log(), null, 'out.log.1', isRotated)).toMatchObject({
    kind: 'compressed',
  });
  expect(names()).toEqual(['.pm-mine.gz.tmp', 'elsewhere', 'out.log.1.gz', 'out.log.2']);
});

it('touches no other name of the file, whoever gave it', async () => {
  fs.writeFileSync(at('out.log.1'), content);
  // On some file systems the first of these comes first, on others the last.
  const others = ['a.copy', 'out.log.important', 'z.copy'];
  for (const name of others) fs.linkSync(at('out.log.1'), at(name));
  const done = await compressor.compress(log(), null, 'out.log.1', isRotated);
  expect(done).toEqual({ kind: 'compressed', name: 'out.log.1.gz' });
  expect(names()).toEqual([...others, 'out.log.1.gz'].sort());
});

it.skipIf(process.geteuid?.() !== 0)('makes no copy of what is not the log of its user', async () => {
  const app: Credentials = {
    ...{ uid: 54_321, gid: 54_321, groups: [], user: 'app' },
    ...{ home: '/', shell: '/bin/sh' },
  };
  fs.chownSync(directory, app.uid, app.gid);
  fs.chmodSync(directory, 0o755);
  fs.writeFileSync(at('secret'), 'of root\n', { mode: 0o600 });
  fs.linkSync(at('secret'), at('out.log.1'));
  expect(await compressor.compress(log(), app, 'out.log.1', isRotated)).toMatchObject({
    code: 'log-unsafe',
    message: expect.stringContaining('out.log.1 has a second name and does not belong to app'),
  });
  expect(names()).toEqual(['out.log.1', 'secret']);
  // A second name that he gave to a file of his own harms nobody but himself.
  fs.writeFileSync(at('out.log.2'), 'his own\n');
  fs.chownSync(at('out.log.2'), app.uid, app.gid);
  fs.linkSync(at('out.log.2'), at('kept'));
  expect(await compressor.compress(log(), app, 'out.log.2', isRotated)).toMatchObject({ kind: 'compressed' });
});
