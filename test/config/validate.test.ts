import { describe, expect, test } from 'vitest';
import { problemsOf, web } from './ground.ts';

function only(...lines: string[]): string {
  const problems = problemsOf(web(...lines));
  if (problems.length !== 1) throw new Error(`expected one problem, not ${JSON.stringify(problems)}`);
  return (problems[0] ?? '').replace('config.d/web.yaml:', '');
}

describe('unknown keys', () => {
  test('with the key that was meant', () => {
    expect(only('restart_policy:', '  max_backof: 3s')).toBe(
      '4:3  unknown key restart_policy.max_backof; did you mean max_backoff?',
    );
    expect(only('instnaces: 2')).toBe('3:1  unknown key instnaces; did you mean instances?');
    expect(only('  stop_grase_ms: 3')).toBe(
      '3:3  unknown key process.stop_grase_ms; did you mean stop_grace_ms?',
    );
  });

  test('with a longer key that begins with it, and milliseconds for durations alone', () => {
    expect(only('restart: always')).toBe('3:1  unknown key restart; did you mean restart_policy?');
    expect(only('  nmae_ms: 5')).not.toContain('_ms?');
    expect(only('  nicee: 5')).toBe('3:3  unknown key process.nicee; did you mean nice?');
  });

  test('with the place where they belong', () => {
    expect(only('timeout: 5s')).toMatch(/it belongs under .*rollout:/);
    expect(only('timeout: 5s')).toMatch(/ or hooks\./);
    expect(only('stop_signal: SIGINT')).toBe('3:1  unknown key stop_signal; it belongs under process:');
    expect(only('  instances: 2')).toBe(
      '3:3  unknown key process.instances; it belongs to the top of the file',
    );
    expect(only('max_restarts: 5')).toBe(
      '3:1  unknown key max_restarts; it belongs under restart_policy.tolerance:',
    );
    expect(only('restart_backoff_ms: 5')).toBe(
      '3:1  unknown key restart_backoff_ms; it belongs under restart_policy:',
    );
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s is no more than another unknown key', (key) => {
    expect(only(`${key}: { polluted: 1 }`)).toMatch(new RegExp(`^3:1 {2}unknown key ${key}`));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each(['http: {}', 'logs: { rotation_speed: fast }', 'notify: []'])('%s is not known', (line) => {
    expect(only(line)).toMatch(/unknown key/);
  });
});

describe('wrong values', () => {
  test.each([
    ['instances: two', '3:12  instances: "two" must be a whole number from 0 to 999, or auto'],
    ['instances: 1.5', '3:12  instances: 1.5 is not of type whole number or auto; for example instances: 2'],
    ['instances: 1000', '3:12  instances: 1000 is more than 999'],
    ['instances: -1', '3:12  instances: -1 is less than 0'],
    [
      'instances: .inf',
      '3:12  instances: Infinity is not of type whole number or auto; for example instances: 2',
    ],
    ['port: 0', '3:7  port: 0 is less than 1'],
    ['port: 65536', '3:7  port: 65536 is more than 65535'],
    ['port: any', '3:7  port: "any" must be a whole number from 1 to 65535, or auto'],
    [
      'enabled: yes',
      '3:10  enabled: "yes" is not true or false; yes, no, on and off are plain words in YAML 1.2',
    ],
    ['  stop_grace: 30', '3:15  process.stop_grace: 30 has no unit: write 30s or 30ms'],
    ['  stop_signal: SIGTREM', '3:16  process.stop_signal: "SIGTREM" is no signal; did you mean SIGTERM?'],
    ['  exit_on: mian', '3:12  process.exit_on: "mian" is not one of auto, main, empty; did you mean main?'],
    ['  umask: 9', '3:10  process.umask: "9" is not a umask: write octal digits like 022'],
    ['  nice: 20', '3:9  process.nice: 20 is more than 19'],
    ['resources: { max_cpu: 0 }', '3:23  resources.max_cpu: 0 is too little CPU: the least is 10m'],
    ['resources: { max_memory: lots }', expect.stringContaining('resources.max_memory: "lots" is no size')],
    ['resources: { max_memory: 0 }', expect.stringContaining('0 leaves nothing to run in')],
    ['resources: { max_pids: 0 }', expect.stringContaining('0 is no whole number from 1')],
    ['resources: { cpu_weight: 0 }', expect.stringContaining('0 is less than 1')],
    ['restart_policy: { jitter: 2 }', expect.stringContaining('2 is more than 1')],
    [
      'restart_policy: { success_exit_codes: [0, 256] }',
      expect.stringContaining('success_exit_codes[1]: 256'),
    ],
    ['restart_policy: always', expect.stringContaining('restart_policy: "always" is not of type map')],
    ['  env: [A=1]', expect.stringContaining('process.env: a list is not of type map')],
    ['  env: { 1A: x }', expect.stringContaining('"1A" is no name for this')],
    ['  env: { A: [x] }', expect.stringContaining('process.env.A: a list is not of type text')],
    [
      '  env: { A: { fiel: x } }',
      expect.stringContaining('unknown key process.env.A.fiel; did you mean file?'),
    ],
    ['  env: { A: {} }', expect.stringContaining('process.env.A: takes one key, file: or base64:')],
    ['  rlimits: { nofiles: 5 }', expect.stringContaining('the names of prlimit(1)')],
    [
      '  rlimits: { nofile: { soft: 5 } }',
      expect.stringContaining('process.rlimits.nofile: hard: is missing'),
    ],
    ['  required_env: [1A]', expect.stringContaining('process.required_env[0]: "1A" must be letters')],
    ['labels: { "a b": x }', expect.stringContaining('labels: "a b" is no name for this')],
    [
      `description: ${'x'.repeat(1001)}`,
      expect.stringContaining('description: is longer than 1000 characters'),
    ],
  ])('%s', (line, expected) => {
    expect(only(line)).toEqual(expected);
  });

  test.each(['name', 'description', 'instances', 'logs', 'restart_policy'])('%s without a value', (key) => {
    expect(only(`${key}:`)).toBe(
      `3:${key.length + 2}  ${key}: has no value; remove the key or give it a value`,
    );
  });

  test.each(['[]', '""', '3', '{}', '[[a]]'])('command: %s', (command) => {
    const problems = problemsOf(`process:\n  command: ${command}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^config\.d\/web\.yaml:2:1\d {2}process\.command/);
  });

  test('a file without a command, without anything, or of another kind', () => {
    expect(problemsOf('instances: 1\n')[0]).toContain('process.command is missing');
    expect(problemsOf('process:\n  args: [x]\n')[0]).toMatch(
      /^config\.d\/web\.yaml:2:3 .*process\.command is missing/,
    );
    expect(problemsOf('')[0]).toContain('the file is empty');
    expect(problemsOf('# only a comment\n')[0]).toContain('the file is empty');
    expect(problemsOf('- a\n- b\n')[0]).toContain('no map of keys');
    expect(problemsOf('just text')[0]).toContain('no map of keys');
  });
});

test('all mistakes of a file are told at once, each once', () => {
  const problems = problemsOf(
    web(
      '  stop_grase: 1s',
      '  stop_signal: SIGFOO',
      '  args: ["$' + '{nosuch}"]',
      'instances: many',
      'x_y_z: 1',
    ),
  );
  expect(problems).toHaveLength(5);
});

test('a mistake in a place that came by an alias is told at that place', () => {
  const text = web('labels: &l { a: [x] }');
  expect(problemsOf(text)[0]).toMatch(/^config\.d\/web\.yaml:3:17 {2}labels\.a: a list/);
});
