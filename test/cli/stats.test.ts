import { describe, expect, test } from 'vitest';
import type { ServiceStats } from '../../src/api/stats.ts';
import { chosen } from '../../src/cli/stats-order.ts';
import { Answer, fakeDaemon, HANDLED, run, runOn } from './fake-daemon.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';

const MINUTE = 60_000;
const MEBIBYTE = 1024 * 1024;

function row(name: string, more: Partial<ServiceStats> = {}): ServiceStats {
  return {
    name,
    status: 'running',
    pid: 800,
    uptime: 3 * MINUTE,
    restartCount: 0,
    cpu: 1.5,
    memoryRss: 24 * MEBIBYTE,
    memoryHeap: null,
    memory: 30 * MEBIBYTE,
    mode: 'fork',
    instances: 1,
    running: 1,
    processes: 1,
    ioRead: null,
    ioWritten: null,
    ...more,
  };
}

const web = row('web', {
  cpu: 80,
  mode: 'cluster',
  instances: 4,
  running: 3,
  processes: 7,
  ioRead: 2048,
  ioWritten: 0,
});
const db = row('db', { memoryRss: 900 * MEBIBYTE, restartCount: 2 });
const crashy = row('crashy', {
  status: 'failed',
  pid: null,
  uptime: null,
  restartCount: 5,
  cpu: null,
  memoryRss: null,
  memory: null,
  running: 0,
  processes: 0,
});
const services = [crashy, db, web];

const canned = { 'GET /api/stats': { services } };

describe('stats', () => {
  test('is a table by name', async () => {
    const { exit, out } = await run(await fakeDaemon(canned), 'stats');
    expect(out.split('\n')).toEqual([
      'NAME    STATUS   PID  UPTIME  RESTARTS   CPU   RSS  MODE     INSTANCES  PROCS  READ  WRITTEN',
      'crashy  failed     -       -         5     -     -  fork           0/1      0     -        -',
      'db      running  800      3m         2  1.5%  900M  fork           1/1      1     -        -',
      'web     running  800      3m         0   80%   24M  cluster        3/4      7  2.0K       0B',
      '',
    ]);
    expect(exit).toBe(0);
  });

  test('has a column for the heap where a service tells of it', async () => {
    const told = { 'GET /api/stats': { services: [row('web', { memoryHeap: 8 * MEBIBYTE }), db] } };
    const { out } = await run(await fakeDaemon(told), 'stats');
    expect(out.split('\n')).toEqual([
      'NAME  STATUS   PID  UPTIME  RESTARTS   CPU   RSS  HEAP  MODE  INSTANCES  PROCS  READ  WRITTEN',
      'db    running  800      3m         2  1.5%  900M     -  fork        1/1      1     -        -',
      'web   running  800      3m         0  1.5%   24M  8.0M  fork        1/1      1     -        -',
      '',
    ]);
  });

  test('--json is what the daemon gave of the named services, in the order that was asked for', async () => {
    const { out } = await run(await fakeDaemon(canned), 'stats web db --sort mem --json');
    expect(JSON.parse(out)).toEqual({ services: [db, web] });
  });

  test('of an unknown service is exit 3 with the name that was meant', async () => {
    const { exit, out, err } = await run(await fakeDaemon(canned), 'stats wbe');
    expect({ exit, out, err }).toEqual({
      exit: 3,
      out: '',
      err: 'pmctl: no service is called "wbe"; did you mean web?\n',
    });
  });

  test('has words for a directory without services', async () => {
    const { out } = await run(await fakeDaemon({ 'GET /api/stats': { services: [] } }), 'stats');
    expect(out).toBe('no services\n');
  });
});

describe('the order', () => {
  const names = (by: Parameters<typeof chosen>[1]['by'], reversed = false, filter = ''): string =>
    chosen([web, row('api', { cpu: 80 }), crashy, db], { by, reversed, filter })
      .map(({ name }) => name)
      .join(' ');

  test.each([
    ['cpu', false, 'api web db crashy'],
    ['cpu', true, 'db api web crashy'],
    ['mem', false, 'db api web crashy'],
    ['restarts', false, 'crashy db api web'],
    ['name', false, 'api crashy db web'],
    ['name', true, 'web db crashy api'],
  ] as const)('by %s, reversed: %s', (by, reversed, expected) => {
    expect(names(by, reversed)).toBe(expected);
  });

  test('is of those whose name or state has the text in it', () => {
    expect(names('name', false, 'B')).toBe('db web');
    expect(names('name', false, 'fail')).toBe('crashy');
    expect(names('name', false, 'nosuch')).toBe('');
  });
});

const ENTER = '\u001b[?1049h\u001b[?7l\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?7h\u001b[?1049l';

