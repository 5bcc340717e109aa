import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical } from '../../src/config/hash.ts';
import { applyClassOf } from '../../src/policy/apply-class.ts';
import { defined, web } from './ground.ts';

const BASE = defined(web());

test.each([
  ['description', 'description: other'],
  ['labels', 'labels: { a: b }'],
  ['enabled', 'enabled: false'],
  ['instances', 'instances: 5'],
  ['process.stop_signal', '  stop_signal: SIGINT'],
  ['process.stop_command', '  stop_command: [x]'],
  ['process.stop_grace', '  stop_grace: 1s'],
  ['process.exit_on', '  exit_on: main'],
  ['process.required_env', '  required_env: [A]'],
  ['pid_file', 'pid_file: x'],
  ['restart_policy.policy', 'restart_policy: { policy: never }'],
  ['restart_policy.tolerance.max_restarts', 'restart_policy: { tolerance: { max_restarts: 9 } }'],
  ['resources.max_memory', 'resources: { max_memory: 1G }'],
  ['logs.stdout', 'logs: { stdout: /x }'],
  ['name', 'name: other'],
  ['process.command', '  command: [other]'],
  ['process.args', '  args: [x]'],
  ['process.working_directory', '  working_directory: /x'],
  ['process.env', '  env: { A: b }'],
  ['process.inherit_env', '  inherit_env: [A]'],
  ['process.user', '  user: daemon'],
  ['process.group', '  group: daemon'],
  ['process.supplementary_groups', '  supplementary_groups: []'],
  ['process.umask', '  umask: 027'],
  ['process.nice', '  nice: 1'],
  ['process.rlimits', '  rlimits: { core: 0 }'],
  ['process.oom_score_adjust', '  oom_score_adjust: 1'],
  ['process.no_new_privileges', '  no_new_privileges: true'],
  ['process.type', '  type: oneshot'],
  ['port', 'port: 80'],
])('a change of %s changes the digest, and the hash only when processes must change', (path, line) => {
  const text = path === 'process.command' ? 'process: { command: [other] }\n' : web(line);
  const changed = defined(text);
  expect(changed.digest).not.toBe(BASE.digest);
  expect(changed.hash === BASE.hash).toBe(applyClassOf(path) === 'live');
});

test('comments, order, quotes and defaults that are written out change nothing', () => {
  const text = [
    '# a comment',
    'restart_policy:',
    '    policy: "always"',
    'instances: 1',
    'process:',
    "    command:   ['sleep', '60'] # why",
    '    stop_grace_ms: 30000',
    '',
  ].join('\n');
  const same = defined(text);
  expect([same.hash, same.digest]).toEqual([BASE.hash, BASE.digest]);
  expect(BASE.hash).toMatch(/^[0-9a-f]{12}$/);
});

test('maps hash the same in any order', () => {
  const one = defined(web('  env: { A: "1", B: "2" }', 'labels: { x: y, z: w }'));
  const two = defined(web('  env: { B: "2", A: "1" }', 'labels: { z: w, x: y }'));
  expect([one.hash, one.digest]).toEqual([two.hash, two.digest]);
});

test('canonical JSON is JSON, and the same for the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value);
      expect(canonical(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
