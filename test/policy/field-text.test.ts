import { expect, it, test } from 'vitest';
import { fieldText } from '../../src/policy/field-text.ts';

test.each([
  ['process.stop_grace', 90_000, '1m30s'],
  ['restart_policy.tolerance.duration', 60_000, '1m'],
  ['resources.max_memory', 200 * 1024 * 1024, '200M'],
  ['resources.max_cpu', 1500, '1.5'],
  ['process.umask', 0o027, '0027'],
  ['process.nice', 5, '5'],
  ['instances', 3, '3'],
  ['enabled', false, 'false'],
  ['process.args[0]', '--port=81', '"--port=81"'],
  ['process.command', ['web', '-v'], '["web","-v"]'],
  ['description', 'two\nlines', '"two\\nlines"'],
])('%s: %j is written %s', (path, value, text) => {
  expect(fieldText(path, value)).toBe(text);
});

test.each([
  ['resources.max_memory', 'max'],
  ['resources.max_cpu', 'max'],
  ['resources.max_pids', 'max'],
  ['process.rlimits.nofile.soft', 'unlimited'],
  ['process.user', 'none'],
  ['process.umask', 'none'],
])('%s: nothing is written %s', (path, text) => {
  expect(fieldText(path, null)).toBe(text);
});

it('a secret is hidden, alone and within something larger', () => {
  const secret = { secret: '/run/secrets/token', digest: '0123456789ab' };
  expect(fieldText('process.env.TOKEN', secret)).toBe('(hidden)');
  const whole = fieldText('process.env', { MODE: 'x', TOKEN: secret });
  expect(whole).toBe('{"MODE":"x","TOKEN":"(hidden)"}');
});
