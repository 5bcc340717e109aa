import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { LogFile, LogLine, LogsView } from '../../src/api/contract.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';
import { Answer, type Asked, fakeDaemon, run, runOn, statusView } from './fake-daemon.ts';
import { type FakeTerminalOptions, fakeTerminal, NOW } from './fake-terminal.ts';
import { serviceView } from './sample-views.ts';

const FILES: readonly LogFile[] = [
  { service: 'api', stream: 'stdout', path: '/nowhere/api/stdout.log', instance: null },
  { service: 'api', stream: 'stderr', path: '/nowhere/api/stderr.log', instance: null },
  { service: 'web', stream: 'stdout', path: '/nowhere/web/stdout.log', instance: null },
  { service: 'web', stream: 'hint', path: '/nowhere/log/syslog', instance: null },
];

/** Selects as the daemon does; each file has one line. */
function answer({ query }: Asked): LogsView {
  const services = query.services?.split(',');
  const files = FILES.filter(
    ({ service, path }) =>
      (services?.includes(service) ?? true) && (query.file === undefined || path.endsWith(`/${query.file}`)),
  );
  const logs: LogLine[] =
    query.lines === '0' ? [] : files.map((file) => ({ ...file, time: null, line: 'a\tline\u001b[2J' }));
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

  test('--json gives each line as an object of its own', async () => {
    const { out } = await run(await daemonWithLogs(), 'logs web --json');
    const text = { time: null, line: 'a\tline\u001b[2J', cut: false };
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each)),
    ).toEqual([
      { ...{ service: 'web', instance: null, stream: 'stdout' }, file: FILES[2]?.path, ...text },
      { ...{ service: 'web', instance: null, stream: 'hint' }, file: FILES[3]?.path, ...text },
    ]);
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
    expect(daemon.askedFor('GET /api/logs').map(({ query }) => query.lines)).toEqual(['0', '50', '0', '7']);
  });
});

const MINUTE = 60_000;
const at = (minutes: number): string => new Date(NOW + minutes * MINUTE).toISOString();

