import { describe, expect, test } from 'vitest';
import { type CommandLine, commandLineState } from '../../src/config/command-line-state.ts';
import type { Defined } from '../../src/model/spec.ts';
import { fillIn } from '../../src/model/template.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { HOST } from './ground.ts';

const LINE: CommandLine = {
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
};

function servicesOf(line: Partial<CommandLine>): ReadonlyMap<string, Defined> {
  const state = commandLineState(
    { ...LINE, ...line },
    {
      settings: { service_defaults: {}, vars: {}, state_directory: '/run/x' },
      environment: {},
      root: true,
      host: HOST,
      files: new TwinFiles(),
      users: twinUsers('root'),
      cwd: '/srv/${app}',
      stdout: '/dev/stdout',
      stderr: '/dev/stderr',
    },
  );
  if (!('services' in state)) throw new Error(JSON.stringify(state.problems));
  const defined = [...state.services].flatMap(([name, each]) =>
    each.kind === 'defined' ? [[name, each] as const] : [],
  );
  return new Map(defined);
}

function workerOf(line: Partial<CommandLine>): Defined['spec'] {
  const worker = servicesOf(line).get('worker');
  if (worker === undefined) throw new Error('no worker');
  return worker.spec;
}

/** The texts as a process gets them. */
function started(text: unknown): string {
  return fillIn(String(text), { instance: 5, generation: 7, port: 9 });
}

test('the command and the directory reach the process as they were typed, whatever looks like a variable in them', () => {
  const { process } = workerOf({ command: ['echo', '${instance}', '$${port}', '$HOME', '${env:X}'] });
  expect(process.command.map(started)).toEqual(['echo', '${instance}', '$${port}', '$HOME', '${env:X}']);
  expect(started(process.working_directory)).toBe('/srv/${app}');
});

test('a worker has the environment of the manager, and writes where the manager writes', () => {
  const { process, logs } = workerOf({});
  expect(process.inherit_env).toBe(true);
  expect(logs).toMatchObject({ stdout: '/dev/stdout', stderr: '/dev/stderr' });
});

test('what the workers are told about their socket', () => {
  const told = workerOf({ listenBacklog: 9, connectionTimeout: 8, host: '::1', port: 80, instances: 2 });
  expect(told.port).toBe(80);
  expect(told.process.env).toEqual({
    HOST: '::1',
    PROCESSMASTER_LISTEN_BACKLOG: '9',
    PROCESSMASTER_CONNECTION_TIMEOUT_SECONDS: '8',
    PROCESSMASTER_ENABLE_REUSEPORT: '1',
  });
  expect(workerOf({ port: 80 }).process.env).toMatchObject({ PROCESSMASTER_ENABLE_REUSEPORT: '0' });
  expect(workerOf({}).process.env).not.toHaveProperty('HOST');
});

test('--env stands above what is exported, and is taken literally', () => {
  const { process } = workerOf({
    env: { PROCESSMASTER_ENABLE_REUSEPORT: '0', X: '${instance}' },
    instances: 2,
  });
  expect(process.env).toMatchObject({ PROCESSMASTER_ENABLE_REUSEPORT: '0' });
  expect(started(process.env['X'])).toBe('${instance}');
});

test('restarts follow at the same delay for ever; with --no-respawn there are none', () => {
  expect(workerOf({ respawnDelay: 700 }).restart_policy).toMatchObject({
    policy: 'always',
    restart_backoff: 700,
    max_backoff: 700,
    jitter: 0,
    tolerance: { max_restarts: Number.MAX_SAFE_INTEGER },
  });
  expect(workerOf({ respawn: false }).restart_policy.policy).toBe('never');
});

describe('a reload', () => {
  test('brings a whole new set, which overlaps with the old one', () => {
    expect(workerOf({ instances: 3, port: 80 }).rollout).toMatchObject({ surge: 3, overlap: 1000 });
    expect(workerOf({ instances: 1 }).rollout).toMatchObject({ surge: 1, overlap: 1000 });
  });

  test('of a single worker with a port stops the old one first: the new one could not have the port', () => {
    expect(workerOf({ instances: 1, port: 80 }).rollout).toMatchObject({ surge: 0, overlap: 0 });
  });
});

describe('job workers', () => {
  test('there are none without a command, or with a count of 0', () => {
    expect([...servicesOf({}).keys()]).toEqual(['worker']);
    expect([...servicesOf({ jobs: { command: 'x', count: 0, respawnDelay: 1 } }).keys()]).toEqual(['worker']);
  });

  test('are a service of their own with its own delay, the same grace, and nothing of a port', () => {
    const jobs = { command: 'work --on ${instance}', count: 2, respawnDelay: 40 };
    const job = servicesOf({ jobs, grace: 3000, port: 80, instances: 4 }).get('job-worker')?.spec;
    expect(job).toMatchObject({
      instances: 2,
      port: null,
      process: { stop_grace: 3000, env: {} },
      restart_policy: { restart_backoff: 40 },
    });
    expect(job?.process.command.map(started)).toEqual(['/bin/sh', '-c', 'work --on ${instance}']);
  });
});
