import { describe, expect, test } from 'vitest';
import { fillIn } from '../../src/model/template.ts';
import { HOST, problemsOf, read, specOf, web } from './ground.ts';

function only(...lines: readonly string[]): string {
  const problems = problemsOf(web(...lines));
  if (problems.length !== 1) throw new Error(`expected one problem, not ${JSON.stringify(problems)}`);
  return (problems[0] ?? '').replace('config.d/web.yaml:', '');
}

describe('process.schedule', () => {
  test('a text is its cron line, everything else has a default', () => {
    expect(specOf(web('  schedule: "0 3 * * *"')).process.schedule).toEqual({
      cron: '0 3 * * *',
      timezone: null,
      overlap: 'skip',
      missed: 'skip',
      jitter: 0,
      not_before: null,
      not_after: null,
      max_time_per_run: null,
    });
  });

  test('a map says it all', () => {
    const text = web(
      '  schedule:',
      '    cron: "*/10 * * * * 1-5"',
      '    timezone: Europe/Berlin',
      '    overlap: queue',
      '    missed: once',
      '    jitter: 30s',
      '    not_before: 2030-01-01T00:00:00Z',
      '    not_after: "2030-01-01T01:30+01:00"',
      '    max_time_per_run_ms: 500',
    );
    expect(specOf(text).process.schedule).toEqual({
      cron: '*/10 * * * * 1-5',
      timezone: 'Europe/Berlin',
      overlap: 'queue',
      missed: 'once',
      jitter: 30_000,
      not_before: Date.UTC(2030, 0, 1),
      not_after: Date.UTC(2030, 0, 1, 0, 30),
      max_time_per_run: 500,
    });
  });

  test.each([
    ['schedule: "61 * * * *"', expect.stringMatching(/^3:13 {2}process\.schedule: .*61/)],
    [
      'schedule: "@dayly"',
      expect.stringMatching(/^3:13 {2}process\.schedule: @dayly is not known; known are @yearly/),
    ],
    [
      'schedule: { cron: "* * *" }',
      expect.stringMatching(/^3:21 {2}process\.schedule\.cron: .* has 3 fields.*; write minute/),
    ],
    ['schedule: { cron: "0 0 31 2 *" }', expect.stringContaining('never fires')],
    [
      'schedule: { cron: "@daily", timezone: Europe/Berln }',
      expect.stringMatching(/^3:41 {2}process\.schedule\.timezone: "Europe\/Berln" is no time zone/),
    ],
    [
      'schedule: { overlap: queue }',
      '3:13  process.schedule.cron is missing: when should it run?; for example cron: 0 3 * * *',
    ],
    ['schedule: { cron: "@daily", overlap: quue }', expect.stringContaining('did you mean queue?')],
    ['schedule: { cron: "@daily", jitter: 5 }', expect.stringContaining('5 has no unit')],
    [
      'schedule: { cron: "@daily", max_time_per_run: 0s }',
      expect.stringContaining('0 leaves no time to run'),
    ],
    [
      'schedule: { cron: "@daily", not_before: 2030-01-01 }',
      expect.stringContaining('"2030-01-01" is no instant: write it like 2030-01-01T00:00:00Z'),
    ],
    [
      'schedule: { cron: "@daily", not_after: 2030-01-01T00:00 }',
      expect.stringContaining('has no offset from UTC: write 2030-01-01T00:00Z'),
    ],
    ['schedule: { cron: "@daily", not_before: 2030-02-30T00:00Z }', expect.stringContaining('is no instant')],
    [
      'schedule: { cron: "@daily", not_before: 2030-01-02T00:00Z, not_after: 2030-01-01T00:00Z }',
      expect.stringContaining('process.schedule.not_after: lies before not_before'),
    ],
    ['schedule: [x]', expect.stringContaining('process.schedule: a list is not of type text or map')],
    ['schedule:', expect.stringContaining('process.schedule: has no value')],
  ])('%s is refused', (line, expected) => {
    expect(only(`  ${line}`)).toEqual(expected);
  });

  test('runs one at a time', () => {
    expect(only('  schedule: "@daily"', 'instances: 2')).toBe(
      '4:12  instances: a service with a schedule runs one at a time, not 2',
    );
    expect(problemsOf(web('  schedule: "@daily"', '  type: oneshot', 'instances: 0'))).toEqual([]);
  });

  test('may come from service_defaults in part', () => {
    const defaults = { process: { schedule: { timezone: 'Asia/Tokyo', cron: '@daily' } } };
    expect(specOf(web('  schedule: "@hourly"'), { defaults }).process.schedule).toMatchObject({
      cron: '@hourly',
      timezone: 'Asia/Tokyo',
      missed: 'skip',
    });
  });
});

describe('rollout', () => {
  test.each([
    ['a plain service', [], 1],
    ['a fixed port and one instance', ['port: 80'], 0],
    ['a fixed port and several instances', ['port: 80', 'instances: 2'], 1],
    ['a port for each instance', ['port: auto'], 1],
    ['a oneshot', ['  type: oneshot'], 0],
    ['a schedule', ['  schedule: "@daily"'], 0],
    ['whoever says so', ['port: 80', 'rollout: { surge: 2 }'], 2],
  ])('surge of %s', (_, lines, surge) => {
    expect(specOf(web(...lines)).rollout.surge).toBe(surge);
  });

  test('is read in its units', () => {
    const line = 'rollout: { overlap: 1s, timeout_ms: 500, min_ready: 2s, on_failure: replace }';
    const expected = { surge: 1, overlap: 1000, timeout: 500, min_ready: 2000, on_failure: 'replace' };
    expect(specOf(web(line)).rollout).toEqual(expected);
  });

  test.each([
    ['rollout: { surge: -1 }', '3:19  rollout.surge: -1 is less than 0'],
    ['rollout: { timeout: 0s }', '3:21  rollout.timeout: 0 leaves a new process no time to become ready'],
    ['rollout: { on_failure: keep }', expect.stringContaining('"keep" is not one of keep_old, replace')],
    ['rollout: { overlap: 5 }', expect.stringContaining('5 has no unit')],
  ])('%s is refused', (line, expected) => {
    expect(only(line)).toEqual(expected);
  });
});

