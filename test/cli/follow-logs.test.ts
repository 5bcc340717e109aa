import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { LogFile } from '../../src/api/contract.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';
import { type Asked, fakeDaemon, runOn, statusView } from './fake-daemon.ts';
import { type FakeTerminal, fakeTerminal, NOW } from './fake-terminal.ts';
import { serviceView } from './sample-views.ts';

/** The terminal's time passes by sleeping, so a step is done at each look at the files; the last one interrupts. */
function stepping(steps: readonly (() => void)[]): FakeTerminal {
  const terminal = fakeTerminal();
  const left = [...steps];
  const { sleep } = terminal;
  return Object.assign(terminal, {
    sleep: async (milliseconds: number, cancel?: AbortSignal) => {
      await sleep(milliseconds, cancel);
      const step = left.shift();
      if (step === undefined) terminal.interrupt();
      else step();
    },
  });
}

test('logs -f shows the last lines, then new ones, across rotation, until it is interrupted', async () => {
  const daemon = await fakeDaemon({
    'GET /api/status': statusView([serviceView('web')]),
    'GET /api/logs': () => ({ files, logs: [], problems: [] }),
  });
  const stdout = join(daemon.directory, 'stdout.log');
  const stderr = join(daemon.directory, 'stderr.log');
  const files: LogFile[] = [
    { service: 'web', stream: 'stdout', path: stdout, instance: null },
    { service: 'web', stream: 'stderr', path: stderr, instance: null },
  ];
  writeFileSync(stdout, Array.from({ length: 30 }, (_, line) => `old ${line}\n`).join(''));
  const terminal = stepping([
    () => appendFileSync(stdout, 'new\n'),
    () => writeFileSync(stderr, 'appears later\n'),
    () => {
      appendFileSync(stdout, 'last before\n');
      renameSync(stdout, `${stdout}.1`);
      writeFileSync(stdout, 'first after\n');
    },
  ]);
  expect(await runOn(terminal, daemon, 'logs web -f -n 2')).toBe(130);
  expect(terminal.out().split('\n')).toEqual([
    'web stdout | old 28',
    'web stdout | old 29',
    'web stdout | new',
    'web stderr | appears later',
    'web stdout | last before',
    'web stdout | first after',
    '',
  ]);
  expect(terminal.err()).toBe('');
});

test('logs -f goes on while the daemon is away, and finds files that come later', async () => {
  let away = false;
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({
    'GET /api/logs': (_: unknown, response: { destroy(): void }) => {
      if (!away) return { files, logs: [], problems: [] };
      response.destroy();
      return undefined;
    },
  });
  const path = join(daemon.directory, 'stdout.log');
  const late = join(daemon.directory, 'late.log');
  files = [{ service: 'web', stream: 'stdout', path, instance: null }];
  writeFileSync(path, 'old\n');
  const idle = Array.from({ length: 25 }, () => () => {});
  const terminal = stepping([
    () => {
      away = true;
    },
    ...idle,
    () => {
      appendFileSync(path, 'while away\n');
      away = false;
      files = [...files, { service: 'new', stream: 'hint', path: late, instance: null }];
      writeFileSync(late, 'from its beginning\n');
    },
    ...idle,
  ]);
  expect(await runOn(terminal, daemon, 'logs -f')).toBe(130);
  expect(terminal.out()).toBe(
    'web stdout | old\nweb stdout | while away\nnew late.log | from its beginning\n',
  );
});

