import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { FieldChange } from '../../src/model/action.ts';
import type { EnvValue, ServiceSpec } from '../../src/model/spec.ts';
import { diffSpecs } from '../../src/reconcile/diff.ts';
import { defined, type Part, spec } from '../builders.ts';

type Lines = Readonly<Record<string, number>>;

function diff(from: Part<ServiceSpec>, to: Part<ServiceSpec>, lines: Lines = {}): readonly FieldChange[] {
  return diffSpecs(spec(from), defined({ spec: to, lines }));
}

/** `process.args[0] roll "a" -> "b"` */
function told(changes: readonly FieldChange[]): readonly string[] {
  return changes.map(({ path, class: kind, from, to }) => `${path} ${kind} ${from ?? '-'} -> ${to ?? '-'}`);
}

const HOUR = 3_600_000;

test.each<[Part<ServiceSpec>, Part<ServiceSpec>, string]>([
  [{ description: 'a' }, { description: 'b' }, 'description live "a" -> "b"'],
  [{ instances: 2 }, { instances: 4 }, 'instances live 2 -> 4'],
  [{ enabled: true }, { enabled: false }, 'enabled live true -> false'],
  [{ port: null }, { port: 80 }, 'port roll none -> 80'],
  [{ process: { args: ['a', 'b'] } }, { process: { args: ['a', 'c'] } }, 'process.args[1] roll "b" -> "c"'],
  [{ process: { args: ['a'] } }, { process: { args: ['a', 'b'] } }, 'process.args[1] roll - -> "b"'],
  [{ process: { args: ['a', 'b'] } }, { process: { args: ['a'] } }, 'process.args[1] roll "b" -> -'],
  [
    { process: { type: 'service' } },
    { process: { type: 'oneshot' } },
    'process.type replace "service" -> "oneshot"',
  ],
  [{ process: { stop_grace: 1000 } }, { process: { stop_grace: HOUR } }, 'process.stop_grace live 1s -> 1h'],
  [{ process: { umask: null } }, { process: { umask: 0o22 } }, 'process.umask roll none -> 0022'],
  [
    { process: { rlimits: { nofile: { soft: 10, hard: null } } } },
    { process: { rlimits: { nofile: { soft: 20, hard: null } } } },
    'process.rlimits.nofile.soft roll 10 -> 20',
  ],
  [{ resources: {} }, { resources: { max_memory: 1024 } }, 'resources.max_memory live max -> 1K'],
  [{ resources: { max_cpu: 1500 } }, { resources: {} }, 'resources.max_cpu live 1.5 -> max'],
  [{ labels: { 'a/b~c': '1' } }, { labels: { 'a/b~c': '2' } }, 'labels.a/b~c live "1" -> "2"'],
  [{ process: { env: { A: '1' } } }, { process: { env: {} } }, 'process.env.A roll "1" -> -'],
  [
    { process: { inherit_env: false } },
    { process: { inherit_env: ['A'] } },
    'process.inherit_env roll false -> ["A"]',
  ],
])('%j -> %j', (from, to, text) => {
  expect(told(diff(from, to))).toEqual([text]);
});

it('the same definition has no differences', () => {
  expect(diff({ process: { env: { A: '1', B: '2' } } }, { process: { env: { B: '2', A: '1' } } })).toEqual(
    [],
  );
});

it('changes are sorted by their path, each path once', () => {
  const changes = diff({}, { description: 'x', instances: 2, process: { args: ['1', '2'] } });
  expect(changes.map(({ path }) => path)).toEqual([
    'description',
    'instances',
    'process.args[0]',
    'process.args[1]',
  ]);
});

describe('file and line', () => {
  const change = (lines: Lines): Pick<FieldChange, 'file' | 'line'> | undefined =>
    diff({ process: { args: ['a'] } }, { process: { args: ['b'] } }, lines)[0];

  it('are those of the key', () => {
    expect(change({ 'process.args[0]': 9, 'process.args': 8, process: 2 })).toMatchObject({
      file: 'config.d/web.yaml',
      line: 9,
    });
  });

  it('are those of the nearest key above it when it is not in the file itself', () => {
    expect(change({ process: 2 })).toMatchObject({ line: 2 });
  });

  it('is only the file when nothing of it is in the file', () => {
    expect(change({})).not.toHaveProperty('line');
    expect(change({})).toMatchObject({ file: 'config.d/web.yaml' });
  });
});

describe('env_files', () => {
  const files = (values: Readonly<Record<string, Readonly<Record<string, string>>>>): Part<ServiceSpec> => ({
    process: { env_files: Object.entries(values).map(([path, of]) => ({ path, values: of })) },
  });

  test.each([
    [
      'names, never values',
      { '.env': { B: 'd1', C: 'd1', SAME: 'd' } },
      { '.env': { A: 'd1', B: 'd2', SAME: 'd' } },
      '.env changed: +A, ~B, -C (hidden)',
    ],
    ['a new file', {}, { '.env': { A: 'd1' } }, '+.env'],
    ['a file that is gone', { '.env': { A: 'd1' } }, {}, '-.env'],
    ['several files', { a: { A: '1' }, b: {} }, { a: { A: '2' }, c: {} }, 'a changed: ~A (hidden); -b; +c'],
    ['another order', { a: {}, b: {} }, { b: {}, a: {} }, 'order changed'],
  ])('%s', (_title, from, to, text) => {
    expect(diff(files(from), files(to))).toMatchObject([
      { path: 'process.env_files', class: 'roll', to: text },
    ]);
  });
});

describe('secrets', () => {
  const secret = (digest: string): EnvValue => ({ secret: '/run/secrets/token', digest });

  it('another content is one change that shows nothing', () => {
    const changes = diff(
      { process: { env: { T: secret('d1') } } },
      { process: { env: { T: secret('d2') } } },
    );
    expect(told(changes)).toEqual(['process.env.T roll (hidden) -> (hidden)']);
  });

  it('becoming a secret hides the new value', () => {
    const changes = diff({ process: { env: { T: 'open' } } }, { process: { env: { T: secret('d2') } } });
    expect(told(changes)).toEqual(['process.env.T roll "open" -> (hidden)']);
  });

  it('no digest and no value of a secret is in any text, whatever changes', () => {
    const digest = fc.stringMatching(/^secret[0-9a-f]{8}$/);
    const value = fc.oneof(fc.constantFrom('plain', ''), digest.map(secret));
    const variables = fc.constantFrom('A', 'B', 'SECRET_TOKEN');
    const env = fc.dictionary(variables, value);
    const file = fc.record({
      path: fc.constantFrom('.env', 'other.env'),
      values: fc.dictionary(variables, digest),
    });
    const process = fc.record({
      env,
      env_files: fc.array(file, { maxLength: 3 }),
      args: fc.array(fc.string()),
    });
    fc.assert(
      fc.property(process, process, (from, to) => {
        expect(JSON.stringify(diff({ process: from }, { process: to }))).not.toMatch(/secret[0-9a-f]{8}/);
      }),
    );
  });
});
