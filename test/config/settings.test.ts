import { describe, expect, test } from 'vitest';
import { fromEnvironment, SETTABLE, variableOf } from '../../src/config/setting-sources.ts';
import { loadSettings, type SettingsInput } from '../../src/config/settings.ts';
import { type KeyFact, SETTING_KEYS, settingKey } from '../../src/model/keys.ts';
import { sentence } from '../../src/model/problem.ts';
import type { Settings } from '../../src/model/settings.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';

function load(text: string | undefined, change: Partial<SettingsInput> = {}) {
  const files = new TwinFiles();
  if (text !== undefined) files.write('/etc/pm/config.yaml', text);
  return loadSettings({
    cwd: '/etc/pm',
    env: {},
    flags: {},
    files,
    users: twinUsers(),
    hostname: 'host-a',
    ...change,
  });
}

function settings(text?: string, change: Partial<SettingsInput> = {}): Settings {
  const result = load(text, change);
  if ('problems' in result) throw new Error(result.problems.map(sentence).join('\n'));
  return result.settings;
}

function problems(text: string | undefined, change: Partial<SettingsInput> = {}): readonly string[] {
  const result = load(text, change);
  return 'problems' in result ? result.problems.map(sentence) : [];
}

test('no file is needed: root gets the places of the system', () => {
  expect(settings()).toEqual({
    file: null,
    config_directory: '/etc/pm/config.d',
    state_directory: '/var/lib/processmaster',
    sock_path: '/run/processmaster.sock',
    sock_owner: null,
    sock_group: null,
    sock_mode: 0o660,
    api: { listen: null, tls: { cert: null, key: null }, tokens: null, allowed_hosts: [], insecure: false },
    containment: 'auto',
    cgroup_root: null,
    cgroup_name: 'processmaster',
    cgroup_cpu_max: null,
    cgroup_memory_max: null,
    cgroup_memory_swap_max: null,
    watch: { enabled: true, settle: 200 },
    pools: { start_port: 4000, end_port: 4099 },
    prune: { max_percent: 30 },
    service_defaults: {},
    vars: {},
    cluster: { enabled: false, name: 'default', node_id: 'host-a', expected_nodes: 1 },
    on_exit: 'leave',
    lifecycle_log: null,
    log: { level: 'info', file: null, format: 'auto' },
    events: { max_size: 50 * 1024 * 1024 },
    notify: [],
    logs: { max_total_size: null },
    history: { max_snapshots: 50 },
    sync: { interval: null, on_failure: 'stop' },
  });
});

