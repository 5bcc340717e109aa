/** What does `processmaster run` promise to whoever starts it, as a prefork manager or in a container? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, GENTLE, Ground, type Manager, script } from './foreground.ts';
import { GROUNDS } from './grounds.ts';
import { isGone, readOr } from './processes.ts';

const SH = ['--', 'sh', '-c'] as const;

function linesOf(manager: Manager): readonly string[] {
  return manager.stdout.split('\n').filter((line) => !line.startsWith('processmaster:lifecycle '));
}

test.each(GROUNDS.filter(({ user }) => user === 'self'))(
  '$title: SIGTERM ends all workers gently and the manager with 0, and nothing of it is left',
  async ({ containment }) => {
    const ground = new Ground();
    const manager = ground.run(['--instances', '3', ...SH, GENTLE], { containment });
    await manager.says('began', 3);
    const pids = await manager.starts(3);
    expect(pids.filter(isGone)).toEqual([]);
    expect(ground.left()).not.toEqual([]);
    manager.signal('SIGTERM');
    expect(await manager.ended()).toBe(0);
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(manager.stdout.match(/^ended$/gm)).toHaveLength(3);
    expect(ground.left()).toEqual([]);
    expect(manager.lifecycle('manager_started')).toMatchObject([
      { fields: { containment, worker_count: '3', job_worker_count: '0', host: 'none', port: 'none' } },
    ]);
    expect(manager.lifecycle('worker_stopped').map(({ fields }) => fields['exit_reason'])).toEqual(
      Array(3).fill('exit_0'),
    );
    expect(manager.lifecycle().at(-1)).toMatchObject({
      event: 'manager_stopped',
      fields: { reason: 'signal_term', exit_code: '0' },
    });
  },
);

test('the same command line and a worker of each kind: what the workers are told', async () => {
  const ground = new Ground();
  const port = await freePort();
  const show = (name: string) =>
    `env > ${name}.$PROCESSMASTER_INSTANCE.new; mv ${name}.$PROCESSMASTER_INSTANCE.new ${name}.$PROCESSMASTER_INSTANCE; exec sleep 1000`;
  const manager = ground.run(
    [
      ...['--instances', '2', '--port', String(port), '--host', '127.0.0.9', '--env', 'COLOUR=a "b" $c'],
      ...['--listen-backlog', '77', '--connection-timeout-seconds', '9'],
      ...['--cluster-enabled', '--cluster-name', 'shop', '--cluster-expected-nodes', '3'],
      ...['--job-worker-cmd', show('job'), ...SH, show('web')],
    ],
    { env: { GIVEN: 'by the container', PROCESSMASTER_CLUSTER_NODE_ID: 'n1', PROCESSMASTER_INSTANCES: '9' } },
  );
  const told = async (name: string) => {
    const text = await manager.until(`${name} to be written`, () => ground.said(name) || undefined);
    return text.trimEnd().split('\n');
  };
  const common = [
    'GIVEN=by the container',
    'COLOUR=a "b" $c',
    'HOST=127.0.0.9',
    'PROCESSMASTER_CLUSTER_ENABLED=1',
    'PROCESSMASTER_CLUSTER_NAME=shop',
    'PROCESSMASTER_CLUSTER_NODE_ID=n1',
    'PROCESSMASTER_CLUSTER_EXPECTED_NODES=3',
  ];
  for (const instance of [0, 1]) {
    const web = await told(`web.${instance}`);
    expect(web).toEqual(
      expect.arrayContaining([
        ...common,
        `PORT=${port}`,
        'PROCESSMASTER_SERVICE=worker',
        `PROCESSMASTER_INSTANCE=${instance}`,
        'PROCESSMASTER_LISTEN_BACKLOG=77',
        'PROCESSMASTER_CONNECTION_TIMEOUT_SECONDS=9',
        'PROCESSMASTER_ENABLE_REUSEPORT=1',
      ]),
    );
    // What the manager was told is not what its workers are told.
    expect(web.filter((line) => /^PROCESSMASTER_(INSTANCES|CONTAINMENT)=/.test(line))).toEqual([]);
  }
  const job = await told('job.0');
  expect(job).toEqual(expect.arrayContaining([...common, 'PROCESSMASTER_SERVICE=job-worker']));
  expect(job.filter((line) => line.startsWith('PORT='))).toEqual([]);
});

test('standard output and error of the workers are those of the manager, and stay blocking for them', async () => {
  const ground = new Ground();
  const text =
    'echo to-stdout; echo to-stderr >&2; cat /proc/$$/fdinfo/1 /proc/$$/fdinfo/2 > info; exec sleep 1000';
  const manager = ground.run([...SH, text]);
  await manager.says('to-stdout');
  await manager.until('standard error', () => /^to-stderr$/m.exec(manager.stderr) ?? undefined);
  const info = await manager.until('the descriptors', () => {
    const flags = ground.said('info').match(/^flags:\s*[0-7]+$/gm) ?? [];
    return flags.length === 2 ? flags : undefined;
  });
  // O_NONBLOCK: a worker would lose what its reader is too slow for.
  for (const line of info) expect(Number.parseInt(line.split(/\s+/)[1] ?? '', 8) & 0o4000).toBe(0);
});

test('nobody reads the pipe that it writes to: told to end, it ends its workers and then itself', async () => {
  const ground = new Ground();
  // A pipe as a shell or a container makes it, and a reader that begins only when it is told to.
  const reader = 'until [ -e read ]; do sleep 0.02; done; cat';
  const prefix = ['sh', '-c', `"$0" "$@" | { ${reader}; }`];
  const quiet = "trap 'echo > over; exit 0' TERM; echo > began; while :; do sleep 0.02; done";
  // What is written in that time is many times what the pipe holds.
  const flood = 'timeout 0.3 yes; echo > full; exec sleep 1000';
  const manager = ground.run(['--pid-file', 'pid', '--job-worker-cmd', flood, ...SH, quiet], { prefix });
  await manager.until('the worker', () => ground.said('began') || undefined);
  await manager.until('the pipe to be full', () => ground.said('full') || undefined);
  const pid = Number(ground.said('pid'));
  process.kill(pid, 'SIGTERM');
  await manager.until('the manager to end', () => (isGone(pid) ? true : undefined));
  expect(ground.said('over')).toBe('\n');
  expect(ground.left()).toEqual([]);
  fs.writeFileSync(ground.path('read'), '');
  expect(await manager.ended()).toBe(0);
});

test('a command that does not exist is told at once, with the code of a shell', async () => {
  const ground = new Ground();
  const manager = ground.run(['--', 'no-such-program-anywhere']);
  expect(await manager.ended()).toBe(127);
  expect(manager.stderr).toMatch(
    /^processmaster run: no program "no-such-program-anywhere" in PATH; PATH is /,
  );
  expect(manager.stdout).toBe('');
  expect(ground.left()).toEqual([]);
});

test('a wrong option or setting is told, and nothing is started', async () => {
  const ground = new Ground();
  const wrong = ground.run(['--prot', '80', ...SH, 'touch ran']);
  expect(await wrong.ended()).toBe(64);
  expect(wrong.stderr).toContain('did you mean --port?');
  const setting = ground.run(['--cluster-expected-nodes', '0', ...SH, 'touch ran']);
  expect(await setting.ended()).toBe(64);
  expect(setting.stderr).toContain('--cluster-expected-nodes');
  expect(ground.left()).toEqual([]);
  expect(fs.existsSync(ground.path('ran'))).toBe(false);
});

test('two managers and their workers know nothing of one another', async () => {
  const ground = new Ground();
  const managers = [0, 1].map(() => ground.run([...SH, GENTLE]));
  for (const manager of managers) await manager.says('began');
  const [first, second] = managers as [Manager, Manager];
  first.signal('SIGTERM');
  expect(await first.ended()).toBe(0);
  expect((await second.starts(1)).filter(isGone)).toEqual([]);
  second.signal('SIGTERM');
  expect(await second.ended()).toBe(0);
  expect(ground.left()).toEqual([]);
});

test('a port that somebody else listens on: he is named and left alone, and the worker starts when he is gone', async () => {
  const ground = new Ground();
  const port = await freePort();
  const listen = `require('net').createServer().listen(${port}, () => console.log('up'))`;
  const holder = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    holder.kill('SIGKILL');
  });
  await once(holder.stdout, 'data');
  const manager = ground.run(['--port', String(port), '--respawn-delay-ms', '50', ...SH, GENTLE]);
  const [refused] = await manager.until('the refusal', () => {
    const lines = manager.lifecycle('worker_exited');
    return lines.length > 0 ? lines : undefined;
  });
  expect(refused?.fields['problem']).toContain(`port ${port} is taken by ${holder.pid} `);
  holder.kill('SIGKILL');
  await manager.says('began');
});

test('the pid file: a second manager is refused, a stale one is replaced, and it is gone at the end', async () => {
  const ground = new Ground();
  const file = ground.path('deep/pm.pid');
  fs.mkdirSync(ground.path('deep'));
  fs.writeFileSync(file, '4194304\n');
  const first = ground.run(['--pid-file', file, ...SH, GENTLE]);
  await first.says('began');
  expect(readOr(file)).toBe(`${first.pid}\n`);
  const second = ground.run(['--pid-file', file, ...SH, 'touch ran']);
  expect(await second.ended()).toBe(1);
  expect(second.stderr).toContain(`already running: process ${first.pid} `);
  expect(fs.existsSync(ground.path('ran'))).toBe(false);
  expect(readOr(file)).toBe(`${first.pid}\n`);
  process.kill(Number(readOr(file)), 'SIGTERM');
  expect(await first.ended()).toBe(0);
  expect(fs.existsSync(file)).toBe(false);
});

test('of many that start at the same moment with one pid file, one runs', async () => {
  const ground = new Ground();
  const file = ground.path('pm.pid');
  const managers = Array.from({ length: 4 }, () => ground.run(['--pid-file', file, ...SH, GENTLE]));
  const running = await managers[0]!.until('all but one to be refused', () => {
    const left = managers.filter(({ program }) => !program.isOver);
    return left.length === 1 && left[0]!.stdout.includes('began\n') ? left[0] : undefined;
  });
  expect(readOr(file)).toBe(`${running.pid}\n`);
});

test('--lifecycle-log has the same lines as standard output; --sock-path lets pmctl in', async () => {
  const ground = new Ground();
  const manager = ground.run([
    ...['--lifecycle-log', 'lines', '--sock-path', 'pm.sock', '--instances', '2', ...SH, GENTLE],
  ]);
  await manager.says('began', 2);
  await manager.until('the socket', () => (fs.existsSync(ground.path('pm.sock')) ? true : undefined));
  const { ask } = await import('./ask.ts');
  const { body } = await ask({ socket: ground.path('pm.sock'), method: 'GET', path: '/api/status' });
  expect(body).toMatchObject({ services: [{ name: 'worker', desired: 2 }] });
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
  const lines = manager.stdout.split('\n').filter((line) => line.startsWith('processmaster:lifecycle '));
  expect(ground.said('lines').trimEnd().split('\n')).toEqual(lines);
  expect(linesOf(manager).filter((line) => line !== '')).toEqual(['began', 'began', 'ended', 'ended']);
  expect(fs.existsSync(ground.path('pm.sock'))).toBe(false);
});

test('pmctl shutdown ends the workers gently, since nobody could adopt them, and leaves nothing', async () => {
  const ground = new Ground();
  const manager = ground.run(['--sock-path', 'pm.sock', '--instances', '2', ...SH, GENTLE]);
  await manager.says('began', 2);
  const pids = await manager.starts(2);
  await manager.until('the socket', () => (fs.existsSync(ground.path('pm.sock')) ? true : undefined));
  const pmctl = ground.pmctl('pm.sock', 'shutdown', '--json');
  await pmctl.over;
  expect(JSON.parse(pmctl.stdout)).toEqual({ result: 'done', pid: manager.pid, services: 'stopped' });
  expect(await manager.ended()).toBe(0);
  expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
  expect(manager.stdout.match(/^ended$/gm)).toHaveLength(2);
  expect(ground.left()).toEqual([]);
});

test('a configuration directory where it is started does not count', async () => {
  const ground = new Ground();
  script(ground, 'config.yaml', 'not_a_key: 1\n');
  script(ground, 'config.d/other.yaml', 'process: { command: [touch, ran] }\n');
  const manager = ground.run([...SH, GENTLE]);
  await manager.says('began');
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
  expect(fs.existsSync(ground.path('ran'))).toBe(false);
});