describe('what the files say', () => {
  let directory: string;
  let files: LogFile[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pmtest-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    files = [];
  });

  /** @param minutes when the file was last changed, from the time of the terminal */
  function write(name: string, lines: readonly string[], minutes = 0): string {
    const path = join(directory, name);
    const text = lines.map((line) => `${line}\n`).join('');
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    const time = (NOW + minutes * MINUTE) / 1000;
    utimesSync(path, time, time);
    return path;
  }
  function log(name: string, changes: Partial<LogFile> = {}): void {
    const path = join(directory, name);
    files.push({ service: 'web', stream: 'stdout', path, instance: null, ...changes });
  }
  const daemon = () =>
    fakeDaemon({
      'GET /api/status': statusView([serviceView('api'), serviceView('web')]),
      'GET /api/logs': ({ query }: Asked) => ({
        files: files.filter(
          ({ instance, stream }) =>
            (query.instance === undefined || instance === Number(query.instance)) &&
            (query.stream === undefined || stream === query.stream),
        ),
        logs: [],
        problems: [],
      }),
    });
  const shown = async (command: string | readonly string[], options: FakeTerminalOptions = {}) => {
    const { out, err, exit } = await run(await daemon(), command, options);
    return { lines: out.split('\n').slice(0, -1), err, exit };
  };

  test('reaches back into rotated files, also compressed ones', async () => {
    write('stdout.log.2.gz', ['one', 'two'], -20);
    write('stdout.log.1', ['three', 'four'], -10);
    write('stdout.log', ['five']);
    log('stdout.log');
    expect((await shown('logs web -n 4')).lines).toEqual(
      ['two', 'three', 'four', 'five'].map((line) => `web stdout | ${line}`),
    );
  });

  test('is put in order by time, of which other lines stay behind', async () => {
    write('stdout.log', [`${at(-9)} a`, '  trace of a', `${at(-7)} c`]);
    write('stderr.log', [`${at(-8)} b`, '  trace of b', `${at(-6)} d`]);
    log('stdout.log');
    log('stderr.log', { stream: 'stderr' });
    const { lines } = await shown('logs web');
    expect(lines.map((line) => line.replace(/\| .*Z /, '| '))).toEqual([
      'web stdout | a',
      'web stdout |   trace of a',
      'web stderr | b',
      'web stderr |   trace of b',
      'web stdout | c',
      'web stderr | d',
    ]);
  });

  test('is shown before it is followed, each line once, also when it is rotated in between', async () => {
    write('stdout.log.1', ['one', 'two'], -10);
    const path = write('stdout.log', ['three', 'four is not end']);
    appendFileSync(path, 'not ended');
    log('stdout.log');
    const terminal = fakeTerminal();
    const steps = [
      () => appendFileSync(path, ' but now\nfive\n'),
      () => {
        renameSync(join(directory, 'stdout.log.1'), join(directory, 'stdout.log.2'));
        copyFileSync(path, join(directory, 'stdout.log.1'));
        writeFileSync(path, 'six\n');
      },
      () => appendFileSync(path, 'seven\n'),
    ];
    const { sleep } = terminal;
    Object.assign(terminal, {
      sleep: async (milliseconds: number, cancel?: AbortSignal) => {
        await sleep(milliseconds, cancel);
        const step = steps.shift();
        if (step === undefined) terminal.interrupt();
        else step();
      },
    });
    expect(await runOn(terminal, await daemon(), 'logs -f -n 4 --grep e')).toBe(130);
    expect(terminal.out().split('\n')).toEqual([
      ...['one', 'three', 'four is not end', 'not ended but now', 'five', 'seven'].map(
        (line) => `web stdout | ${line}`,
      ),
      '',
    ]);
  });

  test('is bounded by --since and --until, and needs no -n then', async () => {
    write(
      'stdout.log',
      Array.from({ length: 100 }, (_, index) => `${at(index - 100)} ${index}`),
    );
    log('stdout.log');
    const numbers = async (command: string) =>
      (await shown(command)).lines.map((line) => Number(line.split(' ').at(-1)));
    expect(await numbers('logs --since 90m')).toEqual(Array.from({ length: 90 }, (_, index) => index + 10));
    expect(await numbers(`logs --since ${at(-5)} --until ${at(-3)}`)).toEqual([95, 96, 97]);
    expect(await numbers('logs --since 90m -n 2')).toEqual([98, 99]);
    expect(await numbers('logs --until 98m')).toEqual([0, 1, 2]);
  });

  test('of logs that tell no times is bounded by those of their files, and that is said once', async () => {
    for (const name of ['a.log', 'b.log', 'c.log', 'd.log', 'e.log']) {
      write(name, [name]);
      log(name);
    }
    write('empty.log', []);
    log('empty.log');
    write('old.log', ['old'], -20);
    log('old.log');
    const of = (...names: readonly string[]) => names.map((name) => join(directory, name)).join(', ');
    expect(await shown('logs --since 10m')).toEqual({
      exit: 0,
      lines: ['a', 'b', 'c', 'd', 'e'].map((name) => `web stdout | ${name}.log`),
      err: `pmctl: 5 logs do not tell the times of their lines, which count as written when each file was last changed: ${of('a.log', 'b.log', 'c.log', 'd.log')}, 1 more\n`,
    });
    files = files.slice(0, 1);
    expect((await shown('logs --since 10m -n 1')).err).toBe(
      `pmctl: ${of('a.log')} does not tell the times of its lines: they count as written when the file was last changed\n`,
    );
  });

  test('is searched with --grep, and -n counts what is found', async () => {
    write(
      'stdout.log',
      Array.from({ length: 3000 }, (_, index) => `line ${index}`),
    );
    log('stdout.log');
    expect((await shown(['logs', '--grep', '^line .*00$', '-n', '2'])).lines).toEqual([
      'web stdout | line 2800',
      'web stdout | line 2900',
    ]);
    write('stdout.log', ['b', `${'a'.repeat(60)}b`]);
    const slow = await shown(['logs', '--grep', '(a+)+$']);
    expect(slow).toEqual({
      exit: 0,
      lines: [],
      err: 'pmctl: the pattern takes too long: write it without one repetition inside another\n',
    });
  });

  test('is that of one instance where each has a file', async () => {
    write('0.log', ['zero']);
    write('1.log', ['one']);
    write('err.log', ['wrong']);
    log('0.log', { instance: 0 });
    log('1.log', { instance: 1 });
    log('err.log', { stream: 'stderr' });
    expect((await shown('logs web')).lines).toEqual([
      'web[0] stdout | zero',
      'web[1] stdout | one',
      'web stderr    | wrong',
    ]);
    expect((await shown('logs web --instance 1')).lines).toEqual(['web[1] stdout | one']);
    expect((await shown('logs web --stream stderr')).lines).toEqual(['web stderr | wrong']);
    const { exit, err } = await shown('logs web --stream stderr --instance 1');
    expect(exit).toBe(1);
    expect(err).toBe(
      'pmctl: all instances of web write to the same files; name them with ${instance} in logs.stdout and logs.stderr to tell them apart\n',
    );
  });

  test.each([[''], [' web'], [' web --stream stdout'], [' web -f']])(
    'of an instance that there is not: exit 3, and which there are (logs%s)',
    async (words) => {
      for (const instance of [0, 1, 2, 5]) {
        write(`${instance}.log`, ['a line']);
        log(`${instance}.log`, { instance });
      }
      const { exit, err, lines } = await shown(`logs${words} --instance 9`);
      const whose = words === '' ? '' : ' of web';
      expect(err).toBe(`pmctl: instance 9${whose} is not there, and has left no log; there are 0 to 2, 5\n`);
      expect({ exit, lines }).toEqual({ exit: 3, lines: [] });
      expect((await shown('logs web --instance 5')).lines).toEqual(['web[5] stdout | a line']);
    },
  );

  describe('and the daemon is asked only', () => {
    const PROBLEM = { code: 'log-unreadable', severity: 'warning', message: 'only the last 64 MiB' };
    const answering = () =>
      fakeDaemon({
        'GET /api/logs': ({ query }: Asked): unknown => {
          const asked = query.services?.split(',');
          const own = files.filter(({ service }) => asked?.includes(service) ?? true);
          if (query.lines === '0') return { files: own, logs: [], problems: [] };
          const logs = own.map((file) => ({ ...file, time: null, line: 'from the daemon' }));
          return { files: own, logs, problems: [PROBLEM, PROBLEM] };
        },
      });
    const asks = async (command: string) => {
      const one = await answering();
      const { out, err } = await run(one, command);
      const asked = one.askedFor('GET /api/logs').filter(({ query }) => query.lines !== '0');
      return { out, err, asked: asked.map(({ query }) => query.services) };
    };

    test('of nothing when a file was not written yet', async () => {
      write('stdout.log', ['one']);
      log('stdout.log');
      log('stderr.log', { stream: 'stderr' });
      log('nowhere/hint.log', { stream: 'hint' });
      log('api.log', { service: 'api' });
      expect(await asks('logs')).toEqual({ out: 'web stdout | one\n', err: '', asked: [] });
    });

    test('of services of which nothing is here, and of those that cannot be read, and nothing twice', async () => {
      write('stdout.log', ['one']);
      mkdirSync(join(directory, 'secret.log'));
      log('stdout.log');
      log('nowhere/stdout.log', { service: 'api' });
      log('secret.log', { service: 'bank' });
      log('secret.log', { service: 'bank', stream: 'stderr' });
      expect(await asks('logs --grep o')).toMatchObject({
        out: expect.stringMatching(
          /^web stdout +\| one\napi stdout +\| from the daemon\nbank stdout +\| from the daemon\n/,
        ),
        err: 'pmctl: only the last 64 MiB\n',
        asked: ['api,bank'],
      });
    });

    test('of what is another file in each process, and of the file that the output goes to', async () => {
      const output = openSync(write('out.txt', ['shown before']), 'a');
      onTestFinished(() => closeSync(output));
      symlinkSync('out.txt', join(directory, 'link.log'));
      write('stdout.log', ['one']);
      const one = await answering();
      files.push({ service: 'worker', stream: 'stdout', path: `/proc/self/fd/${output}`, instance: null });
      log('link.log', { service: 'bank' });
      log('stdout.log');
      const terminal = fakeTerminal({ output });
      expect(await runOn(terminal, one, 'logs')).toBe(0);
      expect(terminal.out()).toBe(
        'worker stdout | from the daemon\nbank stdout   | from the daemon\nweb stdout    | one\n',
      );
    });

    test('and without it they are not read all the same', async () => {
      const output = openSync(write('out.txt', ['shown before']), 'a');
      onTestFinished(() => closeSync(output));
      files.push({ service: 'worker', stream: 'stdout', path: `/proc/self/fd/${output}`, instance: null });
      const silent = await fakeDaemon({
        'GET /api/logs': ({ query }: Asked) =>
          query.lines === '0' ? { files, logs: [], problems: [] } : new Answer(500, {}),
      });
      const { out, err } = await run(silent, 'logs');
      expect(out).toBe('');
      expect(err).toContain(`/proc/self/fd/${output} is that of the manager`);
    });
  });

  test('a line that is cut is told once of its file, and marked in JSON', async () => {
    const long = 'x'.repeat(LONGEST_LINE + 1);
    const path = write('stdout.log', [long, 'short', long]);
    log('stdout.log');
    const told = `pmctl: ${path}: lines of more than 64 KiB are shown cut, and end with …\n`;
    const { lines, err } = await shown('logs --json');
    expect(err).toBe(told);
    expect(lines.map((line) => JSON.parse(line).cut)).toEqual([true, false, true]);
    expect((await shown('logs')).err).toBe(told);
    expect((await shown('logs -n 2')).err).toBe(told);
    write('stdout.log', ['short']);
    expect((await shown('logs')).err).toBe('');
  });

  test('the bars stand beside the longest name that has lines, and a long one is cut on a terminal', async () => {
    const name = 'the-service-with-the-very-longest-name-of-all';
    write('stdout.log', ['one']);
    log('stdout.log');
    write('silent.log', []);
    log('silent.log', { service: name });
    log('missing.log', { service: name, stream: 'stderr' });
    expect((await shown('logs')).lines).toEqual(['web stdout | one']);
    write('silent.log', ['two'], 1);
    expect((await shown('logs')).lines).toEqual([
      'web stdout                                           | one',
      `${name} stdout | two`,
    ]);
    const screen = { columns: 80, rows: 24 };
    expect((await shown('logs --no-color', { screen })).lines).toEqual([
      'web stdout                 | one',
      'the-service-w…f-all stdout | two',
    ]);
  });

  test('tells its times in JSON', async () => {
    write('stdout.log', [`${at(-1)} a`, 'b']);
    log('stdout.log', { instance: 3 });
    const { lines } = await shown('logs --json');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { service: 'web', instance: 3, stream: 'stdout', file: files[0]?.path, time: at(-1) },
      { time: null, line: 'b' },
    ]);
  });

  test.each([
    {
      option: ['--since', 'yesterday'],
      says: '--since: "yesterday" is no time: write it like 10m, 2h or 1d',
    },
    { option: ['--until', '2026-02-31'], says: '--until: "2026-02-31" is no time' },
    { option: ['--grep', '('], says: '--grep: "(" is no regular expression: ' },
    { option: ['--stream', 'out'], says: 'Write stdout, stderr or hint.' },
    { option: ['--instance', 'x'], says: 'Write a number from 0 to 999.' },
    {
      option: ['--since', '1h', '--until', '2h'],
      says: '--until is before --since: no line is between them',
    },
    { option: ['-f', '--until', '1m'], says: '-f goes on, --until ends: give one of them' },
  ])('$option is wrong usage', async ({ option, says }) => {
    const { exit, err, lines } = await shown(['logs', ...option]);
    expect(err).toContain(says);
    expect(lines).toEqual([]);
    expect(exit).toBe(64);
  });
});

