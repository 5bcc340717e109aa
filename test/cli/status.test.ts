import { describe, expect, test } from 'vitest';
import { paintFor } from '../../src/cli/paint.ts';
import { renderStatusIn } from '../../src/cli/render-status.ts';
import { textWidth } from '../../src/cli/text-width.ts';
import { Answer, fakeDaemon, HANDLED, run, runOn, statusView } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { ago, instanceView, restingView, serviceView } from './sample-views.ts';

const MINUTE = 60_000;

const failed = restingView('crashy', {
  state: 'failed',
  restarts: 4,
  reason: 'exit_3 4 times within 1m',
  last_exit: {
    instance: 0,
    code: 3,
    signal: null,
    oom: false,
    at: ago(2 * MINUTE),
    by: 'itself',
    uptime_ms: 900,
    reason: 'exit_3',
  },
});

const view = statusView([failed, serviceView('web', { drift: 'pending', labels: { team: 'shop' } })], {
  problems: [
    {
      code: 'yaml-syntax',
      severity: 'error',
      message: 'duplicate key "env"',
      file: 'config.d/billing.yaml',
      line: 31,
      column: 3,
      hint: 'remove one',
    },
  ],
  prune: { services: ['legacy'], reason: 'the configuration directory is empty' },
});

describe('status', () => {
  test('is a table of all services, then the broken files, then what the guard holds back', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    const { exit, out, err } = await run(daemon, 'status');
    expect(out.split('\n')).toEqual([
      'NAME    READY  STATE    GEN  RESTARTS   CPU  MEM  DRIFT    SINCE  REASON',
      'crashy    0/1  failed     3         4     -    -  -           2m  exit_3 4 times within 1m',
      'web       2/2  running    3         0  3.0%  48M  pending     3h',
      '',
      'error    config.d/billing.yaml:31:3  duplicate key "env"; remove one',
      'guard    not removed: legacy: the configuration directory is empty',
      '         confirm the removal with: pmctl update --prune',
      '',
    ]);
    expect(err).toBe('');
    expect(exit).toBe(0);
  });

  test('tells who scaled a service, unless something else explains more', async () => {
    const scaled = { instances: 4, file: 2, by: 'bob', at: ago(1000) };
    const services = [
      serviceView('web', { drift: 'scaled', scaled }),
      serviceView('worker', { drift: 'scaled', scaled, reason: 'not ready: not asked yet' }),
    ];
    const daemon = await fakeDaemon({ 'GET /api/status': statusView(services) });
    const { out } = await run(daemon, 'status');
    expect(out).toMatch(/^web .* scaled to 4 by bob; the file says 2$/m);
    expect(out).toMatch(/^worker .* not ready: not asked yet$/m);
  });

  test('of a job whose last run failed has that beside the next one', async () => {
    const schedule = {
      ...{ cron: '* * * * *', next: [ago(-8000)], next_at: ago(-8000), last_run_at: ago(MINUTE) },
      ...{ last_result: 'exit_3', skipped: { missed: 0, running: 0 } },
    };
    const job = { state: 'scheduled', schedule } as const;
    const services = [
      restingView('nightly', { ...job, reason: 'last run failed: exited with code 3' }),
      restingView('weekly', job),
    ];
    const { out } = await run(await fakeDaemon({ 'GET /api/status': statusView(services) }), 'status');
    expect(out).toMatch(/^nightly .* last run failed: exited with code 3; next run in 8s$/m);
    expect(out).toMatch(/^weekly .* {2}next run in 8s$/m);
  });

  test('has the generation that runs, and the newest while two do', async () => {
    const of = (...generations: readonly number[]) => ({
      instances: generations.map((generation, at) => instanceView(at, { generation })),
    });
    const services = [
      serviceView('kept', of(1, 1)),
      serviceView('rolling', of(2, 3)),
      restingView('resting'),
    ];
    const { out } = await run(await fakeDaemon({ 'GET /api/status': statusView(services) }), 'status');
    expect(out).toMatch(/^kept +2\/2 +running +1 /m);
    expect(out).toMatch(/^rolling +2\/2 +running +3 /m);
    expect(out).toMatch(/^resting +0\/1 +stopped +3 /m);
  });

  test('--json is what the daemon gave', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    const { out } = await run(daemon, 'status --json');
    expect(JSON.parse(out)).toEqual(view);
  });

  test('of named services has a row for each instance, and only their problems', async () => {
    const web = serviceView('web', {
      instances: [
        instanceView(0, { pids: [800, 810, 811, 812], adopted: true }),
        instanceView(1, { state: 'starting', pid: null, pids: [], started_at: null, reason: 'just started' }),
      ],
    });
    const problems = [
      { code: 'yaml-syntax', severity: 'error', message: 'of another', service: 'other' },
      { code: 'limit-unapplied', severity: 'warning', message: 'of web', service: 'web' },
    ] as const;
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([web, failed], { problems }) });
    const { out } = await run(daemon, 'status web');
    const lines = out.split('\n');
    expect(lines[2]).toMatch(/^ {2}0 +running +3 +0 +1.5% +24M +3h {2}pid 800 810 811 and 1 more, adopted$/);
    expect(lines[3]).toMatch(/^ {2}1 +starting .* - {2}just started$/);
    expect(out).not.toContain('crashy');
    expect(out).not.toContain('of another');
    expect(out).toContain('warning  of web');
  });

  test('of an unknown service is exit 3 with the name that was meant', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    const { exit, out, err } = await run(daemon, 'status wbe');
    expect(err).toBe('pmctl: no service is called "wbe"; did you mean web?\n');
    expect(out).toBe('');
    expect(exit).toBe(3);
  });

  test('fits the terminal and colours states on it', async () => {
    const long = serviceView('long', { state: 'failed', reason: 'it went wrong '.repeat(30) });
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([long]) });
    for (const columns of [60, 80, 140]) {
      const { out } = await run(daemon, 'status', { screen: { columns, rows: 24 } });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no columns
      const plain = out.replace(/\u001b\[\d+m/g, '').split('\n');
      expect(Math.max(...plain.map(textWidth))).toBe(columns);
      expect(out).toContain('\u001b[31mfailed\u001b[0m');
    }
    const plain = await run(daemon, 'status --no-color', { screen: { columns: 80, rows: 24 } });
    expect(plain.out).not.toContain('\u001b');
  });

  test('says so when there is no service', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([]) });
    expect(await run(daemon, 'status')).toEqual({ exit: 0, out: 'no services\n', err: '' });
  });
});

