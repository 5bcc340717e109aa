import { describe, expect, it } from 'vitest';
import { lateVariables } from '../../src/world/late-variables.ts';
import { outcomeOf } from '../../src/world/launch.ts';
import { type ChainInput, launchChain } from '../../src/world/launch-chain.ts';
import type { Launch } from '../../src/world/world.ts';

const LAUNCH: Launch = {
  argv: ['node', 'server.js'],
  workingDirectory: '/srv',
  environment: { PATH: '/usr/bin' },
  credentials: null,
  umask: null,
  nice: null,
  rlimits: {},
  oomScoreAdjust: null,
  noNewPrivileges: false,
  stdout: null,
  stderr: null,
};
const APP = { uid: 1000, gid: 1001, groups: null, user: 'app', home: '/', shell: '/bin/sh' };

function chain(changes: Partial<Launch>, input: Partial<ChainInput> = {}): readonly string[] {
  const answer = launchChain({
    launch: { ...LAUNCH, ...changes },
    program: '/usr/bin/node',
    self: { uid: 0, gid: 0, niceness: 0 },
    joinsCgroup: true,
    joinIsSeen: false,
    tool: (tool) => `/bin/${tool}`,
    ...input,
  });
  if ('code' in answer) throw new Error(answer.message);
  return answer.argv;
}

describe('the chain of a launch', () => {
  it('is only the shell where nothing else was asked for', () => {
    const argv = chain({});
    expect(argv[0]).toBe('/bin/sh');
    expect(argv.slice(3)).toEqual(['/usr/bin/node', 'node', 'server.js']);
    expect(argv.filter((word) => word.startsWith('/bin/'))).toEqual(['/bin/sh']);
  });

  it('needs no ear where the join can be seen from outside and nothing else can fail', () => {
    const quiet = (changes: Partial<Launch>, input: Partial<ChainInput>) => {
      const answer = launchChain({
        launch: { ...LAUNCH, ...changes },
        program: '/usr/bin/node',
        self: { uid: 0, gid: 0, niceness: 0 },
        joinsCgroup: true,
        joinIsSeen: true,
        tool: (tool) => `/bin/${tool}`,
        ...input,
      });
      return 'quiet' in answer && answer.quiet;
    };
    expect(quiet({}, {})).toBe(true);
    expect(quiet({ umask: 0o27 }, {})).toBe(true);
    expect(quiet({}, { records: true })).toBe(true);
    expect(quiet({ credentials: APP }, {})).toBe(false);
    expect(quiet({ oomScoreAdjust: 5 }, {})).toBe(false);
    expect(quiet({}, { joinIsSeen: false })).toBe(false);
    expect(quiet({}, { joinsCgroup: false })).toBe(false);
  });

  it('changes the user last, and sets what only root may before', () => {
    const argv = chain({
      credentials: APP,
      nice: -5,
      oomScoreAdjust: -100,
      noNewPrivileges: true,
      rlimits: { nofile: { soft: 1, hard: null } },
    });
    expect(argv.filter((word) => word.startsWith('/bin/'))).toEqual([
      '/bin/sh',
      '/bin/prlimit',
      '/bin/nice',
      '/bin/setpriv',
      '/bin/sh',
    ]);
    expect(argv).toEqual(expect.arrayContaining(['--nofile=1:unlimited', '--reuid=1000', '--regid=1001']));
    expect(argv).toEqual(expect.arrayContaining(['--init-groups', '--no-new-privs']));
  });

  it('counts the niceness from that of the daemon', () => {
    const self = { uid: 0, gid: 0, niceness: 5 };
    expect(chain({ nice: 3 }, { self })).toEqual(expect.arrayContaining(['/bin/nice', '-n', '-2']));
    expect(chain({ nice: 5 }, { self })).not.toContain('/bin/nice');
  });

  it('lets an ordinary user stay who he is', () => {
    const self = { uid: 1000, gid: 1001, niceness: 0 };
    expect(chain({ credentials: APP }, { self })).not.toContain('/bin/setpriv');
    expect(chain({ credentials: { ...APP, uid: 5 } }, { self })).toContain('/bin/setpriv');
  });

  it('names the tool that this host lacks', () => {
    const tool = (name: string) => (name === 'setpriv' ? undefined : `/bin/${name}`);
    expect(() => chain({ credentials: APP }, { tool })).toThrow(/setpriv is needed/);
  });

  it('keeps the environment off every command line where it can', () => {
    const environment = { PATH: '/usr/bin', SECRET: 'hidden', LD_PRELOAD: '/x.so' };
    const answer = launchChain({
      launch: { ...LAUNCH, environment },
      program: '/usr/bin/node',
      self: { uid: 0, gid: 0, niceness: 0 },
      joinsCgroup: false,
      joinIsSeen: false,
      tool: (tool) => `/bin/${tool}`,
    });
    if ('code' in answer) throw new Error(answer.message);
    expect(answer.environment).toEqual({ PATH: '/usr/bin', SECRET: 'hidden' });
    expect(answer.argv.slice(-4)).toEqual(['/bin/env', 'LD_PRELOAD=/x.so', 'node', 'server.js']);
    expect(answer.argv.join()).not.toContain('hidden');
  });
});

describe('late variables', () => {
  it.each([
    'LD_LIBRARY_PATH',
    'LD_AUDIT',
    'GCONV_PATH',
    'GLIBC_TUNABLES',
    'IFS',
    'PWD',
    'a.b',
    'x-y',
    '1ST',
    'BASH_FUNC_f%%',
  ])('has %s among them', (name) =>
    expect(lateVariables({ [name]: 'v' })).toEqual({ early: {}, late: { [name]: 'v' } }),
  );
  it.each(['PATH', 'HOME', 'LANG', 'PORT', 'NODE_OPTIONS', '_X', 'PASSWORD'])('has not %s', (name) => {
    expect(lateVariables({ [name]: 'v' })).toEqual({ early: { [name]: 'v' }, late: {} });
  });
});

describe('the end of a launch', () => {
  it.each<[string, number | null, number | null, object]>([
    ['launched\n', 0, null, { kind: 'exited', code: 0 }],
    ['launched\n', 125, null, { kind: 'exited', code: 125 }],
    ['a warning\nlaunched\n', 3, null, { kind: 'exited', code: 3 }],
    ['launched\n', null, 6, { kind: 'signaled', signal: 'SIGABRT', oom: false }],
    ['launched\n', null, 29, { kind: 'signaled', signal: 'SIGIO', oom: false }],
    ['launched\n', null, 40, { kind: 'unknown', oom: false }],
    ['', null, 9, { kind: 'signaled', signal: 'SIGKILL', oom: false }],
    ['', 125, null, { kind: 'not_started', problem: { message: expect.stringContaining('exit code 125') } }],
    [
      'setpriv: no\n',
      1,
      null,
      {
        kind: 'not_started',
        problem: { code: 'start-failed', message: expect.stringContaining('setpriv: no') },
      },
    ],
    ['not-executable\n', 125, null, { kind: 'not_started', problem: { code: 'command-missing' } }],
  ])('after %j with code %s, signal %s', (report, code, signal, expected) => {
    expect(outcomeOf(LAUNCH, report, { code, signal })).toMatchObject(expected);
  });
});
