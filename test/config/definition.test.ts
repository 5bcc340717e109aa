import { describe, expect, test } from 'vitest';
import { TwinFiles } from '../twins/files.ts';
import { defined, problemsOf, read, specOf, web } from './ground.ts';

test('one line is enough, everything else has a default', () => {
  expect(specOf('process:\n  command: [sleep, "60"]\n')).toEqual({
    name: 'web',
    description: '',
    labels: {},
    enabled: true,
    process: {
      command: ['sleep', '60'],
      args: [],
      working_directory: '/etc/pm/config.d',
      env: {},
      env_files: [],
      required_env: [],
      inherit_env: false,
      user: null,
      group: null,
      supplementary_groups: null,
      umask: null,
      nice: null,
      rlimits: {},
      oom_score_adjust: null,
      no_new_privileges: false,
      stop_signal: 'SIGTERM',
      stop_command: null,
      stop_grace: 30_000,
      reload_signal: null,
      reload_command: null,
      exit_on: 'auto',
      type: 'service',
      schedule: null,
    },
    instances: 1,
    rollout: { surge: 1, overlap: 0, timeout: 60_000, min_ready: 0, on_failure: 'keep_old' },
    port: null,
    pid_file: null,
    restart_policy: {
      policy: 'always',
      restart_backoff: 1000,
      max_backoff: 1000,
      jitter: 0,
      stable_after: 5000,
      tolerance: { max_restarts: 3, duration: 60_000, retry_after: null },
      success_exit_codes: [0],
      crash_on_start: 'restart',
    },
    probes: { startup: null, readiness: null, liveness: null },
    depends_on: {},
    hooks: { pre_start: null, post_start: null, pre_stop: null, post_stop: null },
    watch: null,
    resources: {
      max_cpu: null,
      max_memory: null,
      memory_high: null,
      max_swap: null,
      max_pids: null,
      cpu_weight: null,
      io_weight: null,
    },
    logs: {
      stdout: '/var/lib/pm/logs/web/stdout.log',
      stderr: '/var/lib/pm/logs/web/stderr.log',
      hints: [],
      stop_command_stdout: null,
      stop_command_stderr: null,
      rotation_mode: 'time',
      rotation_frequency: 'daily',
      rotation_max_age: 2_592_000_000,
      rotation_size: 10_485_760,
      rotation_backups: 10,
      compress: false,
      forward: false,
      markers: false,
    },
  });
});

