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
  ['rollout.surge', 'rollout: { surge: 0 }'],
  ['rollout.overlap', 'rollout: { overlap: 1s }'],
  ['rollout.timeout', 'rollout: { timeout: 1s }'],
  ['rollout.min_ready', 'rollout: { min_ready: 1s }'],
  ['rollout.on_failure', 'rollout: { on_failure: replace }'],
  ['restart_policy.crash_on_start', 'restart_policy: { crash_on_start: wait_for_change }'],
  ['probes.startup', 'probes: { startup: { fd: 3 } }'],
  ['probes.readiness.http.url', 'probes: { readiness: { http: "http://a/" } }'],
  ['probes.liveness', 'probes: { liveness: { tcp: 80 } }'],
  ['depends_on', 'depends_on: [db]'],
  ['hooks.pre_start', 'hooks: { pre_start: [x] }'],
  ['hooks.post_stop', 'hooks: { post_stop: [x] }'],
  ['watch', 'watch: src'],
  ['process.schedule', '  schedule: "@daily"'],
  ['process.reload_signal', '  reload_signal: SIGHUP'],
  ['process.reload_command', '  reload_command: [x]'],
])('a change of %s changes the digest, and the hash only when processes must change', (path, line) => {
  const text = path === 'process.command' ? 'process: { command: [other] }\n' : web(line);
  const changed = defined(text);
  expect(changed.digest).not.toBe(BASE.digest);
  expect(changed.hash === BASE.hash).toBe(applyClassOf(path) === 'live');
});

test('a definition of the first release has the hash that it had then, so that an upgrade restarts nothing', () => {
  expect(BASE).toMatchObject({ hash: '88c65f6a282b', digest: '0b5197cfc631' });
  const withPort = defined(web('port: 80'));
  expect(withPort).toMatchObject({ hash: '5e0b62bbdd58', digest: 'f32b2eb3dbe0' });
  const job = defined(web('  type: oneshot', 'instances: 3', 'description: x'));
  expect(job).toMatchObject({ hash: '18ea6cea3705', digest: 'f8eee23333f1' });
});

test('how many processes may surge counts where it is not what the service would have anyway', () => {
  const withPort = defined(web('port: 80'));
  expect(defined(web('port: 80', 'rollout: { surge: 0 }')).digest).toBe(withPort.digest);
  expect(defined(web('port: 80', 'rollout: { surge: 1 }')).digest).not.toBe(withPort.digest);
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