describe('without root the places are those of the user', () => {
  const users = twinUsers('www-data');
  test.each([
    [
      {},
      '/home/www-data/.local/state/processmaster',
      '/home/www-data/.local/state/processmaster/processmaster.sock',
    ],
    [{ HOME: '/h' }, '/h/.local/state/processmaster', '/h/.local/state/processmaster/processmaster.sock'],
    [{ XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/r' }, '/s/processmaster', '/r/processmaster.sock'],
    [
      { HOME: '/h', XDG_STATE_HOME: 'relative', XDG_RUNTIME_DIR: '' },
      '/h/.local/state/processmaster',
      '/h/.local/state/processmaster/processmaster.sock',
    ],
  ])('%o', (env, state, socket) => {
    const found = settings(undefined, { users, env });
    expect([found.state_directory, found.sock_path]).toEqual([state, socket]);
  });

  test('a state directory that is set also holds the socket', () => {
    expect(settings('state_directory: state\n', { users }).sock_path).toBe(
      '/etc/pm/state/processmaster.sock',
    );
  });
});

describe('the command line wins over the environment, that over the file, that over the default', () => {
  const keys = SETTABLE.filter((key) => !key.endsWith('_ms'));

  /** Three values that are right for a key, none of them its default. */
  function three(fact: KeyFact): readonly [string, string, string] {
    if (fact.values !== null) {
      const others = fact.values.filter((value) => value !== fact.default);
      return [others[0]!, others[1] ?? fact.default!, others.at(-1)!];
    }
    if (fact.type === 'true or false')
      return [
        fact.default === 'true' ? 'false' : 'true',
        fact.default!,
        fact.default === 'true' ? 'false' : 'true',
      ];
    if (fact.unit === 'user' || fact.unit === 'group') return ['daemon', 'www-data', 'root'];
    if (fact.unit === 'path') return ['/a', '/b', '/c'];
    if (fact.unit === 'duration') return ['1s', '2s', '3s'];
    if (fact.unit === 'mode') return ['0600', '0640', '0620'];
    if (fact.unit === 'size') return ['1M', '2M', '3M'];
    if (fact.path === 'api.listen') return ['4010', '127.0.0.1:4020', '[::1]:4030'];
    if (fact.path.startsWith('pools.')) return ['4010', '4020', '4030'];
    if (fact.unit === 'cpu' || fact.type === 'whole number') return ['2', '3', '4'];
    return ['one', 'two', 'three'];
  }

  function settingOf(key: string, found: Settings): unknown {
    return key.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], found);
  }

  function fileWith(key: string, value: string): string {
    return key
      .split('.')
      .map(
        (name, depth, all) => `${'  '.repeat(depth)}${name}:${depth === all.length - 1 ? ` ${value}` : ''}`,
      )
      .join('\n');
  }

  test.each(keys)('%s', (key) => {
    const fact = settingKey(key)!;
    const [inFile, inEnv, inFlag] = three(fact);
    // Nothing is listened at without it.
    const needed = key === 'api.listen' ? { PROCESSMASTER_API_TOKENS: '/t' } : {};
    const env = { ...needed, [variableOf(key)]: inEnv };
    const alone = [
      settingOf(key, settings()),
      settingOf(key, settings(fileWith(key, inFile), { env: needed })),
      settingOf(key, settings(undefined, { env })),
      settingOf(key, settings(undefined, { env: needed, flags: { [key]: inFlag } })),
    ];
    expect(alone[1]).not.toEqual(alone[0]);
    expect(settingOf(key, settings(fileWith(key, inFile), { env }))).toEqual(alone[2]);
    expect(settingOf(key, settings(fileWith(key, inFile), { env, flags: { [key]: inFlag } }))).toEqual(
      alone[3],
    );
    expect(settingOf(key, settings(undefined, { env: { [variableOf(key)]: '' } }))).toEqual(alone[0]);
  });

  test('every key of the schema but the maps is among them', () => {
    const expected = SETTING_KEYS.filter(
      (fact) => !fact.group && !/^(vars|service_defaults|api\.allowed_hosts|notify)/.test(fact.path),
    );
    expect(keys).toEqual(expected.map((fact) => fact.path));
    expect(fromEnvironment({ PROCESSMASTER_VARS: 'x', PROCESSMASTER_SERVICE_DEFAULTS: 'y' }).size).toBe(0);
  });

  test('a mistake is told where it was made, also beside a value from elsewhere', () => {
    const text = 'api:\n  listen: "0.0.0.0:4480"\n';
    const [said] = problems(text, { env: { PROCESSMASTER_API_TOKENS: '/t' } });
    expect(said).toMatch(/^config\.yaml:2:11 {2}api\.listen: /);
    const [other] = problems(undefined, {
      env: { PROCESSMASTER_API_LISTEN: '0.0.0.0:4480', PROCESSMASTER_API_TOKENS: '/t' },
    });
    expect(other).toMatch(/^PROCESSMASTER_API_LISTEN: /);
  });

  test('a duration may be given in milliseconds everywhere', () => {
    expect(settings('watch: { settle_ms: 5 }\n').watch.settle).toBe(5);
    expect(
      settings('watch: { settle: 9s }\n', { env: { PROCESSMASTER_WATCH_SETTLE_MS: '7' } }).watch.settle,
    ).toBe(7);
    expect(
      problems(undefined, { env: { PROCESSMASTER_WATCH_SETTLE_MS: '7', PROCESSMASTER_WATCH_SETTLE: '1s' } }),
    ).toEqual(['PROCESSMASTER_WATCH_SETTLE_MS: the same as settle, which is given too; keep one of them']);
  });

  test('maps come from the file alone', () => {
    expect(problems(undefined, { flags: { vars: 'x' } })).toEqual([
      '--vars: only the master file can set this',
    ]);
  });
});

