import { describe, expect, test } from 'vitest';
import { type RunRequest, runOptions } from '../../src/bin/run-options.ts';

type Env = Readonly<Record<string, string>>;

function read(argv: readonly string[], env: Env = {}) {
  return runOptions(argv, { env, processors: 6, cwd: '/srv/app' });
}

function request(argv: readonly string[], env: Env = {}): RunRequest {
  const options = read(argv, env);
  if ('exit' in options) throw new Error(options.err);
  return options.request;
}

function refusal(argv: readonly string[], env: Env = {}): string {
  const options = read(argv, env);
  if (!('exit' in options)) throw new Error(`taken: ${JSON.stringify(options)}`);
  expect({ exit: options.exit, out: options.out }).toEqual({ exit: 64, out: '' });
  return options.err;
}

test('a command alone is one worker with the documented defaults', () => {
  expect(request(['node', 'server.js'])).toEqual({
    line: {
      command: ['node', 'server.js'],
      instances: 1,
      port: null,
      host: null,
      env: {},
      grace: 10_000,
      respawnDelay: 250,
      reloadOverlap: 1000,
      listenBacklog: 128,
      connectionTimeout: 30,
      respawn: true,
      jobs: null,
    },
    pidFile: null,
    settings: {},
    warnings: [],
  });
});

/** Option, its variable, a value on the line and another in the environment, and where it shows. */
const SINGLE: readonly (readonly [string, string, string, string, (of: RunRequest) => unknown, unknown[]])[] =
  [
    ['--instances', 'INSTANCES', '4', '2', ({ line }) => line.instances, [4, 2]],
    ['--port', 'PORT', '8080', '9090', ({ line }) => line.port, [8080, 9090]],
    ['--host', 'HOST', '::1', '0.0.0.0', ({ line }) => line.host, ['::1', '0.0.0.0']],
    ['--pid-file', 'PID_FILE', '/a.pid', 'b.pid', ({ pidFile }) => pidFile, ['/a.pid', '/srv/app/b.pid']],
    [
      '--graceful-shutdown-seconds',
      'GRACEFUL_SHUTDOWN_SECONDS',
      '3',
      '5',
      (of) => of.line.grace,
      [3000, 5000],
    ],
    ['--respawn-delay-ms', 'RESPAWN_DELAY_MS', '0', '7', (of) => of.line.respawnDelay, [0, 7]],
    [
      '--reload-overlap-seconds',
      'RELOAD_OVERLAP_SECONDS',
      '0',
      '2',
      (of) => of.line.reloadOverlap,
      [0, 2000],
    ],
    ['--listen-backlog', 'LISTEN_BACKLOG', '512', '64', ({ line }) => line.listenBacklog, [512, 64]],
    [
      '--connection-timeout-seconds',
      'CONNECTION_TIMEOUT_SECONDS',
      '5',
      '9',
      (of) => of.line.connectionTimeout,
      [5, 9],
    ],
    ['--job-worker-cmd', 'JOB_WORKER_CMD', 'a b', 'c', ({ line }) => line.jobs?.command, ['a b', 'c']],
    ['--cluster-name', 'CLUSTER_NAME', 'eu', 'us', ({ settings }) => settings['cluster.name'], ['eu', 'us']],
    [
      '--cluster-node-id',
      'CLUSTER_NODE_ID',
      'a',
      'b',
      ({ settings }) => settings['cluster.node_id'],
      ['a', 'b'],
    ],
    [
      '--cluster-expected-nodes',
      'CLUSTER_EXPECTED_NODES',
      '3',
      '4',
      (of) => of.settings['cluster.expected_nodes'],
      ['3', '4'],
    ],
    [
      '--cluster-enabled',
      'CLUSTER_ENABLED',
      'no',
      'yes',
      (of) => of.settings['cluster.enabled'],
      ['false', 'true'],
    ],
    [
      '--lifecycle-log',
      'LIFECYCLE_LOG',
      'x/l',
      '/l',
      (of) => of.settings['lifecycle_log'],
      ['/srv/app/x/l', '/l'],
    ],
    [
      '--containment',
      'CONTAINMENT',
      'cgroup',
      'auto',
      (of) => of.settings['containment'],
      ['cgroup', 'auto'],
    ],
  ];

describe.each(SINGLE)('%s and PROCESSMASTER_%s', (option, variable, onLine, inEnv, of, [line, env]) => {
  const given = { [`PROCESSMASTER_${variable}`]: inEnv };

  test('the line counts', () => {
    expect(of(request([option, onLine, '--', 'true']))).toBe(line);
    expect(of(request([`${option}=${onLine}`, '--', 'true']))).toBe(line);
  });

  test('the environment counts where the line says nothing, and an empty variable says nothing', () => {
    expect(of(request(['true'], given))).toBe(env);
    const empty = { [`PROCESSMASTER_${variable}`]: '' };
    expect(of(request(['true'], empty))).toEqual(of(request(['true'])));
  });

  test('the line counts more than the environment', () => {
    expect(of(request([option, onLine, '--', 'true'], given))).toBe(line);
  });
});

test('--instances auto is one for each processor', () => {
  expect(request(['--instances', 'auto', '--', 'true']).line.instances).toBe(6);
});

test('--no-respawn, by line and by environment', () => {
  expect(request(['--no-respawn', '--', 'true']).line.respawn).toBe(false);
  expect(request(['true'], { PROCESSMASTER_NO_RESPAWN: '1' }).line.respawn).toBe(false);
  expect(request(['true'], { PROCESSMASTER_NO_RESPAWN: 'off' }).line.respawn).toBe(true);
});

