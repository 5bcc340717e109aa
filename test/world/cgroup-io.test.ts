import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ioOf } from '../../src/world/cgroup-io.ts';

let cgroup: string;
beforeEach(() => {
  cgroup = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
});
afterEach(() => fs.rmSync(cgroup, { recursive: true }));

test.each([
  ['no device yet', '', { readBytes: 0, writtenBytes: 0 }],
  [
    'one device',
    '8:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=7 dios=9\n',
    { readBytes: 4096, writtenBytes: 512 },
  ],
  [
    'several devices, one of them without figures',
    '8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:0\n8:0 rbytes=10 wbytes=20 rios=0 wios=0 dbytes=0 dios=0\n',
    { readBytes: 11, writtenBytes: 22 },
  ],
])('%s', (_title, text, expected) => {
  fs.writeFileSync(join(cgroup, 'io.stat'), text);
  expect(ioOf(cgroup)).toEqual(expected);
});

test('is not known without the io controller', () => {
  expect(ioOf(cgroup)).toBeNull();
});