describe('where the file is', () => {
  test('the one that is named, else config.yaml in the working directory', () => {
    const files = new TwinFiles({
      '/etc/pm/config.yaml': 'on_exit: stop\n',
      '/other/m.yaml': 'config_directory: svc\n',
    });
    expect(settings(undefined, { files })).toMatchObject({ file: '/etc/pm/config.yaml', on_exit: 'stop' });
    expect(settings(undefined, { files, file: '../../other/m.yaml' })).toMatchObject({
      file: '/other/m.yaml',
      on_exit: 'leave',
      config_directory: '/other/svc',
    });
  });

  test('one that is named must be there', () => {
    expect(problems(undefined, { file: 'no.yaml' })).toEqual([
      'no.yaml  the master file does not exist (ENOENT)',
    ]);
  });

  test('one that is there must be readable', () => {
    const files = new TwinFiles({ '/etc/pm/config.yaml': '' });
    files.fail('read', '/etc/pm/config.yaml', 'EACCES');
    expect(problems(undefined, { files })).toEqual(['config.yaml  the master file may not be read (EACCES)']);
  });

  test('an empty one says nothing', () => {
    expect(settings('# nothing\n').file).toBe('/etc/pm/config.yaml');
  });
});

test('paths in the file start at the file, those of the command line and environment at the working directory', () => {
  const files = new TwinFiles({
    '/srv/m.yaml': 'config_directory: c\nstate_directory: s\nlifecycle_log: l\n',
  });
  const found = settings(undefined, {
    files,
    file: '/srv/m.yaml',
    env: { PROCESSMASTER_STATE_DIRECTORY: 's' },
    flags: { lifecycle_log: 'l' },
  });
  expect([found.config_directory, found.state_directory, found.lifecycle_log]).toEqual([
    '/srv/c',
    '/etc/pm/s',
    '/etc/pm/l',
  ]);
});

