/** How does a command become a service, with and without a daemon, and how does it go again? */
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost, type Program } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP, staysOnTerm } from './services.ts';

const SLEEPER = ['sleep', '1000'];

/** pmctl as somebody types it who has only the master file. */
function pmctl(host: Host, ...words: readonly string[]): Program {
  if (!fs.existsSync(host.masterFile)) {
    fs.writeFileSync(host.masterFile, stringify(host.settings), { mode: 0o644 });
  }
  const [node = '', program = ''] = host.pmctlCommand;
  return host.run([node, program, '-c', host.masterFile, ...words]);
}

async function ended(program: Program): Promise<Program> {
  await program.over;
  return program;
}

function filesOf(host: Host): readonly string[] {
  return fs.readdirSync(host.config).sort();
}

describe.each(GROUNDS)('$title', (ground) => {
  test('run writes a file and starts it; delete removes both, and nothing is left', async () => {
    const host = openHost({ ground });
    await host.start();
    const options = ['--name', 'nap', '--instances', '2', '--env', 'GREETING=a ${b} "c"'];
    const started = await host.pmctl('run', '--json', ...options, '--', ...SLEEPER);
    expect(started).toMatchObject({ code: 0, stderr: '' });
    expect(started.json).toMatchObject({ service: 'nap', result: 'done', problems: [] });
    const pids = await host.runs('nap', 2);
    for (const pid of pids) {
      expect(fs.readlinkSync(`/proc/${pid}/cwd`)).toBe(host.directory);
      expect(fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain('GREETING=a ${b} "c"');
    }
    expect(filesOf(host)).toEqual(['nap.yaml']);
    expect(fs.statSync(join(host.config, 'nap.yaml')).mode & 0o777).toBe(0o644);
    expect((await host.pmctl('check', '-c', host.masterFile)).code).toBe(0);
    expect((await host.pmctl('diff')).code).toBe(0);
    const deleted = await host.pmctl('delete', 'nap', '--json');
    expect(deleted).toMatchObject({ code: 0, json: { results: [{ service: 'nap', result: 'done' }] } });
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(await host.view('nap')).toBeUndefined();
    expect(filesOf(host)).toEqual([]);
    expect((await host.pmctl('delete', 'nap')).code).toBe(3);
  });

  test('without a daemon, one is started in the background, outlives pmctl and is named', async () => {
    const host = openHost({ ground });
    const first = await ended(pmctl(host, 'run', '--', ...SLEEPER));
    expect(first.child.exitCode).toBe(0);
    const [, pid = '', log = ''] =
      /^pmctl: started a daemon in the background, pid (\d+), log (.+)$/m.exec(first.stderr) ?? [];
    expect((await host.ask('GET', '/api/version')).body.pid).toBe(Number(pid));
    // proc_pid_stat(5): the session is its own, and there is no terminal.
    const stat = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    expect({ session: stat[3], terminal: stat[4] }).toEqual({ session: pid, terminal: '0' });
    expect(log).toBe(join(host.state, 'daemon.log'));
    expect(fs.readFileSync(log, 'utf8')).toContain('event=worker_started');
    expect(await host.view('sleep')).toMatchObject({ state: 'running' });
    const second = await ended(pmctl(host, 'run', '--name', 'other', '--', ...SLEEPER));
    expect(second).toMatchObject({ stderr: '' });
    expect((await host.ask('GET', '/api/version')).body.pid).toBe(Number(pid));
  });

  test('two at the same moment end with one daemon and both services', async () => {
    const host = openHost({ ground });
    const names = ['a', 'b', 'c'];
    const all = await Promise.all(
      names.map((name) => ended(pmctl(host, 'run', '--name', name, '--', ...SLEEPER))),
    );
    for (const { child, stderr } of all) expect({ code: child.exitCode, stderr }).toMatchObject({ code: 0 });
    await host.allRun(names);
    const told = all
      .map(({ stderr }) => /, pid (\d+), log /.exec(stderr)?.[1])
      .filter((pid) => pid !== undefined);
    expect(new Set(told)).toEqual(new Set([String((await host.ask('GET', '/api/version')).body.pid)]));
    expect(all.filter(({ stderr }) => stderr.includes('started a daemon in the background'))).toHaveLength(1);
  });
});

test('what is refused writes nothing and says why', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  host.service('web', { port: 8080, process: { command: SLEEP }, enabled: false });
  await host.sees('web', 'known', () => true);
  fs.writeFileSync(join(host.config, 'parked.yml'), 'enabled: false\n');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const before = filesOf(host);
  const says = async (...words: readonly string[]): Promise<string> => {
    const { code, stderr } = await host.pmctl('run', ...words, '--', ...SLEEPER);
    expect({ words, code }).toEqual({ words, code: 1 });
    return stderr;
  };
  expect(await says('--name', 'web')).toMatch(/web\.yaml already.*pmctl delete web.*--name/);
  expect(await says('--name', 'parked')).toMatch(/parked\.ya?ml/);
  expect(await says('--port', '8080')).toContain('is the port of web');
  expect(await says('--port', port)).toContain(`taken by ${process.pid} `);
  expect(await says('--cwd', '/nonexistent')).toContain('/nonexistent');
  expect(await says('--user', 'no-such-user')).toContain('no-such-user');
  server.close();
  expect(filesOf(host)).toEqual(before);
  expect(await host.view('sleep')).toBeUndefined();
});

test('after a start that failed the file stays, and the way on is named', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  const { code, stderr } = await host.pmctl('run', '--', '/bin/false');
  expect(code).toBe(1);
  expect(stderr).toMatch(/pmctl why false.*pmctl logs false.*pmctl delete false/);
  expect(filesOf(host)).toEqual(['false.yaml']);
  expect((await host.pmctl('delete', 'false')).code).toBe(0);
  expect(filesOf(host)).toEqual([]);
});