test('logs -f tells once that lines are cut, and makes room for a longer name when that shows a line', async () => {
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({ 'GET /api/logs': () => ({ files, logs: [], problems: [] }) });
  const path = join(daemon.directory, 'stdout.log');
  const late = join(daemon.directory, 'late.log');
  const long = `${'x'.repeat(LONGEST_LINE + 1)}\n`;
  writeFileSync(path, 'old\n');
  writeFileSync(late, '');
  files = [
    { service: 'web', stream: 'stdout', path, instance: null },
    { service: 'longer', stream: 'stdout', path: late, instance: null },
  ];
  const idle = Array.from({ length: 60 }, () => () => {});
  const terminal = stepping([
    () => appendFileSync(path, long),
    ...idle,
    () => appendFileSync(path, long),
    () => appendFileSync(late, 'first\n'),
    () => appendFileSync(path, 'last\n'),
  ]);
  expect(await runOn(terminal, daemon, 'logs -f')).toBe(130);
  expect(terminal.err()).toBe(`pmctl: ${path}: lines of more than 64 KiB are shown cut, and end with …\n`);
  const heads = terminal
    .out()
    .split('\n')
    .map((line) => line.slice(0, 21));
  const cut = 'web stdout | xxxxxxxx';
  expect(heads).toEqual(['web stdout | old', cut, cut, 'longer stdout | first', 'web stdout    | last', '']);
});

test('logs -f shows what a new log got since, also what was rotated before it was noticed', async () => {
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({ 'GET /api/logs': () => ({ files, logs: [], problems: [] }) });
  const path = join(daemon.directory, 'stdout.log');
  const hint = join(daemon.directory, 'syslog');
  const write = (to: string, lines: string, minutes: number): void => {
    writeFileSync(to, to.endsWith('.gz') ? gzipSync(lines) : lines);
    const time = NOW / 1000 + minutes * 60;
    utimesSync(to, time, time);
  };
  const idle = Array.from({ length: 60 }, () => () => {});
  const terminal = stepping([
    () => {
      // Of a service of that name that was there before.
      write(`${path}.3`, 'long ago\n', -5);
      write(`${path}.2.gz`, 'first\nsecond\n', 1);
      write(`${path}.1`, 'third\n', 2);
      write(path, 'fourth\n', 3);
      write(`${hint}.1`, 'not ours\n', 1);
      write(hint, 'hinted\n', 3);
      files = [
        { service: 'new', stream: 'stdout', path, instance: null },
        { service: 'new', stream: 'hint', path: hint, instance: null },
      ];
    },
    ...idle,
    () => {
      renameSync(path, `${path}.0`);
      renameSync(`${path}.1`, `${path}.2`);
      renameSync(`${path}.0`, `${path}.1`);
      writeFileSync(path, 'fifth\n');
    },
  ]);
  expect(await runOn(terminal, daemon, 'logs -f')).toBe(130);
  const shown = terminal.out().replaceAll(/ +/g, ' ').split('\n');
  expect(shown.filter((line) => line.includes('stdout'))).toEqual(
    ['first', 'second', 'third', 'fourth', 'fifth'].map((line) => `new stdout | ${line}`),
  );
  expect(shown.filter((line) => line.includes('syslog'))).toEqual(['new syslog | hinted']);
  expect(terminal.err()).toBe('');
});

test('logs -f follows nothing that this output goes to, and is refused where nothing else is there', async () => {
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({ 'GET /api/logs': () => ({ files, logs: [], problems: [] }) });
  const own = join(daemon.directory, 'own.log');
  const link = join(daemon.directory, 'link.log');
  const path = join(daemon.directory, 'stdout.log');
  writeFileSync(own, 'shown\n');
  writeFileSync(path, 'old\n');
  symlinkSync('own.log', link);
  const output = openSync(own, 'a');
  onTestFinished(() => closeSync(output));
  const ofProcess = `/proc/self/fd/${output}`;
  const elsewhere: LogFile[] = [
    { service: 'worker', stream: 'stdout', path: ofProcess, instance: null },
    { service: 'api', stream: 'hint', path: link, instance: null },
  ];
  files = elsewhere;
  const alone = fakeTerminal({ output });
  expect(await runOn(alone, daemon, 'logs -f')).toBe(1);
  expect(alone.out()).toBe('');
  expect(alone.err().split('\n').slice(-4)).toEqual([
    `pmctl: worker: ${ofProcess} is that of the manager: what is written there is seen where it was started`,
    `pmctl: api: ${link} is where this output goes: it is not read meanwhile`,
    'pmctl: none of these logs can be followed from here',
    '',
  ]);
  files = [...elsewhere, { service: 'web', stream: 'stdout', path, instance: null }];
  const rounds = Array.from({ length: 60 }, () => () => appendFileSync(own, 'more\n'));
  const beside = Object.assign(stepping([...rounds, () => appendFileSync(path, 'new\n')]), { output });
  expect(await runOn(beside, daemon, 'logs -f')).toBe(130);
  expect(beside.out().replaceAll(/ +/g, ' ')).toBe('web stdout | old\nweb stdout | new\n');
  // Told once, however often it is looked for new files.
  expect(beside.err().match(/is that of the manager/g)).toHaveLength(1);
});