describe('without a daemon', () => {
  function ground(): string {
    const directory = mkdtempSync(join(tmpdir(), 'pmtest-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    mkdirSync(join(directory, 'config.d'));
    const settings = { config_directory: 'config.d', state_directory: 'state', sock_path: 'sock' };
    writeFileSync(join(directory, 'config.yaml'), JSON.stringify(settings));
    const web = { process: { command: 'true', working_directory: directory }, instances: 2 };
    writeFileSync(
      join(directory, 'config.d', 'web.yaml'),
      JSON.stringify({ ...web, logs: { stdout: 'out-${instance}.log' } }),
    );
    return directory;
  }

  test('there are also the files of instances that the directory does not name', async () => {
    const directory = ground();
    for (const [instance, text] of ['zero', 'one', 'two'].entries()) {
      writeFileSync(join(directory, `out-${instance}.log`), `${text}\n`);
    }
    const { out } = await run({ socket: join(directory, 'sock') }, 'logs web', { directory });
    expect(out).toBe('web[0] stdout | zero\nweb[1] stdout | one\nweb[2] stdout | two\n');
    const one = (instance: number) =>
      run({ socket: join(directory, 'sock') }, `logs web --instance ${instance}`, { directory });
    expect(await one(2)).toMatchObject({ exit: 0, out: 'web[2] stdout | two\n' });
    expect(await one(3)).toMatchObject({ exit: 3, err: expect.stringContaining('there are 0 to 2') });
  });

  test('the files are read all the same, and it is told', async () => {
    const directory = ground();
    writeFileSync(join(directory, 'out-0.log'), 'zero\n');
    writeFileSync(join(directory, 'out-1.log'), 'one\n');
    const socket = join(directory, 'sock');
    expect(await run({ socket }, 'logs web', { directory })).toEqual({
      exit: 0,
      out: 'web[0] stdout | zero\nweb[1] stdout | one\n',
      err: `pmctl: no daemon at ${socket}; read from the files\n`,
    });
    expect((await run({ socket }, 'logs nosuch', { directory })).exit).toBe(3);
    expect((await run({ socket }, 'logs out-1.log', { directory })).out).toBe('web[1] stdout | one\n');
    expect(existsSync(join(directory, 'state'))).toBe(false);
  });

  test('nothing is read by the configuration of another one', async () => {
    const directory = ground();
    const socket = join(directory, 'other');
    const { exit, err } = await run({ socket }, 'logs web', { directory });
    expect(exit).toBe(7);
    expect(err).toContain('no daemon listens at');
  });
});
