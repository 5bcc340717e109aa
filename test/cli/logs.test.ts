import { describe, expect, test } from 'vitest';
import type { LogFile, LogLine, LogsView } from '../../src/api/contract.ts';
import { type Asked, fakeDaemon, run, statusView } from './fake-daemon.ts';
import { serviceView } from './sample-views.ts';

const FILES: readonly LogFile[] = [
  { service: 'api', stream: 'stdout', path: '/srv/api/stdout.log' },
  { service: 'api', stream: 'stderr', path: '/srv/api/stderr.log' },
  { service: 'web', stream: 'stdout', path: '/srv/web/stdout.log' },
  { service: 'web', stream: 'hint', path: '/var/log/syslog' },
];

/** Selects as the daemon does; each file has one line. */
function answer({ query }: Asked): LogsView {
  const services = query.services?.split(',');
  const files = FILES.filter(
    ({ service, path }) =>
      (services?.includes(service) ?? true) && (query.file === undefined || path.endsWith(`/${query.file}`)),
  );
  const logs: LogLine[] =
    query.lines === '0' ? [] : files.map((file) => ({ ...file, line: 'a\tline\u001b[2J' }));
  return { files, logs, problems: [] };
}

const daemonWithLogs = () =>
  fakeDaemon({
    'GET /api/status': statusView([serviceView('api'), serviceView('web')]),
    'GET /api/logs': answer,
  });

describe('which files are meant', () => {
  const everything = ['api stdout', 'api stderr', 'web stdout', 'web syslog'];
  test.each([
    { command: 'logs', shown: everything },
    { command: 'logs all', shown: everything },
    { command: 'logs web -n 50', shown: ['web stdout', 'web syslog'] },
    { command: 'logs stdout.log', shown: ['api stdout', 'web stdout'] },
    { command: 'logs web stdout.log', shown: ['web stdout'] },
    { command: 'logs stdout.log web', shown: ['web stdout'] },
    { command: 'logs syslog', shown: ['web syslog'] },
    { command: 'logs api web', shown: everything },
  ])('$command', async ({ command, shown }) => {
    const daemon = await daemonWithLogs();
    const { exit, out } = await run(daemon, command);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ *\|.*/, '')),
    ).toEqual(shown);
    expect(exit).toBe(0);
  });

  test.each([
    { command: 'logs nosuch', says: 'no service and no log file is called "nosuch"' },
    { command: 'logs nosuch -f', says: 'no service and no log file is called "nosuch"' },
    { command: 'logs wbe', says: 'no service and no log file is called "wbe"; did you mean web?' },
    {
      command: 'logs -f stdot.log',
      says: 'no service and no log file is called "stdot.log"; did you mean stdout.log?',
    },
    { command: 'logs api syslog', says: 'no log file of api and no service is called "syslog"' },
    { command: 'logs nosuch stdout.log', says: 'no service and no log file is called "nosuch"' },
  ])('$command is neither: exit 3', async ({ command, says }) => {
    const { exit, out, err } = await run(await daemonWithLogs(), command);
    expect(err).toBe(`pmctl: ${says}\n`);
    expect(out).toBe('');
    expect(exit).toBe(3);
  });

  test('two files are one too many', async () => {
    const { exit, err } = await run(await daemonWithLogs(), 'logs stdout.log syslog');
    expect(err).toBe('pmctl: name one log file, not 2: stdout.log, syslog\n');
    expect(exit).toBe(64);
  });
});

describe('how lines look', () => {
  test('a pipe gets what the service wrote, byte for byte, with aligned prefixes', async () => {
    const { out } = await run(await daemonWithLogs(), 'logs web');
    expect(out).toBe('web stdout | a\tline\u001b[2J\nweb syslog | a\tline\u001b[2J\n');
  });

  test('a terminal gets it harmless', async () => {
    const { out } = await run(await daemonWithLogs(), 'logs web --no-color', {
      screen: { columns: 80, rows: 24 },
    });
    expect(out).toBe('web stdout | a\tline\\x1b[2J\nweb syslog | a\tline\\x1b[2J\n');
  });

  test('--json is what the daemon gave', async () => {
    const { out } = await run(await daemonWithLogs(), 'logs web --json');
    expect(JSON.parse(out)).toEqual({
      files: FILES.slice(2),
      logs: FILES.slice(2).map((file) => ({ ...file, line: 'a\tline\u001b[2J' })),
      problems: [],
    });
  });

  test('a file that cannot be shown is told on stderr', async () => {
    const problem = { code: 'log-unsafe', severity: 'error', message: 'a\u001b[2J link', file: '/x' };
    const daemon = await fakeDaemon({ 'GET /api/logs': { files: [], logs: [], problems: [problem] } });
    expect(await run(daemon, 'logs')).toEqual({ exit: 0, out: '', err: 'pmctl: /x  a\\x1b[2J link\n' });
  });

  test('fifty lines are asked for, or as many as -n says', async () => {
    const daemon = await daemonWithLogs();
    await run(daemon, 'logs');
    await run(daemon, 'logs -n 7');
    expect(daemon.askedFor('GET /api/logs').map(({ query }) => query.lines)).toEqual(['50', '7']);
  });
});