describe('values', () => {
  test('a command given as text goes to a shell, args are appended', () => {
    const { process } = specOf(
      'process:\n  command: echo $HOME $1 | cat\n  args: [x]\n  stop_command: kill me\n',
    );
    expect(process.command).toEqual(['/bin/sh', '-c', 'echo $HOME $1 | cat']);
    expect(process.args).toEqual(['x']);
    expect(process.stop_command).toEqual(['/bin/sh', '-c', 'kill me']);
  });

  test.each(['node', './bin/my-server_2', '/usr/bin/python3.11', '${vars.program}'])(
    'one word beside args names the program: %s',
    (command) => {
      const around = { vars: { program: 'node' } };
      const program = command === '${vars.program}' ? 'node' : command;
      const written = (further: string) =>
        specOf(`process:\n  command: ${command}\n${further}`, around).process.command;
      expect(written('  args: [server.mjs]\n')).toEqual([program]);
      expect(written('')).toEqual(['/bin/sh', '-c', program]);
    },
  );

  const warnings = (command: string, around = {}) => {
    const reading = read(`process:\n  command: ${command}\n  args: [x]\n`, around);
    return reading.kind === 'good' ? reading.definition.warnings : reading.problems;
  };

  test.each([
    'node server.js',
    'A=1',
    'a;b',
    '"~/bin/x"',
    '"$program"',
    'a*',
    'echo ${vars.other}',
    '"for x in 1 2; do :; done"',
  ])('args that the shell gets and does not look at are warned of: %s', (command) => {
    expect(warnings(command, { vars: { other: 'y' } })).toMatchObject([
      {
        ...{ code: 'value-invalid', severity: 'warning', path: 'process.args', line: 3 },
        hint: 'write process.command as a list',
      },
    ]);
  });

  const nameless = ['for x; do echo $x; done', 'for x do :; done', 'for x\ndo :; done', 'getopts ab option'];
  const named = [
    'exec node "$@"',
    'echo $1',
    'echo $${1:-x}',
    'echo $#',
    'echo "$*"',
    'echo $${#1}',
    'echo $0',
  ];
  test.each([...named, ...nameless])('args that the shell looks at are not: %s', (command) => {
    const text = JSON.stringify(command);
    expect(warnings(text)).toEqual([]);
    expect(warnings(`[/bin/sh, -c, ${text}]`)).toEqual([]);
    expect(warnings(`[/bin/sh, -c, ${text}, name]`)).toEqual([]);
  });

  test('numbers and booleans that are meant as text keep their characters', () => {
    const text = web('  args: [-n, 1.10, 0660, true]', '  env:', '    VERSION: 1.10', '    DEBUG: true');
    const { process } = specOf(text);
    expect(process.args).toEqual(['-n', '1.10', '0660', 'true']);
    expect(process.env).toEqual({ VERSION: '1.10', DEBUG: 'true' });
  });

  test('each duration has a twin in milliseconds', () => {
    const text = web(
      '  stop_grace_ms: 250',
      'restart_policy:',
      '  restart_backoff_ms: 1000',
      '  max_backoff_ms: 8000',
    );
    expect(specOf(text).process.stop_grace).toBe(250);
    expect(specOf(text).restart_policy).toMatchObject({ restart_backoff: 1000, max_backoff: 8000 });
  });

  test('both twins at once are an error, also when their values agree', () => {
    expect(problemsOf(web('  stop_grace: 1s', '  stop_grace_ms: 1000'))).toEqual([
      'config.d/web.yaml:4:3  process.stop_grace_ms: the same as stop_grace, which is given too; keep one of them',
    ]);
  });

  test('max_backoff is restart_backoff unless it is set', () => {
    expect(specOf(web('restart_policy:', '  restart_backoff: 7s')).restart_policy.max_backoff).toBe(7000);
  });

  test('signals by name, short name or number; limits by value, pair or word', () => {
    const text = web(
      '  stop_signal: int',
      '  umask: 027',
      '  rlimits: { nofile: 1024, core: unlimited, memlock: { soft: 64K, hard: 1M } }',
      'resources: { max_cpu: 1.5, max_memory: 200M, max_swap: 0, max_pids: 50 }',
    );
    const spec = specOf(text);
    expect(spec.process.stop_signal).toBe('SIGINT');
    expect(spec.process.umask).toBe(0o027);
    expect(spec.process.rlimits).toEqual({
      nofile: { soft: 1024, hard: 1024 },
      core: { soft: null, hard: null },
      memlock: { soft: 65_536, hard: 1_048_576 },
    });
    expect(spec.resources).toMatchObject({
      max_cpu: 1500,
      max_memory: 209_715_200,
      max_swap: 0,
      max_pids: 50,
    });
  });
});

describe('paths', () => {
  test('logs are in the working directory when one is set, unless they are absolute', () => {
    const text = web(
      '  working_directory: ../run',
      'logs:',
      '  stderr: /var/log/web.log',
      '  hints: [a.log]',
    );
    const spec = specOf(text);
    expect(spec.process.working_directory).toBe('/etc/pm/run');
    expect(spec.logs).toMatchObject({
      stdout: '/etc/pm/run/stdout.log',
      stderr: '/var/log/web.log',
      hints: ['/etc/pm/run/a.log'],
    });
  });

  test('a log path that is written down is relative to the working directory even if that is the default', () => {
    expect(specOf(web('logs:', '  stdout: logs/out.log')).logs.stdout).toBe('/etc/pm/config.d/logs/out.log');
  });

  test('other paths are relative to the file', () => {
    const files = new TwinFiles({ '/etc/pm/config.d/.env': 'A=1\n' });
    const spec = specOf(web('  working_directory: /srv', '  env_files: [.env]', 'pid_file: run/web.pid'), {
      files,
    });
    expect(spec.process.env_files[0]?.path).toBe('/etc/pm/config.d/.env');
    expect(spec.pid_file).toBe('/etc/pm/config.d/run/web.pid');
  });

  test('a working directory for each instance wants absolute logs', () => {
    const each = '  working_directory: /srv/$' + '{instance}';
    expect(specOf(web(each)).logs.stdout).toBe('/var/lib/pm/logs/web/stdout.log');
    expect(problemsOf(web(each, 'logs:', '  stdout: out.log'))).toEqual([
      expect.stringContaining('logs.stdout: must be absolute'),
    ]);
  });
});

