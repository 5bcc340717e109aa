import { expect, test } from 'vitest';
import { keysBelow, SERVICE_KEYS, SETTING_KEYS, serviceKey, settingKey } from '../../src/model/keys.ts';
import { specOf, web } from '../config/ground.ts';

test('every field of a definition is a key of the schema', () => {
  const known = new Set(SERVICE_KEYS.map((fact) => fact.path));
  const fields = (value: unknown, path: string): string[] => {
    const fact = SERVICE_KEYS.find((each) => each.path === path);
    // A map that is not written is null.
    if (path !== '' && (fact?.group !== true || value === null)) return [path];
    return Object.entries(value as object).flatMap(([key, inner]) =>
      fields(inner, path === '' ? key : `${path}.${key}`),
    );
  };
  const found = fields(specOf(web()), '');
  expect(found.length).toBeGreaterThan(40);
  expect(found.filter((path) => !known.has(path))).toEqual([]);
});

test('every key says what it means and, unless it is required, what holds without it', () => {
  for (const fact of [...SERVICE_KEYS, ...SETTING_KEYS]) {
    expect(fact.description, fact.path).not.toBe('');
    if (fact.group || fact.path.includes('*')) continue;
    expect(fact.example, fact.path).not.toBeNull();
    if (fact.default === null) expect(fact.path).toBe('process.command');
  }
});

test('a key is found by its path, by an item of it, by a JSON pointer and by its spelling in milliseconds', () => {
  const asked = [
    'process.args',
    'process.args[0]',
    '/process/args/0',
    'process.stop_grace_ms',
    'labels.a.b/c',
  ];
  expect(asked.map((path) => serviceKey(path)?.path)).toEqual([
    'process.args',
    'process.args',
    'process.args',
    'process.stop_grace',
    'labels',
  ]);
  expect(serviceKey('nonsense')).toBeUndefined();
  expect(settingKey('watch.settle')?.default).toBe('200ms');
});

test('the keys below a key are listed', () => {
  expect(keysBelow('restart_policy.tolerance', SERVICE_KEYS)).toEqual([
    'max_restarts',
    'duration',
    'retry_after',
  ]);
});
