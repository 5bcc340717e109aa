// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are templates as they stand in a service file
import { describe, expect, it, test } from 'vitest';
import { startRun } from '../../src/executor/start.ts';
import type { ProblemCode } from '../../src/model/problem.ts';
import { credentials, defined, problem, runKey } from '../builders.ts';
import { type Answers, fakeTools, STARTED } from './fake-tools.ts';

/** No port, no record, nothing to hear. */
const PLAIN = { port: null, record: false, notify: undefined };
const KEY = runKey({ slot: 2, generation: 5 });

describe('a start', () => {
  it('launches exactly what the definition says', () => {
    const tools = fakeTools();
    const desired = defined({
      credentials: credentials(),
      spec: {
        process: {
          command: ['web', '--id=${instance}'],
          args: ['g${generation}', '$${instance}'],
          working_directory: '/srv/${instance}',
          umask: 0o27,
          nice: 5,
          rlimits: { nofile: { soft: 10, hard: null } },
          oom_score_adjust: 100,
          no_new_privileges: true,
        },
      },
    });
    expect(startRun(KEY, desired, tools, PLAIN)).toMatchObject(STARTED);
    expect(tools.launches).toHaveLength(1);
    expect(tools.launches[0]).toMatchObject({
      argv: ['web', '--id=2', 'g5', '${instance}'],
      workingDirectory: '/srv/2',
      credentials: credentials(),
      umask: 0o27,
      nice: 5,
      rlimits: { nofile: { soft: 10, hard: null } },
      oomScoreAdjust: 100,
      noNewPrivileges: true,
      environment: {
        PROCESSMASTER_SERVICE: 'web',
        PROCESSMASTER_INSTANCE: '2',
        PROCESSMASTER_GENERATION: '5',
        PROCESSMASTER_RUN_ID: KEY.id,
      },
    });
  });

  it('clears the pid file of the service, and starts it even when the file must be left alone', () => {
    const kept = { code: 'pid-file-kept', severity: 'warning', message: 'left alone' } as const;
    const tools = fakeTools({ pidFile: kept });
    expect(startRun(KEY, defined({ spec: { pid_file: '/run/web.pid' } }), tools, PLAIN)).toMatchObject(
      STARTED,
    );
    expect(tools.cleared).toEqual(['/run/web.pid']);
    expect(tools.complaints).toMatchObject([{ code: 'pid-file-kept', service: 'web' }]);
  });

  it('writes to its two logs, and leaves no descriptor open in the daemon', () => {
    const tools = fakeTools();
    startRun(KEY, defined(), tools, PLAIN);
    expect(tools.opened).toEqual(['/srv/web/stdout.log', '/srv/web/stderr.log']);
    expect(tools.launches[0]?.stdout).not.toBe(tools.launches[0]?.stderr);
    expect(tools.open.size).toBe(0);
  });

  it('notes how long both logs were, for those who ask later what it wrote', () => {
    const tools = fakeTools();
    const sizeOf = (fd: number): number => ({ 20: 7, 21: 900 })[fd] ?? -1;
    const world = { ...tools.world, prober: { ...tools.world.prober, sizeOf } };
    const started = startRun(KEY, defined(), { ...tools, world }, PLAIN);
    expect(started).toMatchObject({ logFrom: 7, errFrom: 900 });
  });

  it('is refused, and no descriptor stays open, where nobody can tell how long a log is', () => {
    const tools = fakeTools();
    const unknown = problem({ code: 'log-unwritable', message: 'no memory', passing: true });
    const sizeOf = (fd: number) => (fd === 21 ? unknown : 7);
    const world = { ...tools.world, prober: { ...tools.world.prober, sizeOf } };
    expect(startRun(KEY, defined(), { ...tools, world }, PLAIN)).toMatchObject({
      ...{ code: 'log-unwritable', service: 'web', passing: true },
    });
    expect(tools.launches).toEqual([]);
    expect(tools.open.size).toBe(0);
  });

  it('opens one file once when both streams go to it', () => {
    const tools = fakeTools();
    startRun(KEY, defined({ spec: { logs: { stderr: '/srv/web/stdout.log' } } }), tools, PLAIN);
    expect(tools.opened).toEqual(['/srv/web/stdout.log']);
    expect(tools.launches[0]?.stderr).toBe(tools.launches[0]?.stdout);
    expect(tools.open.size).toBe(0);
  });
});

const LINES = {
  process: 2,
  'process.command': 3,
  'process.working_directory': 4,
  'process.required_env': 5,
  port: 6,
  logs: 7,
};

describe('a refused start', () => {
  const refusing = (code: ProblemCode): Answers => ({ start: () => problem({ code, message: 'no' }) });
  const log = (path: string): Answers => ({
    logs: { [path]: problem({ code: 'log-unsafe', message: 'no' }) },
  });
  test.each<[ProblemCode, Answers, number | undefined, string | undefined]>([
    ['command-missing', refusing('command-missing'), 3, 'process.command'],
    ['working-directory-missing', refusing('working-directory-missing'), 4, 'process.working_directory'],
    ['log-unsafe', log('/srv/web/stdout.log'), 7, 'logs'],
    ['log-unsafe', log('/srv/web/stderr.log'), 7, 'logs'],
    ['port-taken', { portHolder: '811 nginx' }, 6, 'port'],
    ['environment-missing', {}, 5, 'process.required_env'],
    ['start-failed', refusing('start-failed'), undefined, undefined],
  ])('%s names service, file and line, and leaves no descriptor open', (code, answers, line, path) => {
    const tools = fakeTools(answers);
    const required_env = code === 'environment-missing' ? ['NOWHERE'] : [];
    const desired = defined({ lines: LINES, spec: { port: 80, process: { required_env } } });
    const refused = startRun(KEY, desired, tools, PLAIN);
    expect(refused).toMatchObject({ code, severity: 'error', service: 'web', file: 'config.d/web.yaml' });
    expect(refused).toMatchObject(line === undefined ? {} : { line, column: 3, path });
    expect('line' in refused).toBe(line !== undefined);
    expect(tools.open.size).toBe(0);
  });

  it('lists every variable that is missing', () => {
    const desired = defined({ spec: { process: { required_env: ['A', 'B'], env: { B: '' } } } });
    expect(startRun(KEY, desired, fakeTools(), PLAIN)).toMatchObject({
      message: 'required variables are not set: A, B',
    });
  });

  it('names the process that holds the port, and starts nothing', () => {
    const tools = fakeTools({ portHolder: '811 nginx' });
    expect(startRun(KEY, defined({ spec: { port: 80 } }), tools, PLAIN)).toMatchObject({
      message: 'port 80 is taken by 811 nginx',
    });
    expect(tools).toMatchObject({ launches: [], opened: [] });
  });

  it('leaves no descriptor open even when launching throws', () => {
    const tools = fakeTools({
      start: () => {
        throw new Error('a mistake of our own');
      },
    });
    expect(() => startRun(KEY, defined(), tools, PLAIN)).toThrow('a mistake of our own');
    expect(tools.open.size).toBe(0);
  });
});
