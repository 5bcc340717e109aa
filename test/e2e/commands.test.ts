/** What do the commands do, answer and exit with, as people and scripts meet them? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND, GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('stop, start, restart, hold, release, disable, enable and scale answer with what is the case then', async () => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    const command = async (...words: readonly string[]): Promise<unknown> => {
      const { code, json, stdout, stderr } = await host.pmctl(...words, '--json');
      expect({ words, code, stdout, stderr }).toMatchObject({ code: 0 });
      expect(json.results).toHaveLength(1);
      expect(json.results[0]).toEqual({ service: 'web', result: 'done', detail: expect.any(String) });
      return (await host.view('web')) ?? {};
    };
    expect(await command('stop', 'web')).toMatchObject({ state: 'stopped', drift: 'stopped', pid: null });
    expect(isGone(pid)).toBe(true);
    expect(await command('stop', 'web')).toMatchObject({ state: 'stopped' });
    expect(await command('start', 'web')).toMatchObject({ state: 'running', drift: 'none', ready: 1 });
    const second = await host.pidOf('web');
    expect(await command('start', 'web')).toMatchObject({ state: 'running', pid: second });
    expect(await command('restart', 'web')).toMatchObject({ state: 'running', ready: 1 });
    expect(await host.pidOf('web')).not.toBe(second);
    expect(isGone(second)).toBe(true);
    expect(await command('hold', 'web', '-m', 'incident 4412', '--for', '2h')).toMatchObject({
      drift: 'held',
      held: { reason: 'incident 4412', until: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    const ending = /^held by \w+ until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: incident 4412$/;
    const { json } = await host.pmctl('diff', '--json');
    expect(json.held).toMatchObject([
      { service: 'web', reason: expect.stringMatching(ending), until: expect.any(String) },
    ]);
    expect((await host.pmctl('why', 'web')).stdout).toMatch(new RegExp(ending.source.slice(1), 'm'));
    expect(await command('release', 'web')).toMatchObject({ drift: 'none' });
    expect(await command('scale', 'web', '3')).toMatchObject({ ready: 3, desired: 3, drift: 'scaled' });
    expect(await command('scale', 'web', '1')).toMatchObject({ ready: 1, desired: 1, drift: 'none' });
    expect(await command('disable', 'web')).toMatchObject({ state: 'stopped', enabled: false, desired: 0 });
    expect(await command('enable', 'web')).toMatchObject({ state: 'running', enabled: true, ready: 1 });
  });

  test('what is written for a held service waits for its release, and everybody is told', async () => {
    const host = openHost({ ground });
    const version = (V: string): unknown => host.service('web', { process: { command: SLEEP, env: { V } } });
    version('2');
    await host.start(['--watch-enabled', 'false']);
    const pid = await host.pidOf('web');
    expect((await host.pmctl('hold', 'web', '-m', 'incident')).code).toBe(0);
    version('3');
    const waits = {
      service: 'web',
      action: 'roll',
      because: [{ path: 'process.env.V', from: '"2"', to: '"3"' }],
    };
    for (const verb of ['diff', 'update', 'diff']) {
      const { code, json } = await host.pmctl(verb, '--json');
      expect({ code, ...json }).toMatchObject({
        ...{ code: 0, changes: [], unchanged: 0 },
        held: [{ service: 'web', reason: expect.stringMatching(/^held by \w+: incident$/), change: waits }],
      });
    }
    expect((await host.pmctl('why', 'web')).stdout).toMatch(
      /Not applied yet:\n {2}process\.env\.V {2}"2" -> "3"/,
    );
    expect(await host.pidOf('web')).toBe(pid);
    expect((await host.pmctl('release', 'web')).code).toBe(0);
    expect((await host.pmctl('wait', 'web')).code).toBe(0);
    expect(isGone(pid)).toBe(true);
    expect((await host.pmctl('diff', '--json')).json).toMatchObject({ changes: [], unchanged: 1, held: [] });
  });

  test('restart replaces each instance exactly once, one after the other', async () => {
    const host = openHost({ ground });
    host.service('web', { instances: 3, process: { command: SLEEP } });
    await host.start();
    const before = await host.runs('web', 3);
    expect((await host.pmctl('restart', 'web')).code).toBe(0);
    const after = await host.runs('web', 3);
    expect(new Set([...before, ...after]).size).toBe(6);
    expect(before.filter((pid) => !isGone(pid))).toEqual([]);
    const told = host.lifecycle().filter(({ service }) => service === 'web');
    expect(told.map(({ event, fields }) => `${event} ${fields['instance']} ${fields['generation']}`)).toEqual(
      [
        'worker_started 0 1',
        'worker_started 1 1',
        'worker_started 2 1',
        ...['0', '1', '2'].flatMap((slot) => [
          `worker_started ${slot} 2`,
          `worker_stop_requested ${slot} 1`,
          `worker_stopped ${slot} 1`,
        ]),
      ],
    );
  });
});

test('updates, restarts and stops at the same time end in one truth, and no instance restarts more than needed', async () => {
  const host = openHost({ ground: GROUND });
  await host.start(['--watch-enabled', 'false']);
  const names = ['a', 'b', 'c'];
  const version = (text: string): void => {
    for (const name of names)
      host.service(name, { instances: 2, process: { command: SLEEP, env: { V: text } } });
  };
  version('1');
  expect((await host.pmctl('update')).code).toBe(0);
  version('2');
  const answers = await Promise.all([
    host.pmctl('update', '--json'),
    host.pmctl('update', '--json'),
    host.pmctl('stop', 'b', '--json'),
    host.pmctl('update', 'a', '--json'),
  ]);
  expect(answers[2]).toMatchObject({ code: 0 });
  const [a, c] = [await host.runs('a', 2), await host.runs('c', 2)];
  expect(await host.view('b')).toMatchObject({ state: 'stopped', drift: 'stopped' });
  for (const pid of [...a, ...c])
    expect(fs.readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('\0V=2\0');
  const starts = (name: string) =>
    host.lifecycle('worker_started').filter(({ service }) => service === name).length;
  expect({ a: starts('a'), c: starts('c') }).toEqual({ a: 4, c: 4 });
  expect(starts('b')).toBeLessThanOrEqual(4);
  expect((await host.pmctl('diff')).code).toBe(0);
});

describe('without watching', () => {
  test('diff shows also what comes, changes and goes of services of which nothing runs', async () => {
    const host = openHost({ ground: GROUND, settings: { prune: { max_percent: 100 } } });
    const yearly = (hour: number) => ({ process: { command: 'true', schedule: `0 ${hour} 1 1 *` } });
    const once = (description: string) => ({ description, process: { command: 'true', type: 'oneshot' } });
    host.service('yearly', yearly(3));
    host.service('resting', SLEEP);
    host.service('off', { enabled: false, process: { command: ['sleep', '1000'] } });
    host.service('gone', yearly(3));
    host.service('once', once('old'));
    await host.start(['--watch-enabled', 'false']);
    await host.sees('once', 'completed', ({ state }) => state === 'completed');
    await host.pmctl('stop', 'resting');
    expect(await host.pmctl('diff')).toMatchObject({ code: 0 });

    host.service('yearly', yearly(4));
    host.service('new', yearly(5));
    host.service('off', { enabled: false, process: { command: ['sleep', '2000'] } });
    host.service('once', once('new'));
    host.remove('gone.yaml');
    host.remove('resting.yaml');
    const diff = await host.pmctl('diff');
    expect(diff.code).toBe(2);
    expect(diff.stdout).toMatch(/^- gone +FORGET +file removed$/m);
    expect(diff.stdout).toMatch(/^~ new +DEFINE +added; its schedule says when it runs$/m);
    expect(diff.stdout).toMatch(/^~ off +DEFINE +process\.command\[1\] +"1000" -> "2000" +config\.d/m);
    expect(diff.stdout).toMatch(/^~ once +DEFINE +description +"old" -> "new" /m);
    expect(diff.stdout).toMatch(/^- resting +FORGET +file removed$/m);
    expect(diff.stdout).toMatch(/^~ yearly +DEFINE +process\.schedule\.cron /m);
    expect(diff.stdout).toContain('= 0 unchanged');
    expect(diff.stdout).toContain('No process is touched.');

    const update = await host.pmctl('update', '--json');
    expect(update.code).toBe(0);
    const results = update.json.changes.map(({ service, action, result }: Record<string, string>) => {
      return `${service} ${action} ${result}`;
    });
    expect(results).toEqual([
      'gone forget done',
      'new define done',
      'off define done',
      'once define done',
      'resting forget done',
      'yearly define done',
    ]);
    expect((await host.status()).services.map(({ name }) => name)).toEqual(['new', 'off', 'once', 'yearly']);
    expect(await host.pmctl('diff')).toMatchObject({ code: 0 });
  });

  test('diff shows what would be done and exits 2; update does just that; then there is nothing to do', async () => {
    const host = openHost({ ground: GROUND });
    host.service('api', { instances: 2, process: { command: ['sleep', '1000'], args: ['1'] } });
    host.service('live', { description: 'old', process: { command: SLEEP } });
    host.service('legacy', SLEEP);
    host.service('same', SLEEP);
    for (const name of ['w', 'x', 'y', 'z']) host.service(name, SLEEP);
    await host.start(['--watch-enabled', 'false']);
    const before = await host.status();
    host.service('api', { instances: 2, process: { command: ['sleep', '1000'], args: ['2'] } });
    host.service('live', { description: 'new', process: { command: SLEEP } });
    host.remove('legacy.yaml');
    host.service('mailer', SLEEP);
    const diff = await host.pmctl('diff');
    expect(diff.code).toBe(2);
    expect(diff.stdout).toMatch(
      /^~ api +2 instances +ROLL +process\.args\[0\] +"1" -> "2" +config\.d\/api\.yaml:\d+$/m,
    );
    expect(diff.stdout).toMatch(/^~ live +LIVE +description +"old" -> "new" /m);
    expect(diff.stdout).toMatch(/^- legacy +-1 instance +STOP +file removed$/m);
    expect(diff.stdout).toMatch(/^\+ mailer +\+1 instance +START /m);
    expect(diff.stdout).toContain('2 processes will be replaced, 1 started, 1 stopped.');
    const { json } = await host.pmctl('diff', '--json');
    expect(json).toMatchObject({ errors: [], unchanged: 5 });
    expect(json.changes[0]).toEqual({
      service: 'api',
      action: 'roll',
      instances: 2,
      reason: expect.any(String),
      because: [
        {
          path: 'process.args[0]',
          from: '"1"',
          to: '"2"',
          class: 'roll',
          file: 'config.d/api.yaml',
          line: expect.any(Number),
        },
      ],
    });
    expect((await host.status()).services.map(({ pid }) => pid)).toEqual(
      before.services.map(({ pid }) => pid),
    );

    const update = await host.pmctl('update', '--json');
    expect(update.code).toBe(0);
    const done = update.json.changes.map(({ service, action, result }: Record<string, string>) => [
      service,
      action,
      result,
    ]);
    const planned = json.changes.map(({ service, action }: Record<string, string>) => [
      service,
      action,
      'done',
    ]);
    expect(done).toEqual(planned);
    expect((await host.pmctl('diff')).code).toBe(0);
    const after = await host.status();
    const pidIn = (status: typeof after, name: string) =>
      status.services.find((service) => service.name === name)?.pid;
    for (const name of ['same', 'live']) expect(pidIn(after, name)).toBe(pidIn(before, name));
    expect(pidIn(after, 'legacy')).toBeUndefined();
    expect(after.services.find(({ name }) => name === 'live')?.description).toBe('new');
    const again = await host.pmctl('update', '--json');
    expect(again).toMatchObject({ code: 0, json: { changes: [] } });
  });

  test('update of one service deploys that one; enable and disable deploy nothing else', async () => {
    const host = openHost({ ground: GROUND });
    for (const name of ['a', 'b', 'c']) host.service(name, SLEEP);
    await host.start(['--watch-enabled', 'false']);
    const b = await host.pidOf('b');
    for (const name of ['a', 'b', 'c']) host.service(name, 'exec sleep 2000');
    expect((await host.pmctl('update', 'a')).code).toBe(0);
    expect(await host.view('a')).toMatchObject({ generation: 2 });
    expect((await host.pmctl('disable', 'c')).code).toBe(0);
    expect(await host.view('c')).toMatchObject({ enabled: false, state: 'stopped' });
    expect(await host.pidOf('b')).toBe(b);
    expect(
      (await host.pmctl('diff', '--json')).json.changes.map(({ service }: { service: string }) => service),
    ).toEqual(['b']);
  });
});

test('labels and all select; what somebody stopped is not restarted by all, and what completed is not started by it', async () => {
  const host = openHost({ ground: GROUND });
  host.service('cart', { labels: { team: 'shop', tier: 'web' }, process: { command: SLEEP } });
  host.service('pay', { labels: { team: 'shop' }, process: { command: SLEEP } });
  host.service('mail', { labels: { team: 'post' }, process: { command: SLEEP } });
  host.service('once', { process: { command: `echo x >> ${host.work}/once`, type: 'oneshot' } });
  await host.start();
  for (const name of ['cart', 'pay', 'mail']) await host.runs(name);
  await host.sees('once', 'completed', ({ state }) => state === 'completed');
  const names = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { code, json } = await host.pmctl(...words, '--json');
    expect(code).toBe(0);
    return json.results.map(({ service }: { service: string }) => service);
  };
  expect(await names('stop', '-l', 'team=shop', '-l', 'tier=web')).toEqual(['cart']);
  expect(await names('restart', '-l', 'team=shop')).toEqual(['pay']);
  expect(await names('restart', 'all')).toEqual(['mail', 'pay']);
  expect(await host.view('cart')).toMatchObject({ state: 'stopped' });
  expect(await names('start', 'all')).toEqual(['cart', 'mail', 'pay']);
  expect(host.said('once')).toBe('x\n');
  expect((await host.pmctl('stop', '-l', 'team=nobody')).code).toBe(1);
  expect(await names('stop', 'all')).toEqual(['cart', 'mail', 'pay']);
});

test('an unknown name is refused by every command, with a hint, and nothing is done for the known one beside it', async () => {
  const host = openHost({ ground: GROUND });
  host.service('billing', SLEEP);
  await host.start();
  const pid = await host.pidOf('billing');
  const commands: readonly (readonly string[])[] = [
    ...['start', 'stop', 'restart', 'release', 'enable', 'disable'].map((verb) => [
      verb,
      'billing',
      'biling',
    ]),
    ['hold', 'billing', 'biling', '-m', 'x'],
    ['scale', 'biling', '2'],
    ['wait', 'biling'],
    ['why', 'biling'],
    ['logs', 'biling', '-f'],
    ['logs', 'biling'],
    ['events', 'biling'],
    ['status', 'biling'],
    ['update', 'biling'],
  ];
  const answers = await Promise.all(commands.map((words) => host.pmctl(...words)));
  const seen = answers.map(({ code, stdout, stderr }, index) => ({
    words: commands[index]?.join(' '),
    code,
    stdout,
    hint: stderr.includes('did you mean "billing"') || stderr.includes('did you mean billing'),
  }));
  expect(seen).toEqual(
    commands.map((words) => ({ words: words.join(' '), code: 3, stdout: '', hint: true })),
  );
  expect(await host.view('billing')).toMatchObject({ pid, state: 'running', drift: 'none', enabled: true });
});

test('exit codes: refused 1, partly 5, no daemon 7, wrong usage 64', async () => {
  const host = openHost({ ground: GROUND });
  host.service('good', SLEEP);
  host.service('bad', { process: { command: 'exit 1' }, restart_policy: { policy: 'never' } });
  expect((await host.pmctl('status')).code).toBe(7);
  await host.start();
  await host.sees('bad', 'failed', ({ state }) => state === 'failed');
  expect((await host.pmctl('release', 'good')).code).toBe(1);
  expect((await host.pmctl('start', 'bad')).code).toBe(1);
  expect((await host.pmctl('start', 'bad', 'good')).code).toBe(5);
  expect((await host.pmctl('hold', 'good', '-m', 'busy')).code).toBe(0);
  const held = await host.pmctl('restart', 'good');
  expect(held).toMatchObject({ code: 1, stdout: expect.stringContaining('busy') });
  const wrong = [
    [],
    ['stopp', 'good'],
    ['stop'],
    ['stop', 'all', 'good'],
    ['stop', 'good', '--timeout', '5'],
    ['stop', 'good', '--nonsense'],
    ['hold', 'good'],
    ['scale', 'good', 'many'],
    ['scale', 'all', '2'],
    ['wait', 'good', '--for', 'happiness'],
    ['logs', '-n', 'many'],
  ];
  const codes = await Promise.all(
    wrong.map(async (words) => [words.join(' '), (await host.pmctl(...words)).code]),
  );
  expect(codes).toEqual(wrong.map((words) => [words.join(' '), 64]));
  await host.crash();
  expect(await host.pmctl('stop', 'good')).toMatchObject({
    code: 7,
    stderr: expect.stringContaining(host.socket),
  });
});

test('wait ends when the service has come to the state, or says how it stands when the time is over', async () => {
  const host = openHost({ ground: GROUND });
  host.service('later', {
    process: { command: `test -e ${host.work}/ready || exit 1; exec sleep 1000` },
    restart_policy: { restart_backoff: '2s', tolerance: { max_restarts: 1000 } },
  });
  host.service('once', {
    process: { command: `while [ ! -e ${host.work}/ready ]; do sleep 0.05; done`, type: 'oneshot' },
  });
  await host.start();
  await host.sees('later', 'in back-off', ({ state }) => state === 'backoff');
  const early = await host.pmctl('wait', 'later', '--timeout', '200ms');
  expect(early.code).toBe(1);
  expect(early.stderr).toContain('exited with code 1');
  const waits = [host.background('wait', 'later'), host.background('wait', 'once', '--for', 'completed')];
  fs.writeFileSync(join(host.work, 'ready'), '');
  await Promise.all(waits.map(({ over }) => over));
  expect(waits.map(({ child }) => child.exitCode)).toEqual([0, 0]);
  const stopped = host.background('wait', 'later', '--for', 'stopped');
  expect((await host.pmctl('stop', 'later')).code).toBe(0);
  await stopped.over;
  expect(stopped.child.exitCode).toBe(0);
});

test('status --json has every field that others build on', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', { description: 'the shop', labels: { team: 'shop' }, process: { command: SLEEP } });
  await host.start();
  const pid = await host.pidOf('web');
  const { code, json } = await host.pmctl('status', '--json');
  expect(code).toBe(0);
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const figure = expect.toSatisfy((value: unknown) => value === null || typeof value === 'number');
  expect(json).toEqual({
    services: [
      expect.objectContaining({
        name: 'web',
        description: 'the shop',
        labels: { team: 'shop' },
        enabled: true,
        state: 'running',
        ready: 1,
        desired: 1,
        generation: 1,
        restarts: 0,
        drift: 'none',
        reason: '',
        last_exit: null,
        schedule: null,
        file: 'config.d/web.yaml',
        instances: [
          {
            instance: 0,
            generation: 1,
            run_id: expect.any(String),
            state: 'running',
            pid,
            pids: [pid],
            started_at: moment,
            uptime_ms: expect.any(Number),
            cpu_percent: figure,
            memory_bytes: figure,
            restarts: 0,
            adopted: false,
            reason: '',
            ready: true,
            port: null,
            probes: [],
          },
        ],
        id: 'web',
        isRunning: true,
        pid,
        startTime: moment,
        uptime: expect.any(Number),
        restartCount: 0,
      }),
    ],
    problems: [],
    prune: null,
    frozen: null,
  });
  expect(await host.ask('GET', '/api/processes/web')).toMatchObject({
    status: 200,
    body: { id: 'web', pid },
  });
  expect(await host.ask('GET', '/health')).toMatchObject({
    body: { status: 'healthy', processes: { running: 1 } },
  });
  const restart = await host.ask('POST', '/api/processes/web/restart');
  expect(restart).toMatchObject({
    status: 200,
    body: { success: true, process: { id: 'web', isRunning: true } },
  });
  expect(restart.body.process.pid).not.toBe(pid);
});

test('why tells the cause, the last exits and the last words of a service', async () => {
  const host = openHost({ ground: GROUND });
  host.service('crashy', {
    process: { command: 'echo "no database at db:5432" >&2; exit 7' },
    restart_policy: { restart_backoff: '10ms', tolerance: { max_restarts: 2 } },
  });
  await host.start();
  await host.sees('crashy', 'failed', ({ state }) => state === 'failed');
  const { code, stdout } = await host.pmctl('why', 'crashy');
  expect(code).toBe(0);
  expect(stdout).toContain('exited with code 7; ended 3 times within 60 s');
  expect(stdout).toContain('no database at db:5432');
  expect(stdout).toContain('pmctl start crashy');
  const { json } = await host.pmctl('why', 'crashy', '--json');
  expect(json.exits).toHaveLength(3);
  expect(json.exits[0]).toMatchObject({ code: 7, signal: null, by: 'itself', instance: 0, reason: 'exit_7' });
  expect(json.service).toMatchObject({ name: 'crashy', state: 'failed' });
});

test('logs shows the last lines of both streams, and -f what comes, also of a service that comes later', async () => {
  const host = openHost({ ground: GROUND });
  const talker = (name: string): object => ({
    process: {
      command: `echo "${name} says hello"; echo "${name} warns" >&2; while [ ! -e ${host.work}/go ]; do sleep 0.05; done; echo "${name} says goodbye"; exec sleep 1000`,
      working_directory: join(host.work, name),
    },
  });
  for (const name of ['a', 'b', 'c']) fs.mkdirSync(join(host.work, name));
  host.service('a', talker('a') as never);
  host.service('b', talker('b') as never);
  await host.start();
  await host.says('b/stderr.log');
  await host.says('a/stderr.log');
  const all = await host.pmctl('logs');
  expect(all.code).toBe(0);
  for (const text of ['a says hello', 'a warns', 'b says hello', 'b warns'])
    expect(all.stdout).toContain(text);
  expect((await host.pmctl('logs', 'a', 'stderr.log', '-n', '1')).stdout.trim()).toMatch(/a warns$/);
  const one = await host.pmctl('logs', 'a', '--json');
  const lines = one.stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).line).toSorted()).toEqual(['a says hello', 'a warns']);
  const follow = host.background('logs', '-f', 'stdout.log');
  await host.until(
    'the first lines',
    () => (follow.stdout.includes('b says hello') ? true : undefined),
    () => follow.stdout,
  );
  expect(follow.stdout).not.toContain('warns');
  fs.writeFileSync(join(host.work, 'go'), '');
  await host.until(
    'the new lines',
    () =>
      follow.stdout.includes('a says goodbye') && follow.stdout.includes('b says goodbye') ? true : undefined,
    () => follow.stdout,
  );
  host.service('c', talker('c') as never);
  await host.until(
    'the lines of a new service',
    () => (follow.stdout.includes('c says goodbye') ? true : undefined),
    () => follow.stdout,
  );
  // Lines go on being shown while no daemon runs.
  await host.crash();
  fs.appendFileSync(join(host.work, 'a/stdout.log'), 'while it was away\n');
  await host.until(
    'lines without a daemon',
    () => (follow.stdout.includes('while it was away') ? true : undefined),
    () => follow.stdout,
  );
  follow.child.kill('SIGINT');
  await follow.over;
  expect(follow.child.exitCode).toBe(130);
});

test('events shows what happened; -f goes on until the daemon ends', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  host.service('other', SLEEP);
  await host.start();
  await host.runs('web');
  const past = await host.pmctl('events', 'web', '--json');
  expect(past.json.events).toMatchObject([
    { name: 'worker_started', service: 'web', fields: { reason: 'boot' } },
  ]);
  const follow = host.background('events', '-f', 'web');
  await host.until(
    'the past',
    () => (follow.stdout.includes('web  started (') ? true : undefined),
    () => follow.stdout,
  );
  expect((await host.pmctl('stop', 'web', 'other')).code).toBe(0);
  await host.until(
    'the end of web',
    () => (follow.stdout.includes('web  stopped (') ? true : undefined),
    () => follow.stdout,
  );
  expect(follow.stdout).not.toContain('other');
  await host.stop();
  await follow.over;
  expect(follow.child.exitCode).toBe(7);
});

test('explain, schema, version, doctor, list and check answer', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  const explain = await host.pmctl('explain', 'process.stop_grace');
  expect(explain).toMatchObject({ code: 0, stdout: expect.stringContaining('30s') });
  expect(explain.stdout).toContain('live');
  expect((await host.pmctl('explain', 'process.stop_grase')).code).not.toBe(0);
  expect((await host.pmctl('schema')).json).toMatchObject({ properties: { process: {} } });
  expect((await host.pmctl('schema', 'config')).json).toMatchObject({ properties: { sock_mode: {} } });
  const config = host.masterFile;
  await host.start();
  expect(await host.pmctl('-c', config, 'check')).toMatchObject({ code: 0, stdout: '1 file, no errors\n' });
  expect((await host.pmctl('list')).stdout).toBe('web\n');
  const version = await host.pmctl('version', '--json');
  expect(version.code).toBe(0);
  expect(JSON.stringify(version.json)).toContain(`"pid":${host.pid}`);
  const doctor = await host.pmctl('doctor', '--json');
  expect([0, 1]).toContain(doctor.code);
  expect(doctor.json.checks.length).toBeGreaterThan(2);
  expect(doctor.json.checks.some(({ ok }: { ok: boolean }) => !ok)).toBe(doctor.code === 1);
});

test('a reader that has seen enough ends pmctl without a word', async () => {
  const host = openHost({ ground: GROUND });
  for (let index = 0; index < 200; index++) {
    host.service(`service-with-a-long-name-${index}`, {
      enabled: false,
      description: 'x'.repeat(500),
      process: { command: SLEEP },
    });
  }
  await host.start();
  const quoted = host.pmctlCommand.map((word) => `'${word}'`).join(' ');
  for (const args of ['status', 'status --json', 'explain']) {
    const pipe = host.run(['bash', '-c', `set -o pipefail; ${quoted} ${args} | head -n 1`]);
    await pipe.over;
    expect({ args, code: pipe.child.exitCode, stderr: pipe.stderr }).toEqual({ args, code: 0, stderr: '' });
    expect(pipe.stdout.split('\n')).toHaveLength(2);
  }
  host.service('web', { process: { command: ['sh', '-c', 'while :; do echo a line; sleep 0.05; done'] } });
  await host.until(
    'a line in the log',
    async () => ((await host.pmctl('logs', 'web')).stdout.includes('a line') ? true : undefined),
    () => host.stderr,
  );
  const end = async (words: string): Promise<number | null> => {
    const pipe = host.run(['bash', '-c', `set -o pipefail; ${quoted} ${words}`]);
    await pipe.over;
    return pipe.child.exitCode;
  };
  expect(await end('logs web -f | head -n 1')).toBe(0);
  // What was wrong is said by the exit code, whether somebody reads the output or not.
  host.write('broken.yaml', 'process: [');
  expect(await end('check | true')).toBe(1);
});

test('shutdown leaves the services for the next daemon; with --stop-services it stops them first', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', { instances: 2, process: { command: SLEEP } });
  await host.start();
  const pids = await host.runs('web', 2);
  expect((await host.pmctl('shutdown')).code).toBe(0);
  expect(await host.ended()).toBe(0);
  expect(pids.filter(isGone)).toEqual([]);
  await host.start();
  expect(await host.runs('web', 2)).toEqual(pids);
  expect((await host.pmctl('shutdown', '--stop-services')).code).toBe(0);
  expect(await host.ended()).toBe(0);
  expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
  expect(host.lifecycle().at(-1)).toMatchObject({ event: 'manager_stopped', fields: { exit_code: '0' } });
  // Stopped with the daemon is not stopped by a person: the next one starts them.
  await host.start();
  expect(await host.runs('web', 2)).not.toEqual(pids);
});

test('commands for a service that is stopped with patience are answered meanwhile, and others are not held up', async () => {
  const host = openHost({ ground: GROUND });
  const file = `${host.work}/slow`;
  host.service('slow', {
    process: {
      command: `trap 'echo heard >> ${file}.heard; until [ -e ${file}.let-go ]; do sleep 0.05; done; exit 0' TERM; echo began > ${file}.began; while :; do sleep 1000 & wait; done`,
    },
  });
  host.service('quick', SLEEP);
  await host.start();
  await host.says('slow.began');
  await host.runs('quick');
  const stop = host.background('stop', 'slow');
  await host.says('slow.heard');
  expect((await host.pmctl('restart', 'quick')).code).toBe(0);
  expect(await host.view('slow')).toMatchObject({ state: 'stopping' });
  // Who changes his mind gets the service back after its stop.
  const start = host.background('start', 'slow');
  await stop.over;
  fs.writeFileSync(`${file}.let-go`, '');
  await start.over;
  expect(start.child.exitCode).toBe(0);
  expect(stop).toMatchObject({ child: { exitCode: 1 }, stdout: expect.stringContaining('meanwhile') });
  await host.runs('slow');
});

test('processmaster --help offers what can be given there, each in a whole sentence', async () => {
  const host = openHost({ ground: GROUND });
  const program = host.startUnasked(['--help']);
  await program.over;
  expect(program.child.exitCode).toBe(0);
  const text = program.stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain('1 to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first.');
  expect(text).toContain('--watch-settle <value>');
  expect(text).not.toMatch(/--(vars|service-defaults|notify) /);
});

test.each([['stop all'], ['start'], ['status --json']])(
  'processmaster %s is a mistake: no daemon starts',
  async (text) => {
    const host = openHost({ ground: GROUND });
    host.service('web', SLEEP);
    const program = host.startUnasked(text.split(' '));
    await program.over;
    expect(program.child.exitCode).toBe(64);
    expect(program.stderr).toMatch(
      text.includes('--') ? /^processmaster: unknown option/ : new RegExp(`pmctl ${text}`),
    );
    expect(program.stdout).toBe('');
    expect(fs.existsSync(host.socket)).toBe(false);
  },
);