describe('socket mode', () => {
  test.each(['660', '0660', '"0660"', '0o660', "'0o660'"])('%s means rw-rw----', (spelling) => {
    expect(settings(`sock_mode: ${spelling}\n`).sock_mode).toBe(0o660);
    expect(
      settings(undefined, { env: { PROCESSMASTER_SOCK_MODE: spelling.replaceAll(/["']/g, '') } }).sock_mode,
    ).toBe(0o660);
  });

  test.each(['432', '999', '77777', '0666', '0o1660', 'rw-rw----', 'true', '1e3', '-660'])(
    '%s is refused',
    (spelling) => {
      expect(problems(`sock_mode: ${spelling}\n`)).toEqual([
        expect.stringMatching(/^config\.yaml:1:12 {2}sock_mode: /),
      ]);
    },
  );
});

describe('what is refused', () => {
  test.each([
    ['sock_pth: x', 'config.yaml:1:1  unknown key sock_pth; did you mean sock_path?'],
    ['settle: 1s', 'config.yaml:1:1  unknown key settle; it belongs under watch:'],
    ['cgroup_name: /pm', expect.stringContaining('cgroup_name: "/pm" must be 1 to 64 of')],
    ['cgroup_name: ../x', expect.stringContaining('cgroup_name')],
    ['cgroup_name: ..', expect.stringContaining('cgroup_name')],
    ['cgroup_root: relative', expect.stringContaining('cgroup_root: "relative" must be an absolute path')],
    ['cgroup_cpu_max: 0', expect.stringContaining('cgroup_cpu_max: 0 is too little CPU')],
    ['prune: { max_percent: 101 }', expect.stringContaining('prune.max_percent: 101 is more than 100')],
    ['watch: { settle: 200 }', expect.stringContaining('write 200s or 200ms')],
    ['on_exit: stp', expect.stringContaining('did you mean stop?')],
    ['on_exit:', 'config.yaml:1:9  on_exit: has no value; remove the key or give it a value'],
    ['vars: { a: [x] }', expect.stringContaining('vars.a: a list is not')],
    ['vars: { "a b": x }', expect.stringContaining('vars: "a b" is no name')],
    [
      'sock_owner: nosuch',
      expect.stringContaining('config.yaml:1:13  sock_owner: this host knows no user "nosuch"'),
    ],
    ['sock_owner: toor', expect.stringContaining('root under another name')],
    ['sock_group: nosuch', expect.stringContaining('sock_group: this host knows no group "nosuch"')],
    [`sock_path: /${'x'.repeat(107)}`, expect.stringContaining('has 108 bytes, a socket takes 107')],
    ['gateway: {}', expect.stringContaining('unknown key gateway')],
    [
      'pools: { start_port: 5000, end_port: 4999 }',
      'config.yaml:1:38  pools.end_port: 4999 is below pools.start_port, 5000, so that there is no port to hand out',
    ],
    ['pools: { end_port: 65536 }', expect.stringContaining('pools.end_port: 65536 is more than 65535')],
    [
      'api: { listen: 4480 }',
      'config.yaml:1:16  api.listen: without api.tokens anybody could command the services; name a file as api.tokens; pmctl token new makes it',
    ],
    [
      'api: { listen: "0.0.0.0:4480", tokens: t }',
      expect.stringMatching(
        /api\.listen: other hosts reach 0\.0\.0\.0, and without TLS .* api\.insecure: true/,
      ),
    ],
    ['api: { listen: "*:4480", tokens: t }', expect.stringContaining('other hosts reach ::')],
    ['api: { listen: "[::]:4480", tokens: t }', expect.stringContaining('other hosts reach ::')],
    ['api: { listen: "127.example.org:1", tokens: t }', expect.stringContaining('other hosts reach 127.ex')],
    ['api: { listen: "host", tokens: t }', expect.stringContaining('"host" is neither host:port')],
    ['api: { listen: "::1:80", tokens: t }', expect.stringContaining('"::1:80" is neither host:port')],
    ['api: { listen: 65536, tokens: t }', expect.stringContaining('"65536" is neither host:port')],
    [
      'api: { listen: 1, tokens: t, tls: { key: k } }',
      expect.stringContaining('api.tls.key: it is of no use without api.tls.cert'),
    ],
    [
      'api: { listen: 1, tokens: t, allowed_hosts: [a, "http://b"] }',
      expect.stringContaining('api.allowed_hosts[1]: "http://b" is neither a name nor name:port'),
    ],
    ['- a', expect.stringContaining('is not a map of keys')],
    [
      'service_defaults: { name: x }',
      expect.stringContaining('service_defaults.name: services cannot share a name'),
    ],
    [
      'service_defaults: { prot: 1 }',
      'config.yaml:1:21  unknown key service_defaults.prot; did you mean port?',
    ],
    [
      'service_defaults: { process: { stop_grace: 5 } }',
      expect.stringContaining('service_defaults.process.stop_grace: 5 has no unit'),
    ],
    [
      'service_defaults: { instances: x }',
      expect.stringContaining('config.yaml:1:32  service_defaults.instances: "x" must be'),
    ],
  ])('%s', (text, expected) => {
    expect(problems(`${text}\n`)).toEqual([expected]);
  });

  test('a variable or flag is named as it was given', () => {
    const env = { PROCESSMASTER_PRUNE_MAX_PERCENT: 'many', PROCESSMASTER_WATCH_ENABLED: 'maybe' };
    expect(problems(undefined, { env, flags: { 'log.level': 'loud' } })).toEqual([
      expect.stringMatching(/^PROCESSMASTER_WATCH_ENABLED: "maybe" is not true or false/),
      expect.stringMatching(/^PROCESSMASTER_PRUNE_MAX_PERCENT: "many" is not/),
      expect.stringMatching(/^--log-level: "loud" is not one of/),
    ]);
  });

  test.each([
    ['4480', [], { host: '127.0.0.1', port: 4480 }],
    ['"0"', [], { host: '127.0.0.1', port: 0 }],
    ['localhost:80', [], { host: 'localhost', port: 80 }],
    ['"[::1]:4480"', [], { host: '::1', port: 4480 }],
    ['"*:4480"', ['insecure: true'], { host: '::', port: 4480 }],
    ['0.0.0.0:4480', ['tls: { cert: c, key: k }'], { host: '0.0.0.0', port: 4480 }],
    ['PM.example.org:4480', ['tls: { cert: c, key: k }'], { host: 'pm.example.org', port: 4480 }],
  ])('the API may listen at %s with %j', (listen, more, place) => {
    const text = `api: { ${[`listen: ${listen}`, 'tokens: t', ...more].join(', ')} }
`;
    expect(settings(text).api).toMatchObject({ listen: place, tokens: '/etc/pm/t' });
  });

  test('another owner of the socket without root', () => {
    const users = twinUsers('www-data');
    expect(problems('sock_owner: daemon\n', { users })).toEqual([expect.stringContaining('only root may')]);
    expect(settings('sock_owner: www-data\n', { users }).sock_owner).toBe('www-data');
  });

  test('everything at once', () => {
    expect(problems('sock_mode: 999\non_exit: x\nfoo: 1\n')).toHaveLength(3);
  });

  test('what the values mean is judged beside others that are wrong, all in the order of the file', () => {
    const text = [
      `sock_path: /${'x'.repeat(107)}`,
      'sock_owner: nosuch',
      'notify: [{}, { timeout: soon, command: [a] }, { url: ftp://x }, { url: "http://h", command: [a] }]',
      'cgroup_name: /pm',
      'pools: { start_port: 5000, end_port: 4999 }',
      'api: { allowed_hosts: ["http://b"], listen: 4480 }',
      'on_exit: x',
    ];
    const found = problems(`${text.join('\n')}\n`, { flags: { 'log.level': 'loud' } });
    expect(found.map((told) => told.replace(/^config\.yaml:(\d+):\d+ {2}([^:]+):.*/, '$1 $2'))).toEqual([
      '1 sock_path',
      '2 sock_owner',
      '3 notify[0]',
      '3 notify[1].timeout',
      '3 notify[2].url',
      '3 notify[3].command',
      '4 cgroup_name',
      '5 pools.end_port',
      '6 api.allowed_hosts[0]',
      '6 api.listen',
      '7 on_exit',
      expect.stringContaining('--log-level: "loud"'),
    ]);
  });

  test.each([
    ['pools: { start_port: x, end_port: 100 }', 'pools.start_port'],
    ['api: { listen: 4480, tokens: [t] }', 'api.tokens'],
    ['notify: [5, { url: "http://h" }]', 'notify[0]'],
    ['notify: [{ url: 5 }]', 'notify[0].url'],
  ])('a wrong value makes no other one wrong: %s', (text, path) => {
    expect(problems(`${text}\n`)).toEqual([expect.stringContaining(`  ${path}: `)]);
  });

  test.each(['- a\n', 'api: {\n', 'a: 1\na: 2\n'])(
    'beside a file that says nothing, %j, no variable is judged',
    (text) => {
      const env = { PROCESSMASTER_API_LISTEN: '4480' };
      const found = problems(text, { env });
      expect(found.join()).not.toContain('PROCESSMASTER_API_LISTEN');
      expect(found.length).toBeGreaterThan(0);
    },
  );

  test('of many in the file the first are told, and of others all', () => {
    const text = Array.from({ length: 30 }, (_, index) => `k${index}: 1\n`).join('');
    const found = problems(`sock_mode: 999\n${text}pools: { start_port: 2, end_port: 1 }\n`, {
      flags: { 'log.level': 'loud' },
    });
    expect(found).toHaveLength(22);
    expect(found[0]).toContain('config.yaml:1:12  sock_mode');
    expect(found[20]).toContain('and 12 more problems in this file');
    expect(found[21]).toContain('--log-level');
  });
});

test('a variable that is nearly a setting is a warning; those of a service are not meant', () => {
  const env = { PROCESSMASTER_SOCKPATH: '/x', PROCESSMASTER_SERVICE: 'web', PROCESSMASTER_INSTANCE: '0' };
  expect(load(undefined, { env })).toMatchObject({
    warnings: [
      { message: 'PROCESSMASTER_SOCKPATH is no setting', hint: 'did you mean PROCESSMASTER_SOCK_PATH?' },
    ],
  });
});

test('paths in service_defaults start at the master file; their spelling is settled', () => {
  const text =
    'service_defaults:\n  process:\n    env_files: [common.env]\n    env: { V: 1.10 }\n    stop_grace_ms: 5\n';
  expect(settings(text).service_defaults).toEqual({
    process: { env_files: ['/etc/pm/common.env'], env: { V: '1.10' }, stop_grace: '5ms' },
  });
});

test('values of vars are the characters that were written', () => {
  expect(settings('vars: { version: 1.10, port: 0080, on: true, name: x }\n').vars).toEqual({
    version: '1.10',
    port: '0080',
    on: 'true',
    name: 'x',
  });
});