test('instances: auto is one for each CPU', () => {
  expect(specOf(web('instances: auto')).instances).toBe(HOST.cpus);
});

test('a fixed port is filled in at once, one of the pool when a process starts', () => {
  const lines = [
    '  args: ["${port}"]',
    '  env: { URL: ":${port}" }',
    '  reload_command: [reload, "${port}"]',
  ];
  const fixed = specOf(web(...lines, 'port: 80')).process;
  expect([fixed.args, fixed.env, fixed.reload_command]).toEqual([['80'], { URL: ':80' }, ['reload', '80']]);
  const { process, port } = specOf(web(...lines, 'port: auto'));
  const values = { instance: 0, generation: 1, port: 4007 };
  expect(port).toBe('auto');
  expect(process.args.map((text) => fillIn(text, values))).toEqual(['4007']);
  expect(only('  user: "${port}"', 'port: auto')).toContain(
    '${port} is known only when a process starts; it can be used in command, args,',
  );
});

describe('reload', () => {
  test('by a signal or by a command', () => {
    expect(specOf(web('  reload_signal: hup')).process.reload_signal).toBe('SIGHUP');
    expect(specOf(web('  reload_command: "kill -1 1"')).process.reload_command).toEqual([
      '/bin/sh',
      '-c',
      'kill -1 1',
    ]);
  });

  test.each([
    [['  reload_signal: SIGKILL'], '3:18  process.reload_signal: no process can act upon SIGKILL'],
    [['  reload_signal: SIGHPU'], expect.stringContaining('did you mean SIGHUP?')],
    [
      ['  reload_signal: SIGHUP', '  reload_command: [x]'],
      '3:18  process.reload_signal: process.reload_command says already how to reload; keep one of them',
    ],
  ])('%j is refused', (lines, expected) => {
    expect(only(...lines)).toEqual(expected);
  });
});

describe('hooks', () => {
  test('are a text, a list or a map', () => {
    const text = web(
      'hooks:',
      '  pre_start: migrate',
      '  post_start: [note, 1.10]',
      '  pre_stop: { command: [drain, "${instance}"], timeout: 5s }',
    );
    expect(specOf(text).hooks).toEqual({
      pre_start: { command: ['/bin/sh', '-c', 'migrate'], timeout: 30_000 },
      post_start: { command: ['note', '1.10'], timeout: 30_000 },
      pre_stop: { command: ['drain', '${instance}'], timeout: 5000 },
      post_stop: null,
    });
  });

  test.each([
    [
      'hooks: { pre_start: { timeout: 1s } }',
      '3:21  hooks.pre_start.command is missing: what should run?; for example command: [./hook.sh]',
    ],
    ['hooks: { pre_start: [] }', expect.stringContaining('hooks.pre_start: is empty')],
    [
      'hooks: { pre_start: [x, "${nmae}"] }',
      '3:25  hooks.pre_start[1]: no variable ${nmae}; did you mean ${name}?',
    ],
    ['hooks: { pre_start: { command: x, timeout: 0s } }', expect.stringContaining('0 leaves no time to run')],
    ['hooks: { prestart: [x] }', '3:10  unknown key hooks.prestart; did you mean pre_start?'],
  ])('%s is refused', (line, expected) => {
    expect(only(line)).toEqual(expected);
  });
});

describe('watch', () => {
  test('is a path, a list of them or a map; relative to the working directory', () => {
    expect(specOf(web('watch: src')).watch).toEqual({
      paths: ['/etc/pm/config.d/src'],
      ignore: [],
      debounce: 200,
    });
    const text = web(
      '  working_directory: /srv/app',
      'watch: { paths: [., /lib/x], ignore: "*.log", debounce: 1s }',
    );
    expect(specOf(text).watch).toEqual({ paths: ['/srv/app', '/lib/x'], ignore: ['*.log'], debounce: 1000 });
  });

  test.each([
    [
      ['watch: { ignore: [x] }'],
      '3:8  watch.paths is missing: what should be watched?; for example paths: [src]',
    ],
    [['watch: []'], expect.stringContaining('watch: is empty')],
    [
      ['  working_directory: "/srv/${instance}"', 'watch: [/x, src]'],
      '4:13  watch[1]: must be absolute, because process.working_directory is known only when a process starts',
    ],
  ])('%j is refused', (lines, expected) => {
    expect(only(...lines)).toEqual(expected);
  });
});

test('crash_on_start is restart or wait_for_change', () => {
  const { restart_policy } = specOf(web('restart_policy: { crash_on_start: wait_for_change }'));
  expect(restart_policy.crash_on_start).toBe('wait_for_change');
  expect(only('restart_policy: { crash_on_start: wait }')).toContain(
    'is not one of restart, wait_for_change',
  );
});

test('a mistake in a shorter form hides no mistake in the files that the definition names', () => {
  const reading = read(web('  env_files: [none.env]', 'probes: { liveness: { tcp: 0 } }'));
  expect(reading.kind === 'bad' && reading.besides).toBeTruthy();
});
