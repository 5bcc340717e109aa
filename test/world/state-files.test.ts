import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Problem } from '../../src/model/problem.ts';
import { systemFiles } from '../../src/world/files.ts';
import { stateFiles } from '../../src/world/state-files.ts';
import type { Files } from '../../src/world/world.ts';

const HOW = { mode: 0o600, durable: false };
const TAKEN: Problem = { code: 'daemon-running', severity: 'error', message: 'it is held' };

let state: string;
let within: Files;
let taken: Problem | undefined;

beforeEach(() => {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  state = join(directory, 'state');
  within = stateFiles(systemFiles(), state, { keepPlace: () => taken });
  taken = undefined;
});

test('what another daemon keeps in the state directory is neither replaced nor removed', () => {
  const intent = join(state, 'intent.json');
  expect(within.replace(intent, 'of the other', HOW)).toBeUndefined();
  taken = TAKEN;
  expect(within.replace(intent, 'ours', HOW)).toEqual({ failed: 'EBUSY' });
  expect(within.remove(intent)).toEqual({ failed: 'EBUSY' });
  expect(within.read(intent, 100)).toBe('of the other');
  taken = undefined;
  expect(within.replace(intent, 'ours', HOW)).toBeUndefined();
  expect(within.read(intent, 100)).toBe('ours');
  expect(within.remove(intent)).toBeUndefined();
  expect(fs.readdirSync(state)).toEqual([]);
});

test('files elsewhere are nothing that a daemon loses', () => {
  taken = TAKEN;
  const file = `${state}-of-nobody`;
  expect(within.replace(file, 'text', HOW)).toBeUndefined();
  expect(within.remove(file)).toBeUndefined();
  expect(fs.existsSync(file)).toBe(false);
});