describe('list', () => {
  test('prints names only, all or those with a label', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    expect((await run(daemon, 'list')).out).toBe('crashy\nweb\n');
    expect((await run(daemon, 'list -l team=shop')).out).toBe('web\n');
    expect(JSON.parse((await run(daemon, 'list --json')).out)).toEqual({ services: ['crashy', 'web'] });
  });

  test('a label that no service has is an error', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    const { exit, err } = await run(daemon, 'list -l team=shop -l tier=gold');
    expect(err).toBe('pmctl: no service has label team=shop, tier=gold\n');
    expect(exit).toBe(1);
  });
});

describe('status --watch', () => {
  const screen = { columns: 80, rows: 24 };
  const LEAVE = '\u001b[?25h\u001b[?7h\u001b[?1049l';

  test.each([
    { key: 'q', exit: 0 },
    { key: '\u0003', exit: 130 },
  ])('redraws until $key and gives the screen back', async ({ key, exit }) => {
    const terminal = fakeTerminal({ screen });
    const daemon = await fakeDaemon({
      'GET /api/status': () => {
        if (daemon.askedFor('GET /api/status').length === 3) terminal.press(key);
        return view;
      },
    });
    expect(await runOn(terminal, daemon, 'status --watch')).toBe(exit);
    expect(terminal.out().startsWith('\u001b[?1049h')).toBe(true);
    expect(terminal.out().endsWith(LEAVE)).toBe(true);
    expect(terminal.out()).toContain('crashy');
  });

  test('an interrupt from outside gives the screen back before the program can end', async () => {
    const terminal = fakeTerminal({ screen });
    const daemon = await fakeDaemon({
      'GET /api/status': () => {
        if (daemon.asked.length === 2) {
          terminal.interrupt();
          expect(terminal.out().endsWith(LEAVE)).toBe(true);
        }
        return view;
      },
    });
    expect(await runOn(terminal, daemon, 'status --watch')).toBe(130);
  });

  test('scrolls to what is below the screen', async () => {
    const terminal = fakeTerminal({ screen: { columns: 80, rows: 6 } });
    const many = Array.from({ length: 20 }, (_, index) => serviceView(`web-${index}`));
    const daemon = await fakeDaemon({
      'GET /api/status': () => {
        const asked = daemon.asked.length;
        if (asked === 2) terminal.press('\u001b[6~');
        if (asked === 3) terminal.press('q');
        return statusView(many);
      },
    });
    expect(await runOn(terminal, daemon, 'status --watch')).toBe(0);
    // A page has two.
    expect(terminal.out()).toContain('… 2 above, 16 more: 16 running');
  });

  test('goes on while the daemon is away, and cuts what is below the screen', async () => {
    const terminal = fakeTerminal({ screen: { columns: 80, rows: 6 } });
    const many = Array.from({ length: 20 }, (_, index) => serviceView(`web-${index}`));
    const daemon = await fakeDaemon({
      'GET /api/status': () => {
        const asked = daemon.asked.length;
        if (asked === 2)
          return new Answer(503, { error: { code: 'busy', message: 'the daemon is starting' } });
        if (asked === 4) terminal.press('q');
        return statusView(many);
      },
    });
    expect(await runOn(terminal, daemon, 'status --watch')).toBe(0);
    expect(terminal.out()).toContain('the daemon is starting');
    // Six lines: the time, an empty one, the title, two services, and how many are left.
    expect(terminal.out()).toContain('… 18 more: 18 running');
    expect(terminal.out()).toContain('web-1 ');
    expect(terminal.out()).not.toContain('web-2 ');
  });
});

