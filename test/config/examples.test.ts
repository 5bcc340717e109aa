import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDirectory } from '../../src/config/check.ts';
import { ServiceDirectory } from '../../src/config/load.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { systemFiles } from '../../src/world/files.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { HOST } from './ground.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const INPUT = {
  cwd: ROOT,
  env: {},
  flags: {},
  files: systemFiles(),
  users: twinUsers(),
  hostname: 'h',
  host: HOST,
};

test('the examples are right', () => {
  const names = readdirSync(join(ROOT, 'config.d')).filter((name) => name.endsWith('.yaml'));
  expect(checkDirectory(INPUT)).toEqual({ files: names.length, errors: [], warnings: [], unchecked: [] });
  expect(names.length).toBeGreaterThanOrEqual(4);
});

test('they need nothing but node and a shell, and their programs are there', () => {
  const loaded = loadSettings(INPUT);
  if ('problems' in loaded) throw new Error('the settings have problems');
  const settings = { ...loaded.settings, state_directory: '/nowhere' };
  // Reads the real files, keeps its last good definitions in memory.
  const memory = new TwinFiles();
  const files = {
    ...systemFiles(),
    replace: memory.replace.bind(memory),
    remove: memory.remove.bind(memory),
  };
  const state = new ServiceDirectory({ ...INPUT, files, settings, environment: {} }).load();
  for (const desired of state.services.values()) {
    if (desired.kind !== 'defined') throw new Error(`${desired.name} is broken`);
    const { command, working_directory } = desired.spec.process;
    expect(['node', '/bin/sh']).toContain(command[0]);
    for (const word of command.slice(1)) {
      if (word.endsWith('.mjs')) expect(existsSync(join(working_directory, word)), word).toBe(true);
    }
  }
});
