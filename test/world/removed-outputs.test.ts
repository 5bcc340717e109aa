import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removedOutputs } from '../../src/world/removed-outputs.ts';

/** Logs of a service that has these files and no other. */
const removedOf = (pid: number, ...names: readonly string[]) => removedOutputs(pid, names.map(at));

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
  const removed = () => [removedOf(pid, 'out.log', 'err.log'), removedOf(shared, 'both.log')];
  expect(removed()).toEqual([[], []]);
  for (const name of ['out.log', 'both.log']) fs.rmSync(at(name));
  expect(removed()).toEqual([[at('out.log')], [at('both.log')]]);
});

it('are not those that were moved away, or made anew by somebody else beside the old one', async () => {
  const pid = await writing('out.log', 'err.log');
  fs.renameSync(at('out.log'), at('out.log.1'));
  expect(removedOf(pid, 'out.log', 'err.log')).toEqual([]);
  fs.rmSync(at('err.log'));
  fs.writeFileSync(at('err.log'), '');
  expect(removedOf(pid, 'out.log', 'err.log')).toEqual([at('err.log')]);
});

it('are none of a pipe, and of nobody', async () => {
  const child = spawn('/bin/sleep', ['1000'], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  expect(removedOf(child.pid ?? 0, 'out.log')).toEqual([]);
  expect(removedOf(2 ** 30, 'out.log')).toEqual([]);
});

it('are not what the process has opened and removed itself', async () => {
  const pid = await writing('own.tmp', 'err.log');
  for (const name of ['own.tmp', 'err.log']) fs.rmSync(at(name));
  expect(removedOf(pid, 'out.log', 'err.log')).toEqual([at('err.log')]);
});

it('are told where a link led to the log or to its directory, and where that is gone as well', async () => {
  fs.mkdirSync(at('real'));
  fs.symlinkSync(at('real'), at('logs'));
  fs.symlinkSync('current.log', at('real/out.log'));
  fs.symlinkSync('today.log', at('real/current.log'));
  const pid = await writing('logs/out.log', 'logs/err.log');
  fs.rmSync(at('real/today.log'));
  expect(removedOf(pid, 'logs/out.log', 'logs/err.log')).toEqual([at('real/today.log')]);
  fs.rmSync(at('real'), { recursive: true });
  expect(removedOf(pid, 'logs/err.log')).toEqual([at('real/err.log')]);
});

it('are told where somebody had moved the log, or its directory, before it was removed', async () => {
  fs.mkdirSync(at('logs'));
  const pid = await writing('logs/out.log', 'logs/err.log');
  fs.renameSync(at('logs/out.log'), at('logs/out.log.1'));
  fs.renameSync(at('logs'), at('old'));
  for (const name of ['out.log.1', 'err.log']) fs.rmSync(at(`old/${name}`));
  expect(removedOf(pid, 'logs/out.log', 'logs/err.log')).toEqual([at('old/out.log.1'), at('old/err.log')]);
});