describe('a screen that is too small for all services', () => {
  const paint = paintFor({ terminal: false, refused: false, environment: {} });
  const look = { now: Date.now(), width: 80, paint, instances: false };
  const many = Array.from({ length: 20 }, (_, at) => serviceView(`web-${at}`));
  const problem = (file: string) =>
    ({ code: 'yaml-syntax', severity: 'error', message: 'odd', file }) as const;

  test('shows first what is wrong, and counts what is not shown by state', () => {
    const services = [
      ...many,
      serviceView('x-crashy', { state: 'backoff', ready: 0, reason: 'exited with code 3' }),
      serviceView('y-coming', { state: 'starting', ready: 0 }),
      restingView('z-off'),
    ];
    const prune = { services: ['gone'], reason: 'too many at once' };
    const { lines } = renderStatusIn(
      statusView(services, { problems: [problem('config.d/web.yaml')], prune }),
      look,
      9,
    );
    expect(lines).toHaveLength(9);
    expect(lines[0]).toContain('not removed: gone: too many at once');
    expect(lines[2]).toMatch(/^error +config\.d\/web\.yaml/);
    expect(lines.slice(4, 6).map((line) => line.split(' ')[0])).toEqual(['x-crashy', 'y-coming']);
    expect(lines[6]).toMatch(/^web-0 /);
    // Two lines of the guard, one of the file, the title, four services, and this one.
    expect(lines.at(-1)).toBe('… 19 more: 18 running, 1 stopped');
  });

  test('names the first of many removals that the guard holds back, and counts the others', async () => {
    const services = Array.from({ length: 60 }, (_, index) => `web-${index}`);
    const prune = { services, reason: 'the configuration directory is empty' };
    const daemon = await fakeDaemon({ 'GET /api/status': { ...view, prune } });
    const { out } = await run(daemon, 'status');
    expect(out).toContain(
      `not removed: ${services.slice(0, 10).join(', ')}, and 50 more: the configuration directory is empty\n`,
    );
  });

  test('cuts what is wrong to the width: a screen that is kept has no second line for it', () => {
    const problems = [{ ...problem('config.d/web.yaml'), message: 'word '.repeat(40) }];
    const prune = { services: many.map(({ name }) => name), reason: 'too many at once' };
    for (const lines of [9, 50]) {
      const told = renderStatusIn(statusView(many, { problems, prune }), look, lines).lines;
      expect(Math.max(...told.map(textWidth))).toBe(80);
    }
  });

  test.each([
    // The title, so many services, and the line that counts the others.
    [0, 0, ['web-0', 'web-1'], '… 18 more: 18 running'],
    [5, 5, ['web-5', 'web-6'], '… 5 above, 13 more: 13 running'],
    [99, 18, ['web-18', 'web-19'], '… 18 above'],
  ])(
    'begins with service %i where somebody scrolled, and ends with the last',
    (wanted, from, names, more) => {
      const page = renderStatusIn(statusView(many), look, 4, wanted);
      expect(page.from).toBe(from);
      expect(page.lines.slice(1, -1).map((line) => line.split(' ')[0])).toEqual(names);
      expect(page.lines.at(-1)).toBe(more);
    },
  );

  test('counts nothing where only the empty line had no room', () => {
    const services = [serviceView('a'), serviceView('b')];
    const { lines } = renderStatusIn(
      statusView(services, { problems: [problem('config.d/x.yaml')] }),
      look,
      4,
    );
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['error', 'NAME', 'a', 'b']);
  });

  test('keeps the order by name where everything fits', () => {
    const services = [serviceView('a'), serviceView('b', { state: 'failed', ready: 0 })];
    const { lines } = renderStatusIn(statusView(services), look, 3);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['NAME', 'a', 'b']);
  });

  test('leaves room for services however many files are wrong', () => {
    const problems = Array.from({ length: 30 }, (_, at) => problem(`config.d/f${at}.yaml`));
    const { lines } = renderStatusIn(statusView(many, { problems }), look, 12);
    expect(lines).toHaveLength(12);
    expect(lines[4]).toBe('26 more problems in files');
    expect(lines.filter((line) => line.startsWith('web-'))).toHaveLength(5);
  });
});