describe('a log is a file of its own', () => {
  const says = 'is no file of its own; a log is a regular file';
  test.each([
    ['stdout: /dev/stdout', `logs.stdout: /dev/stdout ${says}`],
    ['stderr: /dev/fd/2', `logs.stderr: /dev/fd/2 ${says}`],
    ['stdout: /proc/self/fd/1', `logs.stdout: /proc/self/fd/1 ${says}`],
    ['stdout: ../../../dev/./tty', `logs.stdout: /dev/tty ${says}`],
    ['stop_command_stderr: /dev/stderr', `logs.stop_command_stderr: /dev/stderr ${says}`],
    ['hints: [a.log, /dev/stdin]', `logs.hints[1]: /dev/stdin ${says}`],
  ])('%s is refused', (line, expected) => {
    expect(problemsOf(web('logs:', `  ${line}`))).toEqual([expect.stringContaining(`  ${expected}`)]);
  });

  test.each(['/dev/null', '/dev/shm/out.log', '/dev/stdout.log', '/srv/dev/stdout'])(
    '%s is taken',
    (path) => {
      expect(specOf(web('logs:', `  stdout: ${path}`)).logs.stdout).toBe(path);
    },
  );
});

describe('a command without a program', () => {
  const empty = 'is empty: the first word names the program';
  test.each([
    ['process: { command: [""] }', `process.command[0]: ${empty}`],
    ['process: { command: ["", x] }', `process.command[0]: ${empty}`],
    ['process: { command: ["${vars.none}"] }', `process.command[0]: ${empty}`],
    ['process: { command: "${vars.none}" }', 'process.command: is empty'],
    ['process: { command: [a], stop_command: [""] }', `process.stop_command[0]: ${empty}`],
    ['process: { command: [a], reload_command: [""] }', `process.reload_command[0]: ${empty}`],
    ['process: { command: [a] }\nhooks: { pre_start: [""] }', `hooks.pre_start[0]: ${empty}`],
    [
      'process: { command: [a] }\nhooks: { post_stop: { command: [""] } }',
      `hooks.post_stop.command[0]: ${empty}`,
    ],
    ['process: { command: [a] }\nprobes: { liveness: { exec: [""] } }', `probes.liveness.exec[0]: ${empty}`],
  ])('%s is refused', (text, expected) => {
    const found = problemsOf(`${text}\n`, { vars: { none: '' } });
    expect(found).toEqual([expect.stringMatching(/^config\.d\/web\.yaml:\d+:\d+ {2}/)]);
    expect(found[0]).toContain(`  ${expected}`);
  });

  test('an empty word behind it is one like any other', () => {
    expect(specOf('process: { command: [printf, ""] }\n').process.command).toEqual(['printf', '']);
  });
});

describe('names', () => {
  test('the name is the file name without its ending, or what name: says', () => {
    expect(read(web(), { path: '/c/api.v2.YAML' })).toMatchObject({ definition: { name: 'api.v2' } });
    expect(specOf(web('name: other')).name).toBe('other');
  });

  test.each(['x/../../system.slice', '..', 'a b', 'all', 'x'.repeat(65), '-x', '', 'é'])(
    '%s is refused',
    (name) => {
      const problems = problemsOf(web(`name: ${JSON.stringify(name)}`));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^config\.d\/web\.yaml:3:7 {2}name: /);
    },
  );

  test('a file name that gives no service name is refused as well', () => {
    const problems = problemsOf(web(), { path: '/etc/pm/config.d/a b.yaml' });
    expect(problems).toEqual([
      expect.stringMatching(/^config\.d\/a b\.yaml:1:1 .*set name: or rename the file$/),
    ]);
    expect(problemsOf(web(), { path: '/etc/pm/config.d/all.yaml' })[0]).toContain('"all" is reserved');
  });
});