test('a file with a secret is closed to others, whatever the umask', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  expect((await host.pmctl('run', '--env', 'DB_PASSWORD=x', '--', ...SLEEPER)).code).toBe(0);
  expect(fs.statSync(join(host.config, 'sleep.yaml')).mode & 0o777).toBe(0o600);
});

test('delete asks no guard, leaves links alone, and the others run on', async () => {
  const host = openHost({ ground: GROUND });
  for (const name of ['a', 'b', 'c']) host.service(name, SLEEP);
  const target = join(host.work, 'linked.yaml');
  fs.writeFileSync(target, stringify({ process: { command: SLEEP } }));
  fs.symlinkSync(target, join(host.config, 'linked.yaml'));
  await host.start();
  const [, , c] = await host.allRun(['a', 'b', 'c', 'linked']);
  const linked = await host.pmctl('delete', 'linked');
  expect(linked).toMatchObject({ code: 1 });
  expect(linked.stdout).toContain(`symbolic link to ${target}`);
  expect((await host.pmctl('delete', 'a', 'b')).code).toBe(0);
  expect((await host.status()).prune).toBeNull();
  expect(await host.view('c')).toMatchObject({ pid: c, state: 'running' });
  expect(filesOf(host)).toEqual(['c.yaml', 'linked.yaml']);
});

test('a daemon that cannot start says why', async () => {
  const host = openHost({ ground: GROUND });
  fs.writeFileSync(host.socket, 'in the way');
  const { child, stderr } = await ended(pmctl(host, 'run', '--', ...SLEEPER));
  expect(child.exitCode).not.toBe(0);
  expect(stderr).toContain('pm.sock');
  expect(fs.readFileSync(host.socket, 'utf8')).toBe('in the way');
});

describe('run --dev', () => {
  /** A host where a service is in development whose program is `app.sh`, with this as its first version. */
  async function developing(version: string | ((host: Host) => string)) {
    const host = openHost({ ground: GROUND });
    await host.start();
    const source = join(host.work, 'source');
    fs.mkdirSync(source);
    const write = (text: string) => fs.writeFileSync(join(source, 'app.sh'), `${text}\n`);
    write(typeof version === 'string' ? version : version(host));
    const words = ['run', '--dev', '--cwd', source, '--', 'sh', 'app.sh'];
    return { host, words, write, dev: host.background(...words) };
  }

  function shows(host: Host, dev: Program, text: string): Promise<true> {
    return host.until(
      text,
      () => (dev.stdout.includes(text) ? true : undefined),
      () => dev.story(),
    );
  }

  test('shows the logs; Ctrl-C stops the service, and the same command goes on with it', async () => {
    const { host, words, dev } = await developing('echo "it is up"; exec sleep 1000');
    await shows(host, dev, 'it is up');
    expect(parse(fs.readFileSync(join(host.config, 'app.yaml'), 'utf8'))).toMatchObject({
      watch: { paths: ['.'] },
      restart_policy: { crash_on_start: 'wait_for_change' },
    });
    const pid = await host.pidOf('app');
    expect((await host.pmctl(...words)).stderr).toContain('by the same command');
    dev.child.kill('SIGINT');
    await dev.over;
    expect(dev.child.exitCode).toBe(130);
    expect(dev.stderr).toContain('pmctl delete app removes its file');
    expect(isGone(pid)).toBe(true);
    expect(await host.view('app')).toMatchObject({ state: 'stopped' });
    const again = host.background(...words);
    await host.runs('app');
    again.child.kill('SIGINT');
    await again.over;
    expect(await host.view('app')).toMatchObject({ state: 'stopped' });
  });

  test('shows nothing that an earlier session has left, not even the beginning of a line', async () => {
    const old = 'echo "old words" >&2; printf "old end" >&2; echo "old news"; exit 1';
    const { host, words, write, dev: first } = await developing(old);
    await shows(host, first, 'old words');
    await shows(host, first, 'old news');
    await host.sees('app', 'failed', ({ state }) => state === 'failed');
    first.child.kill('SIGINT');
    await first.over;
    write('echo "new words" >&2; exec sleep 1000');
    const second = host.background(...words);
    await shows(host, second, 'new words');
    // It is restarted where the watch tells of the saved file only after it was started.
    expect(second.stdout).toMatch(/^(?:app stderr \| new words\n){1,2}$/);
    second.child.kill('SIGINT');
    await second.over;
  });

  test('does not wait for a service that will not end once Ctrl-C is typed again', async () => {
    const { host, dev } = await developing((its) => staysOnTerm(its, 'app'));
    await host.says('app.began');
    dev.child.kill('SIGINT');
    await host.says('app.heard');
    dev.child.kill('SIGINT');
    await dev.over;
    expect(dev.child.exitCode).toBe(130);
    expect(await host.view('app')).toMatchObject({ state: 'stopping' });
  });

  test('stops the service as well when nobody reads its output any more', async () => {
    const { host, dev } = await developing('while :; do echo "it is up"; sleep 0.05; done');
    await shows(host, dev, 'it is up');
    dev.child.stdout?.destroy();
    await dev.over;
    expect(dev.child.exitCode).toBe(0);
    expect(dev.stderr).toContain('pmctl delete app removes its file');
    expect(await host.view('app')).toMatchObject({ state: 'stopped', pid: null });
  });

  test('restarts when a file changes', async () => {
    const { host, write, dev } = await developing('echo "version one"; exec sleep 1000');
    await shows(host, dev, 'version one');
    await host.runs('app');
    write('echo "version two"; exec sleep 1000');
    await shows(host, dev, 'version two');
  });
});