test('logs -f says once what the daemon answers each time, and also what it answers later only', async () => {
  const problem = (message: string) => ({ code: 'log-removed', severity: 'warning', message });
  const problems = [problem('gone at first')];
  let questions = 0;
  const daemon = await fakeDaemon({
    'GET /api/logs': ({ query }: Asked) => {
      questions += 1;
      if (query.lines === '0') return { files, logs: [], problems };
      return { files, logs: files.map((file) => ({ ...file, time: null, line: 'sent' })), problems };
    },
  });
  const files: LogFile[] = [
    { service: 'web', stream: 'stdout', path: join(daemon.directory, 'nowhere/stdout.log'), instance: null },
  ];
  const rounds = Array.from({ length: 40 }, () => () => {});
  const later = () => void problems.push(problem('gone later'));
  const terminal = stepping([...rounds.slice(20), later, ...rounds]);
  expect(await runOn(terminal, daemon, 'logs -f')).toBe(130);
  expect(terminal.out()).toBe('web stdout | sent\n');
  expect(questions).toBeGreaterThan(5);
  expect(terminal.err()).toBe('pmctl: gone at first\npmctl: gone later\n');
});

test('logs -f --grep shows the lines that match, and a truncation by somebody is told', async () => {
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({
    'GET /api/logs': () => ({ files, logs: [], problems: [] }),
  });
  const path = join(daemon.directory, 'stdout.log');
  files = [{ service: 'web', stream: 'stdout', path, instance: 1 }];
  writeFileSync(path, 'a bad start\na good start\n');
  const terminal = stepping([
    () => appendFileSync(path, 'good\nbad\ngood again\n'),
    () => writeFileSync(path, 'bad\n'),
  ]);
  expect(await runOn(terminal, daemon, 'logs -f --grep bad')).toBe(130);
  expect(terminal.out()).toBe('web[1] stdout | a bad start\nweb[1] stdout | bad\nweb[1] stdout | bad\n');
  expect(terminal.err()).toBe(`pmctl: ${path} was truncated; it is followed from its beginning\n`);
});

test('logs -f repeats nothing of a shared file when the service goes that it was counted with', async () => {
  let files: LogFile[] = [];
  const daemon = await fakeDaemon({ 'GET /api/logs': () => ({ files, logs: [], problems: [] }) });
  const path = join(daemon.directory, 'shared.log');
  const link = join(daemon.directory, 'link.log');
  symlinkSync('shared.log', link);
  files = [{ service: 'api', stream: 'stdout', path, instance: null }];
  writeFileSync(path, 'old\n');
  const terminal = stepping([
    () => {
      appendFileSync(path, 'of api\n');
    },
    () => {
      files = [{ service: 'web', stream: 'stdout', path: link, instance: null }];
    },
    ...Array.from({ length: 25 }, () => () => {}),
    () => appendFileSync(path, 'of web\n'),
  ]);
  expect(await runOn(terminal, daemon, 'logs -f')).toBe(130);
  expect(terminal.out()).toBe('api stdout | old\napi stdout | of api\nweb stdout | of web\n');
});
