import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GrowthWatch } from '../../src/world/growth-watch.ts';

let directory: string;
let log: string;
let watch: GrowthWatch | undefined;
let reached: number[];
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  log = join(directory, 'out.log');
  fs.writeFileSync(log, '');
  reached = [];
});
afterEach(async () => {
  watch?.close();
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  fs.rmSync(directory, { recursive: true });
});

function open(limit: number): GrowthWatch {
  watch = new GrowthWatch({ path: log, limit, reached: (size) => reached.push(size) });
  return watch;
}

async function until(what: string, ask: () => boolean, bound = 9000): Promise<void> {
  const deadline = performance.now() + bound;
  while (!ask()) {
    if (performance.now() > deadline) throw new Error(`waited for ${what}; told: ${JSON.stringify(reached)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** As fast as it can. */
function write(blocks: number): void {
  const fd = fs.openSync(log, 'a');
  const script = 'i=0; while [ $i -lt "$1" ]; do head -c 1000000 /dev/zero; i=$((i+1)); done';
  children.push(
    spawn('/bin/sh', ['-c', script, 'write', String(blocks)], { stdio: ['ignore', fd, 'ignore'] }),
  );
  fs.closeSync(fd);
}

it('waits for an event while nothing is written, and again when the writer rests', async () => {
  const growth = open(1000);
  expect(growth.state).toBe('watching');
  fs.appendFileSync(log, 'a line\n');
  await until('the event', () => growth.state === 'looking');
  await until('the rest', () => growth.state === 'watching');
  fs.appendFileSync(log, 'x'.repeat(1000));
  await until('the limit', () => reached.length === 1);
  expect(reached).toEqual([1007]);
});

it('tells at once of a file that is large already', () => {
  fs.writeFileSync(log, 'x'.repeat(2000));
  open(1000);
  expect(reached).toEqual([2000]);
});

it('tells of a writer at full speed before it is a second beyond the limit', async () => {
  const limit = 20_000_000;
  open(limit);
  write(200);
  // Its speed is that of the writing, and not that of its start.
  await until('the writer', () => fs.statSync(log).size > 0);
  const began = performance.now();
  await until('the limit', () => reached.length > 0);
  const speed = fs.statSync(log).size / (performance.now() - began);
  expect((reached[0] ?? 0) - limit).toBeLessThan(speed * 1000);
});

it('tells again after each rotation, also of a file that is beyond the limit before it was looked at', async () => {
  const growth = open(1000);
  fs.appendFileSync(log, 'x'.repeat(1500));
  await until('the first rotation', () => reached.length === 1);
  fs.truncateSync(log, 0);
  growth.rotated();
  fs.appendFileSync(log, 'x'.repeat(1400));
  await until('the second rotation', () => reached.length === 2);
  fs.truncateSync(log, 0);
  fs.appendFileSync(log, 'x'.repeat(1300));
  growth.rotated();
  expect(reached).toEqual([1500, 1400, 1300]);
});

it('finds a file that is made later', async () => {
  fs.rmSync(log);
  open(1000);
  fs.writeFileSync(log, 'x'.repeat(1000));
  await until('the limit', () => reached.length === 1);
  expect(reached).toEqual([1000]);
});
