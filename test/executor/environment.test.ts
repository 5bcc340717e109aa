// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are templates as they stand in a service file
import { describe, expect, it, test } from 'vitest';
import { type EnvironmentInput, environmentOf, missingVariables } from '../../src/executor/environment.ts';
import type { ProcessSpec } from '../../src/model/spec.ts';
import { credentials, type Part, schedule, spec } from '../builders.ts';

const DAEMON = {
  PATH: '/opt/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/root',
  USER: 'root',
  TERM: 'xterm',
  AWS_SECRET_ACCESS_KEY: 'hush',
  LD_PRELOAD: '/tmp/evil.so',
  PROCESSMASTER_RUN_ID: 'of the daemon itself',
  UNSET: undefined,
};

const PROMISED = {
  PATH: '/opt/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/srv',
  USER: 'www',
  LOGNAME: 'www',
  SHELL: '/bin/sh',
  PROCESSMASTER_SERVICE: 'web',
  PROCESSMASTER_INSTANCE: '1',
  PROCESSMASTER_GENERATION: '7',
  PROCESSMASTER_RUN_ID: 'run-id',
  PROCESSMASTER_CLUSTER_ENABLED: '0',
  PROCESSMASTER_CLUSTER_NAME: 'default',
  PROCESSMASTER_CLUSTER_NODE_ID: 'host-1',
  PROCESSMASTER_CLUSTER_EXPECTED_NODES: '1',
};

function environment(process: Part<ProcessSpec> = {}, more: Partial<EnvironmentInput> = {}) {
  return environmentOf({
    spec: spec({ process }),
    secrets: new Map(),
    credentials: credentials(),
    self: credentials({ user: 'root', home: '/root', shell: '/bin/bash' }),
    inherited: DAEMON,
    cluster: { enabled: false, name: 'default', node_id: 'host-1', expected_nodes: 1 },
    run: { instance: 1, generation: 7, id: 'run-id', port: null },
    ...more,
  });
}

describe('what every process gets', () => {
  it('is exactly what is promised, and nothing else of the daemon', () => {
    expect(environment()).toEqual(PROMISED);
  });

  it('has a search path even when the daemon has none, and no language that nobody chose', () => {
    const { PATH, LANG } = environment({}, { inherited: {} });
    expect(PATH).toBe('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    expect(LANG).toBeUndefined();
  });

  it('without a user of its own, a service has the identity of the daemon', () => {
    expect(environment({}, { credentials: null })).toMatchObject({
      HOME: '/root',
      USER: 'root',
      LOGNAME: 'root',
      SHELL: '/bin/bash',
    });
  });

  it('tells the cluster as it is configured', () => {
    const cluster = { enabled: true, name: 'blue', node_id: 'n3', expected_nodes: 5 };
    expect(environment({}, { cluster })).toMatchObject({
      PROCESSMASTER_CLUSTER_ENABLED: '1',
      PROCESSMASTER_CLUSTER_NAME: 'blue',
      PROCESSMASTER_CLUSTER_NODE_ID: 'n3',
      PROCESSMASTER_CLUSTER_EXPECTED_NODES: '5',
    });
  });

  it('the port, when there is one, whatever else sets PORT', () => {
    const own = spec({ port: 8080, process: { env: { PORT: '1' } } });
    expect(environment({}, { spec: own })['PORT']).toBe('8080');
    expect(environment()).not.toHaveProperty('PORT');
  });

  it('the port that this run was given, in the values that name it too', () => {
    const own = spec({ port: 'auto', process: { env: { URL: 'http://127.0.0.1:${port}/' } } });
    const run = { instance: 1, generation: 7, id: 'run-id', port: 4007 };
    const given = environment({}, { spec: own, run });
    expect([given['PORT'], given['URL']]).toEqual(['4007', 'http://127.0.0.1:4007/']);
    expect(given).not.toHaveProperty('PROCESSMASTER_ENABLE_REUSEPORT');
  });

  it.each([
    ['several instances share it', { port: 80, instances: 2, rollout: { surge: 0 } }, '1'],
    ['a successor shares it for a while', { port: 80, instances: 1, rollout: { surge: 1 } }, '1'],
    ['a second one may be asked for later', { port: 80, instances: 1, rollout: { surge: 0 } }, '1'],
    ['each instance has its own', { port: 'auto' as const, instances: 2 }, undefined],
    ['one runs at a time', { port: 80, process: { schedule: schedule('* * * * *') } }, undefined],
    [
      'its own words count',
      { port: 80, instances: 2, process: { env: { PROCESSMASTER_ENABLE_REUSEPORT: '0' } } },
      '0',
    ],
  ])('whether a port is to be shared: %s', (_, changes, told) => {
    expect(environment({}, { spec: spec(changes) })['PROCESSMASTER_ENABLE_REUSEPORT']).toBe(told);
  });

  it('who and which run it is cannot be overwritten', () => {
    const env = { PROCESSMASTER_SERVICE: 'other', PROCESSMASTER_RUN_ID: 'x' };
    expect(environment({ env })).toEqual(PROMISED);
  });
});

describe('inherit_env', () => {
  it('a list takes exactly the names in it, when they are set', () => {
    expect(environment({ inherit_env: ['TERM', 'UNSET', 'NOWHERE'] })).toEqual({
      ...PROMISED,
      TERM: 'xterm',
    });
  });

  it('true takes everything, but identity and run stay those of the service', () => {
    expect(environment({ inherit_env: true })).toEqual({
      ...PROMISED,
      TERM: 'xterm',
      AWS_SECRET_ACCESS_KEY: 'hush',
      LD_PRELOAD: '/tmp/evil.so',
    });
  });
});

describe('env and env_files', () => {
  const file = (...names: readonly string[]) => ({
    path: '/srv/.env',
    values: Object.fromEntries(names.map((one) => [one, 'digest'])),
  });

  it('values of a file come from the secrets, never from their digests', () => {
    const secrets = new Map([['DB_URL', 'postgres://hush']]);
    expect(environment({ env_files: [file('DB_URL')] }, { secrets })['DB_URL']).toBe('postgres://hush');
  });

  it('env goes over env_files, env_files over what is inherited', () => {
    const secrets = new Map([
      ['TERM', 'from file'],
      ['LANG', 'from file'],
    ]);
    const process = { env_files: [file('TERM', 'LANG')], env: { LANG: 'from env' }, inherit_env: true };
    expect(environment(process, { secrets })).toMatchObject({ TERM: 'from file', LANG: 'from env' });
  });

  it('a secret value is handed over as it is, without filling anything in', () => {
    const env = { TOKEN: { secret: '/run/secrets/t', digest: 'd' } };
    const secrets = new Map([['TOKEN', 'a${instance}b$']]);
    expect(environment({ env }, { secrets })['TOKEN']).toBe('a${instance}b$');
  });

  test.each([
    ['worker-${instance}', 'worker-1'],
    ['g${generation}', 'g7'],
    ['$${instance}', '${instance}'],
  ])('a plain value %s becomes %s', (template, value) => {
    expect(environment({ env: { NAME: template } })['NAME']).toBe(value);
  });

  it('a service may choose its own HOME and PATH', () => {
    expect(environment({ env: { HOME: '/data', PATH: '/data/bin' } })).toMatchObject({
      HOME: '/data',
      PATH: '/data/bin',
    });
  });
});

it('required variables are missing when they are not set or empty, all of them at once', () => {
  const own = spec({ process: { required_env: ['A', 'B', 'C', 'D'] } });
  expect(missingVariables(own, { A: 'x', B: '', D: ' ' })).toEqual(['B', 'C']);
});