describe('an answer that cannot be used', () => {
  test.each([
    {
      why: 'the daemon refuses',
      answer: new Answer(400, { error: { code: 'odd', message: 'no\u001b[2J' } }),
      says: 'pmctl: no\\x1b[2J\n',
    },
    {
      why: 'the daemon is newer',
      answer: new Answer(
        409,
        { error: { code: 'protocol', message: 'x' } },
        { 'x-processmaster-protocol': '2' },
      ),
      says: /the daemon speaks protocol 2 and this pmctl protocol 1; pmctl is older/,
    },
    {
      why: 'the daemon is older',
      answer: new Answer(
        409,
        { error: { code: 'protocol', message: 'x' } },
        { 'x-processmaster-protocol': '0' },
      ),
      says: /the daemon is older: restart it/,
    },
    {
      why: 'the route is missing',
      answer: undefined,
      says: /does not know GET \/api\/status; is it older than pmctl/,
    },
    { why: 'it is another server', answer: new Answer(500, 'oops'), says: /is not processmaster/ },
    {
      why: 'it hangs up',
      answer: (_: unknown, response: { destroy(): void }) => {
        response.destroy();
        return HANDLED;
      },
      says: /closed the connection before it had answered/,
    },
  ])('$why: exit 1 and a sentence', async ({ answer, says }) => {
    const daemon = await fakeDaemon({ 'GET /api/status': answer });
    const { exit, out, err } = await run(daemon, 'status');
    expect(err).toMatch(says);
    expect(out).toBe('');
    expect(exit).toBe(1);
  });

  test('with --json the error is an object on stdout as well', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': view });
    const { exit, out, err } = await run(daemon, 'status nosuch --json');
    expect(JSON.parse(out)).toEqual({
      error: { code: 'unknown_service', message: 'no service is called "nosuch"' },
    });
    expect(err).toBe('pmctl: no service is called "nosuch"\n');
    expect(exit).toBe(3);
  });
});
