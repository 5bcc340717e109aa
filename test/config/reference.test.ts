/** May a reader take what the reference and `pmctl explain` show as it stands? */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadSettings } from '../../src/config/settings.ts';
import { type KeyFact, SERVICE_KEYS, SETTING_KEYS } from '../../src/model/keys.ts';
import { type Problem, sentence } from '../../src/model/problem.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { read } from './ground.ts';

function samplesOf(name: 'service' | 'config'): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference', `${name}.md`), 'utf8');
  return [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
}

function examplesOf(keys: readonly KeyFact[]): readonly (readonly [string, string])[] {
  return keys.flatMap(({ path, example }) => (example === null ? [] : [[path, example] as const]));
}

/** What is wrong with a part of a service file, in a service that has a command and a port of its own. */
function wrongInService(text: string): readonly Problem[] {
  const part = parse(text);
  const whole = { port: 8080, ...part, process: { command: ['sleep', '60'], ...part.process } };
  const reading = read(stringify(whole), { vars: { release: '1' } });
  return reading.kind === 'good' ? [] : reading.problems;
}

function wrongInSettings(text: string): readonly Problem[] {
  const files = new TwinFiles({ '/etc/pm/config.yaml': text });
  const loaded = loadSettings({
    cwd: '/etc/pm',
    env: {},
    flags: {},
    files,
    users: twinUsers(),
    hostname: 'a',
  });
  return 'settings' in loaded ? [] : loaded.problems;
}

/** Who is known on a host is nothing that a sample could know. */
function beyondHost(problems: readonly Problem[]): readonly string[] {
  return problems.filter(({ code }) => code !== 'user-unknown').map(sentence);
}

/** An example of one key shows its place and its value; what it needs beside it is shown by the sample of its map. */
function ofItself(key: string, problems: readonly Problem[]): readonly string[] {
  const its = problems.filter(
    ({ path = '' }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
  );
  return beyondHost(its.filter(({ code }) => code !== 'key-missing' && code !== 'api-unsafe'));
}

describe('the samples of a service file are right', () => {
  test.each(samplesOf('service'))('%s', (text) => {
    expect(beyondHost(wrongInService(text))).toEqual([]);
  });
  test.each(examplesOf(SERVICE_KEYS))('the example of %s', (key, text) => {
    expect(ofItself(key, wrongInService(text))).toEqual([]);
  });
});

describe('the samples of the master file are right', () => {
  test.each(samplesOf('config'))('%s', (text) => {
    expect(beyondHost(wrongInSettings(text))).toEqual([]);
  });
  test.each(examplesOf(SETTING_KEYS))('the example of %s', (key, text) => {
    expect(ofItself(key, wrongInSettings(text))).toEqual([]);
  });
});

test('there are samples to look at', () => {
  expect(samplesOf('service').length).toBeGreaterThan(10);
  expect(samplesOf('config').length).toBeGreaterThan(10);
});

describe('the pages name only keys that there are', () => {
  const ROOT = join(import.meta.dirname, '../..');
  const PATHS = [...SERVICE_KEYS, ...SETTING_KEYS].map(({ path }) => path.split('.'));
  const GROUPS = new Set(PATHS.filter(({ length }) => length > 1).map(([first]) => first));
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path));

  /** A word for several keys ends with a star; a key of the schema does where anything may stand. */
  const isKnown = (key: string): boolean => {
    const parts = key.split('.');
    const fits = (part: string, known: string | undefined) =>
      known === part ||
      known === '*' ||
      (part.endsWith('*') && known?.startsWith(part.slice(0, -1)) === true);
    return PATHS.some((path) => parts.every((part, at) => fits(part, path[at])));
  };

  /** `a.b` and `a.b: value`, where `a` has keys; no file, and nothing of node's `process`. */
  const namedIn = (text: string): readonly string[] =>
    [...text.matchAll(/`([a-z_]+(?:\.[a-z_*]+)+)(?:: [^`]*)?`/g)]
      .map(([, key = '']) => key)
      .filter((key) => GROUPS.has(key.split('.')[0]) && !/\.(ts|json)$|^process\.exit$/.test(key));

  test.each(['README.md', 'CHANGELOG.md', ...pages])('%s', (page) => {
    const named = namedIn(readFileSync(join(ROOT, page), 'utf8'));
    expect(named.filter((key) => !isKnown(key))).toEqual([]);
  });

  test('and a mistake in one would be seen', () => {
    const named = namedIn(
      '`logs.rotation_sice`, `logs.rotate*: 1`, `env.HOME`, `sync.json`, `logs.rotation_*`',
    );
    expect(named.filter((key) => !isKnown(key))).toEqual(['logs.rotation_sice', 'logs.rotate*']);
  });
});
