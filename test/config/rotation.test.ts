import { expect, test } from 'vitest';
import { problemsOf, specOf, web } from './ground.ts';

test('without a word logs are rotated each day and stay for thirty', () => {
  expect(specOf(web()).logs).toMatchObject({
    rotation_mode: 'time',
    rotation_frequency: 'daily',
    rotation_max_age: 30 * 24 * 3_600_000,
    compress: false,
    forward: false,
    markers: false,
  });
});

test.each([
  ['1K', 1024],
  ['10M', 10 * 1024 * 1024],
  ['2G', 2 * 1024 ** 3],
  ['1T', 1024 ** 4],
  ['4096', 4096],
])('rotation_size: %s', (written, bytes) => {
  expect(specOf(web(`logs: { rotation_mode: size, rotation_size: ${written} }`)).logs.rotation_size).toBe(
    bytes,
  );
});

test('rotated files may stay for ever, and an age may be given in milliseconds', () => {
  expect(specOf(web('logs: { rotation_max_age: never }')).logs.rotation_max_age).toBeNull();
  expect(specOf(web('logs: { rotation_max_age_ms: 5000 }')).logs.rotation_max_age).toBe(5000);
});

test.each([
  ['rotation_size: 0', 'the least is 1K'],
  ['rotation_size: max', 'max is no size'],
  ['rotation_size: huge', 'logs.rotation_size'],
  ['rotation_backups: -1', 'logs.rotation_backups'],
  ['rotation_mode: sise', 'did you mean size'],
  ['rotation_frequency: dayly', 'did you mean daily'],
  ['rotaton_mode: size', 'did you mean rotation_mode'],
])('%s is refused', (line, said) => {
  expect(problemsOf(web(`logs: { ${line} }`))).toEqual([expect.stringContaining(said)]);
});
