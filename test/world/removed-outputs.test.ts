import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removedOutputs } from '../../src/world/removed-outputs.ts';

let directory: string;
let children: ChildProcess[];
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(directory, { recursive: true });
});

async function writing(stdout: string, stderr: string): Promise<number> {
  const [out, err] = [fs.openSync(at(stdout), 'a'), fs.openSync(at(stderr), 'a')];
  const child = spawn('/bin/sleep', ['1000'], { stdio: ['ignore', out, err] });
  children.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
  fs.closeSync(out);
  fs.closeSync(err);
  return child.pid ?? 0;
}

it('are told by the paths that they had, each once', async () => {
  const pid = await writing('out.log', 'err.log');
  const shared = await writing('both.log', 'both.log');
  expect([removedOutputs(pid), removedOutputs(shared)]).toEqual([[], []]);
  for (const name of ['out.log', 'both.log']) fs.rmSync(at(name));
  expect([removedOutputs(pid), removedOutputs(shared)]).toEqual([[at('out.log')], [at('both.log')]]);
});

it('are not those that were moved away, or made anew by somebody else beside the old one', async () => {
  const pid = await writing('out.log', 'err.log');
  fs.renameSync(at('out.log'), at('out.log.1'));
  expect(removedOutputs(pid)).toEqual([]);
  fs.rmSync(at('err.log'));
  fs.writeFileSync(at('err.log'), '');
  expect(removedOutputs(pid)).toEqual([at('err.log')]);
});

it('are none of a pipe, and of nobody', async () => {
  const child = spawn('/bin/sleep', ['1000'], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  expect(removedOutputs(child.pid ?? 0)).toEqual([]);
  expect(removedOutputs(2 ** 30)).toEqual([]);
});