test('--cluster-enabled needs no value', () => {
  expect(request(['--cluster-enabled', '--', 'true']).settings).toEqual({ 'cluster.enabled': 'true' });
});

test('--env is repeated, and a value may hold everything', () => {
  const argv = ['--env', 'A=1', '--env', 'B=x=y z', '--env', 'C=', '--env', 'A=2', '--', 'true'];
  expect(request(argv).line.env).toEqual({ A: '2', B: 'x=y z', C: '' });
});

test('job workers: one where only a command is told, as many as told otherwise', () => {
  expect(request(['--job-worker-cmd', 'work', '--', 'true']).line.jobs).toEqual({
    command: 'work',
    count: 1,
    respawnDelay: 250,
  });
  const counted = [
    '--job-worker-cmd',
    'work',
    '--job-worker-count',
    '3',
    '--job-worker-respawn-delay-ms',
    '9',
  ];
  expect(request([...counted, '--', 'true']).line.jobs).toEqual({
    command: 'work',
    count: 3,
    respawnDelay: 9,
  });
});

test('the socket of pmctl is not taken from the environment, where it is that of another daemon', () => {
  expect(request(['true'], { PROCESSMASTER_SOCK_PATH: '/run/processmaster.sock' }).settings).toEqual({});
  expect(request(['--sock-path', 'pm.sock', '--', 'true']).settings).toEqual({
    sock_path: '/srv/app/pm.sock',
  });
});

test('what stands behind -- belongs to the command, whatever it is', () => {
  const words = ['node', '--port', '1', '--', '--instances', 'x'];
  expect(request(['--port', '2', '--', ...words]).line).toMatchObject({ command: words, port: 2 });
});

test('without -- an option behind the command is refused: it could be meant for either', () => {
  expect(refusal(['node', 'server.js', '--port', '80'])).toBe(
    'processmaster run: write -- before the command: --port could be meant for it or for processmaster\n',
  );
  expect(refusal(['node', '--', '-x'])).toContain('write -- before the command');
});

test.each<[string, readonly string[], string]>([
  [
    'a mistyped option',
    ['--instanzes', '4', '--', 'true'],
    'unknown option --instanzes; did you mean --instances?',
  ],
  [
    'a mistyped option with a value',
    ['--prot=80', '--', 'true'],
    'unknown option --prot; did you mean --port?',
  ],
  ['an option like no other', ['--quux', '--', 'true'], 'unknown option --quux\n'],
  ['no value', ['--instances'], "option '--instances <n|auto>' argument missing"],
  ['no command', ['--port', '80'], 'what should run? processmaster run [options] -- COMMAND…'],
  ['nothing at all', [], 'what should run?'],
  [
    'no number',
    ['--instances', 'abc', '--', 'true'],
    '--instances: must be a whole number from 1 to 999, not "abc"',
  ],
  [
    'no worker',
    ['--instances', '0', '--', 'true'],
    '--instances: must be a whole number from 1 to 999, not "0"',
  ],
  ['a fraction', ['--respawn-delay-ms', '1.5', '--', 'true'], '--respawn-delay-ms: must be a whole number'],
  [
    'a negative number',
    ['--listen-backlog=-1', '--', 'true'],
    '--listen-backlog: must be a whole number from 1',
  ],
  [
    'a port out of range',
    ['--port', '65536', '--', 'true'],
    '--port: must be a whole number from 1 to 65535',
  ],
  ['no grace', ['--graceful-shutdown-seconds', '0', '--', 'true'], '--graceful-shutdown-seconds: must be'],
  ['no variable', ['--env', 'production', '--', 'true'], '--env: must be NAME=VALUE, not "production"'],
  ['an empty value', ['--host', '', '--', 'true'], '--host: must not be empty'],
  [
    'neither yes nor no',
    ['--cluster-enabled=perhaps', '--', 'true'],
    '--cluster-enabled: must be yes or no, not "perhaps"',
  ],
  [
    'job workers without a command',
    ['--job-worker-count', '2', '--', 'true'],
    '--job-worker-count needs --job-worker-cmd',
  ],
])('%s is an error', (_title, argv, says) => {
  const err = refusal(argv);
  expect(err).toMatch(/^processmaster run: /);
  expect(err).toContain(says);
});

test('a wrong value from the environment names the variable', () => {
  expect(refusal(['true'], { PROCESSMASTER_PORT: 'http' })).toBe(
    'processmaster run: PROCESSMASTER_PORT: must be a whole number from 1 to 65535, not "http"\n',
  );
});

test('a mistyped variable is told, one that another manager gives to its workers is not', () => {
  const env = {
    PROCESSMASTER_INSTANCE: '0',
    PROCESSMASTER_INSTANSES: '4',
    PROCESSMASTER_ENABLE_REUSEPORT: '1',
  };
  expect(request(['true'], env).warnings).toEqual([
    'PROCESSMASTER_INSTANSES is no option; did you mean PROCESSMASTER_INSTANCES?',
  ]);
});

test('--help explains every option and is no error', () => {
  const options = read(['--help']);
  expect(options).toMatchObject({ exit: 0, err: '' });
  const out = 'exit' in options ? options.out : '';
  for (const [option] of SINGLE) expect(out).toContain(option);
  for (const option of ['--no-respawn', '--env', '--sock-path', '--job-worker-count'])
    expect(out).toContain(option);
});