/** The lines of the picture that was drawn last. */
function shown(terminal: FakeTerminal): readonly string[] {
  const last = terminal.out().replace(LEAVE, '').split('\u001b[H').at(-1) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours and clearing
  return last.replace(/\u001b\[\d*[mKJ]/g, '').split('\r\n');
}

/** Presses each key as soon as the picture shows what the step waits for; the last one ends it. */
async function topWith(
  steps: readonly (readonly [when: RegExp, act: (terminal: FakeTerminal) => void])[],
  options: { readonly columns?: number; readonly rows?: number; readonly answer?: unknown } = {},
): Promise<{ readonly exit: number; readonly terminal: FakeTerminal }> {
  const { columns = 110, rows = 12, answer = { services } } = options;
  const terminal = fakeTerminal({ screen: { columns, rows } });
  const open = [...steps];
  let looks = 0;
  const daemon = await fakeDaemon({
    'GET /api/stats': () => {
      looks++;
      const next = open[0];
      const now = shown(terminal).join('\n');
      if (next?.[0].test(now)) {
        open.shift();
        next[1](terminal);
      }
      if (looks > 50) terminal.interrupt();
      return typeof answer === 'function' ? answer(looks) : answer;
    },
  });
  const exit = await runOn(terminal, daemon, 'top');
  expect(
    open.map(([when]) => String(when)),
    `seen at last:\n${shown(terminal).join('\n')}`,
  ).toEqual([]);
  return { exit, terminal };
}

const press =
  (...keys: readonly string[]) =>
  (terminal: FakeTerminal): void => {
    for (const key of keys) terminal.press(key);
  };

describe('top', () => {
  test('is one table where there is no terminal, the busiest first', async () => {
    const { exit, out } = await run(await fakeDaemon(canned), 'top');
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['NAME', 'web', 'db', 'crashy', '']);
    expect(out).not.toContain('\u001b');
    expect(exit).toBe(0);
  });

  test('takes the screen until q, and gives it back', async () => {
    const { exit, terminal } = await topWith([[/^3 services, 2 running {3}cpu 82% {3}rss 924M/, press('q')]]);
    expect(terminal.out().startsWith(ENTER)).toBe(true);
    expect(terminal.out().endsWith(LEAVE)).toBe(true);
    expect(exit).toBe(0);
  });

  test.each([
    ['c', /CPU↑ /, 'db web crashy'],
    ['m', /RSS↓ /, 'db web crashy'],
    ['n', /NAME↓ /, 'crashy db web'],
    ['r', /RESTARTS↓ /, 'crashy db web'],
  ])('%s sorts', async (key, header, order) => {
    let names = '';
    await topWith([
      [/CPU↓/, press(key)],
      [
        header,
        (terminal) => {
          names = shown(terminal)
            .slice(4)
            .map((line) => line.split(' ')[0])
            .join(' ');
          terminal.press('q');
        },
      ],
    ]);
    expect(names).toBe(order);
  });

  test('/ filters while it is typed: every key is a letter then, Esc drops it', async () => {
    const { exit } = await topWith([
      [/CPU↓/, press('/', 'q', '\u007f', 'w', 'e')],
      [/filter: we_.*\nweb (?!.*\ndb )/s, press('x')],
      [/no service has "wex"/, press('\u007f', '\r')],
      [/filter: we \(Esc drops it\).*\nweb /s, press('\u001b')],
      [/\/ filters.*\ndb /s, press('q')],
    ]);
    expect(exit).toBe(0);
  });

  test('scrolls where there are more rows than room, and stays within them', async () => {
    const many = Array.from({ length: 9 }, (_, index) => row(`s${index}`, { cpu: 9 - index }));
    await topWith(
      [
        [/1-4 of 9.*\ns0 .*\ns3 /s, press('\u001b[B')],
        [/2-5 of 9.*\ns1 /s, press('\u001b[6~', '\u001b[6~', '\u001b[6~')],
        [/6-9 of 9.*\ns5 .*\ns8 /s, press('\u001b[A')],
        [/5-8 of 9/, press('q')],
      ],
      { rows: 8, answer: { services: many } },
    );
  });

  test('follows the size of the window at once', async () => {
    const { terminal } = await topWith([
      [/WRITTEN/, (at) => at.resize({ columns: 40, rows: 6 })],
      [/^(?!.*WRITTEN).*CPU/s, press('q')],
    ]);
    for (const line of shown(terminal)) expect(line.length).toBeLessThanOrEqual(40);
    expect(shown(terminal).length).toBeLessThanOrEqual(6);
  });

  test('tells of a daemon that is away for a while, and goes on', async () => {
    const answer = (look: number): unknown =>
      look === 3 ? new Answer(500, { error: { code: 'internal', message: 'out of order' } }) : { services };
    await topWith(
      [
        [/out of order/, () => {}],
        [/\nweb /, press('q')],
      ],
      { answer },
    );
  });

  test('q need not wait for a daemon that does not answer', { timeout: 5000 }, async () => {
    const { exit } = await topWith([[/CPU↓/, press('q')]], {
      answer: (look: number): unknown => (look < 3 ? { services } : HANDLED),
    });
    expect(exit).toBe(0);
  });

  test('Ctrl-C and an interrupt give the screen back as well, with 130', async () => {
    for (const act of [press('\u0003'), (terminal: FakeTerminal) => terminal.interrupt()]) {
      const { exit, terminal } = await topWith([[/CPU↓/, act]]);
      expect(terminal.out().endsWith(LEAVE)).toBe(true);
      expect(exit).toBe(130);
    }
  });

  test('of an unknown service does not take the screen', async () => {
    const terminal = fakeTerminal({ screen: { columns: 80, rows: 24 } });
    expect(await runOn(terminal, await fakeDaemon(canned), 'top wbe')).toBe(3);
    expect(terminal.out()).toBe('');
    expect(terminal.err()).toContain('did you mean web?');
  });
});