describe('service_defaults', () => {
  test('maps are merged key by key, lists and values are replaced', () => {
    const defaults = {
      process: { env: { A: '1', B: '2' }, args: ['x', 'y'], stop_grace: '5s' },
      instances: 3,
    };
    const spec = specOf(web('  env: { B: "3" }', '  args: [z]', '  stop_grace_ms: 100'), { defaults });
    expect(spec.process).toMatchObject({ env: { A: '1', B: '3' }, args: ['z'], stop_grace: 100 });
    expect(spec.instances).toBe(3);
  });

  test('they may bring the command', () => {
    expect(
      specOf('description: x\n', { defaults: { process: { command: ['true'] } } }).process.command,
    ).toEqual(['true']);
  });
});

describe('fields that must fit each other', () => {
  test('a soft limit above the hard one', () => {
    expect(problemsOf(web('  rlimits: { nofile: { soft: 10, hard: 5 } }'))[0]).toContain(
      'above the hard limit 5',
    );
    expect(problemsOf(web('  rlimits: { nofile: { soft: unlimited, hard: 5 } }'))[0]).toContain(
      'above the hard limit',
    );
  });

  test('what only root may do', () => {
    expect(specOf(web('  nice: -5')).process.nice).toBe(-5);
    expect(problemsOf(web('  nice: -5', '  oom_score_adjust: -1'), { as: 'www-data' })).toEqual([
      'config.d/web.yaml:3:9  process.nice: -5 needs a daemon that runs as root',
      'config.d/web.yaml:4:21  process.oom_score_adjust: -1 needs a daemon that runs as root',
    ]);
  });

  test('a max_backoff that does nothing is a warning', () => {
    const reading = read(web('restart_policy: { restart_backoff: 2s, max_backoff: 1s }'));
    expect(reading).toMatchObject({ definition: { warnings: [{ severity: 'warning', line: 3 }] } });
  });
});

test('positions lead to the lines of the file', () => {
  const { positions } = defined(web('  args:', '    - a', '    - b', '  env: { FOO: x }'));
  expect(positions.get('process.args[1]')).toEqual({ line: 5, column: 7 });
  expect(positions.get('process.env.FOO')).toEqual({ line: 6, column: 10 });
  expect(positions.get('instances')).toBeUndefined();
});

test('a definition is plain JSON, whatever its keys are called', () => {
  const { spec } = defined(
    web('labels:', '  constructor: a', '  team: b', '  env: {}').replace('  env: {}\n', ''),
  );
  expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  const odd = defined(web('  env: { __proto__: x, constructor: y }')).spec.process.env;
  expect(Object.entries(odd)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

test.each(['success_exit_codes: [256]', 'success_exit_codes: [1, 256, 2]', 'success_exit_codes: ["1"]'])(
  'a list in which something is wrong hides nothing behind it: %s',
  (list) => {
    const told = problemsOf(web('restart_policy:', `  ${list}`, 'rollout: { timeout: 0s }'));
    expect(told).toEqual([
      expect.stringContaining('restart_policy.success_exit_codes['),
      expect.stringContaining('rollout.timeout: 0 leaves'),
    ]);
  },
);

test('nor does one of names', () => {
  const told = problemsOf(web('  required_env: [1A]', 'rollout: { timeout: 0s }'));
  expect(told).toEqual([
    expect.stringContaining('process.required_env[0]'),
    expect.stringContaining('rollout.timeout: 0 leaves'),
  ]);
});

test.each(['{}', '{a: b}', '[]', '[[80]]', '[{}]', '{toString: x}', 'true', ''])(
  'port: %s is refused',
  (port) => {
    const told = problemsOf(web('  env: { A: "${port}" }', `port: ${port}`));
    expect(told).toContainEqual(expect.stringMatching(/^config\.d\/web\.yaml:4:\d+ {2}port: /));
  },
);
