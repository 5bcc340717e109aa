import { expect, test } from 'vitest';
import { applyClassOf, unitOf } from '../../src/policy/apply-class.ts';

test.each([
  ['description', 'live'],
  ['labels.team', 'live'],
  ['name', 'replace'],
  ['process.command[0]', 'roll'],
  ['process.env.FOO', 'roll'],
  ['/process/env/FOO', 'roll'],
  ['process.env_files[0].values.FOO', 'roll'],
  ['process.type', 'replace'],
  ['process.stop_grace', 'live'],
  ['process.required_env[2]', 'live'],
  ['instances', 'live'],
  ['port', 'roll'],
  ['restart_policy.tolerance.duration', 'live'],
  ['resources.max_memory', 'live'],
  ['logs.stdout', 'live'],
  ['process.rlimits.nofile.soft', 'roll'],
])('a change of %s is %s', (path, expected) => {
  expect(applyClassOf(path)).toBe(expected);
});

test('a field that no schema knows is taken for one that a process is started with', () => {
  expect(applyClassOf('teleport.to')).toBe('roll');
});

test('units are known by path', () => {
  const paths = [
    'process.stop_grace',
    'restart_policy.tolerance.retry_after',
    'resources.max_swap',
    'process.umask',
  ];
  expect(paths.map(unitOf)).toEqual(['duration', 'duration', 'size', 'mode']);
  expect([unitOf('resources.max_cpu'), unitOf('instances'), unitOf('nonsense')]).toEqual(['cpu', null, null]);
});
