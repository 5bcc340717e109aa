/** What does a process of a service get, seen from inside, and what of secrets is to be seen from outside? */
import fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../linux/ground.ts';
import { GROUND, GROUNDS, NOBODY } from './grounds.ts';
import { openHost } from './host.ts';
import { readOr, statusField } from './processes.ts';
import { SLEEP } from './services.ts';

const DAEMON_ENVIRONMENT = {
  AWS_SECRET_ACCESS_KEY: 'of-the-daemon',
  LD_PRELOAD: '/nowhere/of-the-daemon.so',
  NODE_OPTIONS: '--no-deprecation',
  TZ: 'Europe/Berlin',
  FROM_OUTSIDE: 'given',
};

/** Where a run is a session, its record is named, by which it is found again. */
function recordedIn(directory: string): Record<string, string> {
  const records = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  return Object.fromEntries(records.map((name) => ['PROCESSMASTER_RECORD', join(directory, name)]));
}

describe.each(GROUNDS)('$title', (ground) => {
  test('exactly the promised variables, stdin null, no descriptor but the logs, a session of its own', async () => {
    const host = openHost({ ground });
    host.service('web', {
      process: { command: ['sleep', '1000'], env: { COLOUR: 'red', GIVEN: '${env:FROM_OUTSIDE}' } },
    });
    await host.start([], DAEMON_ENVIRONMENT);
    const pid = await host.pidOf('web');
    await host.executes(pid, 'sleep');
    const view = await host.view('web');
    const user = ground.user === 'nobody' ? 'nobody' : whoami();
    expect(environmentOf(pid)).toEqual({
      PATH: process.env['PATH'],
      HOME: userField(user, 5),
      USER: user,
      LOGNAME: user,
      SHELL: userField(user, 6),
      LANG: 'C.UTF-8',
      COLOUR: 'red',
      GIVEN: 'given',
      PROCESSMASTER_SERVICE: 'web',
      PROCESSMASTER_INSTANCE: '0',
      PROCESSMASTER_GENERATION: '1',
      PROCESSMASTER_RUN_ID: view?.instances[0]?.run_id,
      PROCESSMASTER_CLUSTER_ENABLED: '0',
      PROCESSMASTER_CLUSTER_NAME: 'default',
      PROCESSMASTER_CLUSTER_NODE_ID: hostname(),
      PROCESSMASTER_CLUSTER_EXPECTED_NODES: '1',
      ...recordedIn(join(host.state, 'runs', 'web')),
    });
    const files = Object.fromEntries(
      fs.readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, fs.readlinkSync(`/proc/${pid}/fd/${fd}`)]),
    );
    const logs = join(host.state, 'logs', 'web');
    expect(files).toEqual({ 0: '/dev/null', 1: join(logs, 'stdout.log'), 2: join(logs, 'stderr.log') });
    expect(readOr(`/proc/${pid}/stat`).split(' ')[5]).toBe(String(pid));
    expect(fs.readlinkSync(`/proc/${pid}/cwd`)).toBe(host.config);
  });

  test('the daemon tells how processes are created: without a fork where the optional package is', async () => {
    const host = openHost({ ground });
    await host.start();
    const { json } = await host.pmctl('doctor', '--json');
    const check = json.checks.find(({ name }: { readonly name: string }) => name === 'process creation');
    const forks = { ok: true, level: 'note', detail: expect.stringContaining('koffi') };
    expect(check).toMatchObject(ground.user === 'nobody' ? forks : { ok: true, level: 'fine' });
  });

  test('secrets reach the process and nothing else: no output, no state, no view, also not when they change', async () => {
    const host = openHost({ ground });
    const secrets = [
      'hunter2-file',
      'hunter2-base64',
      'hunter2-dotenv',
      'hunter3-file',
      'hunter3-base64',
      'hunter3-dotenv',
    ];
    const write = (version: number): void => {
      fs.writeFileSync(join(host.work, 'token'), `hunter${version}-file\n`, { mode: 0o600 });
      fs.writeFileSync(join(host.work, 'web.env'), `DOTENV="hunter${version}-dotenv"\n`, { mode: 0o600 });
      if (ground.user === 'nobody') {
        for (const name of ['token', 'web.env']) fs.chownSync(join(host.work, name), NOBODY.uid, NOBODY.gid);
      }
      host.service('web', {
        process: {
          command: ['sleep', '1000'],
          env_files: [join(host.work, 'web.env')],
          env: {
            FILE: { file: join(host.work, 'token') },
            BASE64: { base64: Buffer.from(`hunter${version}-base64`).toString('base64') },
          },
        },
      });
    };
    write(2);
    await host.start(['--watch-enabled', 'false', '--log-level', 'trace']);
    const pid = await host.pidOf('web');
    await host.executes(pid, 'sleep');
    const first = environmentOf(pid);
    expect(first).toMatchObject({ FILE: 'hunter2-file', BASE64: 'hunter2-base64', DOTENV: 'hunter2-dotenv' });
    write(3);
    const seen: string[] = [];
    const look = async (...words: readonly string[]): Promise<void> => {
      const { stdout, stderr } = await host.pmctl(...words);
      seen.push(stdout, stderr);
    };
    const diff = await host.pmctl('diff');
    expect(diff.code).toBe(2);
    expect(diff.stdout).toContain('process.env.FILE');
    expect(diff.stdout).toContain('process.env.BASE64');
    expect(diff.stdout).toContain('~DOTENV (hidden)');
    seen.push(diff.stdout);
    for (const words of [
      ['diff', '--json'],
      ['why', 'web', '--json'],
      ['update', '--json'],
      ['status', '--json'],
      ['status', 'web'],
    ]) {
      await look(...words);
    }
    expect(environmentOf(await host.pidOf('web'))).toMatchObject({
      FILE: 'hunter3-file',
      BASE64: 'hunter3-base64',
      DOTENV: 'hunter3-dotenv',
    });
    for (const words of [
      ['why', 'web', '--json'],
      ['why', 'web'],
      ['status', '--json'],
      ['events', '--json'],
      ['restart', 'web', '--json'],
      ['show', 'latest', 'web'],
      ['show', 'latest', 'web', '--json'],
    ]) {
      await look(...words);
    }
    for (const version of [2, 3]) {
      const written = Buffer.from(`hunter${version}-base64`).toString('base64');
      expect(seen.filter((text) => text.includes(written))).toEqual([]);
    }
    await host.stop();
    seen.push(host.stdout, host.stderr, ...filesBelow(host.state).map((path) => readOr(path)));
    for (const secret of secrets) expect(seen.filter((text) => text.includes(secret))).toEqual([]);
    // What the service file itself says in clear may be kept with its text, but for nobody else to read.
    for (const path of filesBelow(host.state).filter((path) => !path.includes('/logs/'))) {
      expect({ path, others: fs.statSync(path).mode & 0o077 }).toEqual({ path, others: 0 });
    }
  });
});

describe.runIf(isRoot)('a daemon of root with groups and a careless umask', () => {
  const prefix = ['setpriv', '--groups', '4,6,20', 'sh', '-c', 'umask 0; exec "$0" "$@"'];

  test('user, complete group list, umask, niceness, limits and OOM score are what the file says', async () => {
    const host = openHost({ ground: GROUND, prefix });
    fs.chmodSync(host.directory, 0o755);
    host.service('web', {
      process: {
        command: ['sleep', '1000'],
        user: 'nobody',
        umask: '027',
        nice: 7,
        rlimits: { nofile: { soft: 100, hard: 200 }, core: 0 },
        oom_score_adjust: 321,
        no_new_privileges: true,
      },
    });
    host.service('grouped', {
      process: {
        command: ['sleep', '1000'],
        user: 'nobody',
        group: 'daemon',
        supplementary_groups: ['adm', 'tty'],
      },
    });
    host.service('root', { process: { command: ['sleep', '1000'] } });
    await host.start([], DAEMON_ENVIRONMENT);
    const pid = await host.pidOf('web');
    await host.executes(pid, 'sleep');
    const ids = `${NOBODY.uid}\t${NOBODY.uid}\t${NOBODY.uid}\t${NOBODY.uid}`;
    expect(identityOf(pid)).toEqual({
      Uid: ids,
      Gid: ids,
      Groups: String(NOBODY.gid),
      Umask: '0027',
      NoNewPrivs: '1',
    });
    expect(environmentOf(pid)).toMatchObject({
      USER: 'nobody',
      LOGNAME: 'nobody',
      HOME: userField('nobody', 5),
    });
    expect(Object.keys(environmentOf(pid))).not.toContain('AWS_SECRET_ACCESS_KEY');
    expect(Number(readOr(`/proc/${pid}/stat`).split(' ')[18])).toBe(7);
    expect(readOr(`/proc/${pid}/oom_score_adj`).trim()).toBe('321');
    const limits = readOr(`/proc/${pid}/limits`);
    expect(limits).toMatch(/^Max open files +100 +200 /m);
    expect(limits).toMatch(/^Max core file size +0 +0 /m);

    const grouped = await host.pidOf('grouped');
    await host.executes(grouped, 'sleep');
    const [daemon, adm, tty] = ['daemon', 'adm', 'tty'].map((name) => groupId(name));
    expect(identityOf(grouped)).toMatchObject({
      Uid: ids,
      Gid: `${daemon}\t${daemon}\t${daemon}\t${daemon}`,
    });
    expect(statusField(grouped, 'Groups').split(' ').map(Number).toSorted()).toEqual([adm, tty].toSorted());
    // Without a user it is the daemon's own: that is what whoever started it said.
    const root = await host.pidOf('root');
    await host.executes(root, 'sleep');
    expect(identityOf(root)).toMatchObject({ Uid: '0\t0\t0\t0', Groups: '4 6 20' });
  });

  test('logs are made for the user of the service, and never through a link that he planted', async () => {
    const host = openHost({ ground: GROUND, prefix });
    fs.chmodSync(host.directory, 0o755);
    const place = join(host.directory, 'of-nobody');
    fs.mkdirSync(place);
    fs.chownSync(place, NOBODY.uid, NOBODY.gid);
    const target = join(host.directory, 'target');
    fs.mkdirSync(target);
    fs.writeFileSync(join(target, 'passwd'), 'root\n', { mode: 0o644 });
    fs.symlinkSync(target, join(place, 'logs'));
    fs.symlinkSync(join(target, 'passwd'), join(place, 'stdout.log'));
    const service = (logs: object): object => ({
      process: { command: 'echo mine; exec sleep 1000', user: 'nobody', working_directory: place },
      logs,
      restart_policy: { restart_backoff: '200ms', tolerance: { max_restarts: 1000 } },
    });
    host.service('file', service({ stdout: 'stdout.log' }) as never);
    host.service('parent', service({ stdout: 'logs/out.log', stderr: 'err.log' }) as never);
    await host.start();
    for (const name of ['file', 'parent']) {
      // While it is tried again there is no reason for a moment.
      await host.sees(name, 'refused', ({ last_exit, reason }) => last_exit !== null && /link/.test(reason));
    }
    expect(fs.readFileSync(join(target, 'passwd'), 'utf8')).toBe('root\n');
    expect(fs.readdirSync(target)).toEqual(['passwd']);
    // A reader is as careful: the log shown is not the file behind the link.
    expect((await host.pmctl('logs', 'file')).stdout).not.toContain('root');
    fs.rmSync(join(place, 'stdout.log'));
    await host.runs('file');
    const { uid } = fs.statSync(join(place, 'stdout.log'));
    expect(uid).toBe(NOBODY.uid);
    const logged = () => fs.readFileSync(join(place, 'stdout.log'), 'utf8').includes('mine');
    await host.until('the line to be in the log', () => logged() || undefined);
    expect((await host.pmctl('logs', 'file')).stdout).toContain('mine');
  });
});

test.runIf(GROUND.containment === 'cgroup')(
  'each limit is in the cgroup of the service, or it is said that this host cannot apply it',
  async () => {
    const host = openHost({ ground: GROUND });
    const limits = { max_memory: '64M', max_pids: 100, max_cpu: '500m', cpu_weight: 50 };
    const files = {
      max_memory: 'memory.max',
      max_pids: 'pids.max',
      max_cpu: 'cpu.max',
      cpu_weight: 'cpu.weight',
    };
    const written = { max_memory: '67108864', max_pids: '100', max_cpu: '50000 100000', cpu_weight: '50' };
    host.service('web', { process: { command: SLEEP }, resources: limits });
    await host.start();
    const pid = await host.pidOf('web');
    const group = `${host.base}/services/web`;
    const missing = Object.entries(files).filter(([, file]) => !fs.existsSync(`${group}/${file}`));
    const { json } = await host.pmctl('why', 'web', '--json');
    const said = json.problems.map(({ message }: { message: string }) => message).join('\n');
    for (const [key] of missing) expect(said).toContain(key);
    const there = Object.entries(files).filter((entry) => !missing.some(([key]) => key === entry[0]));
    const read = () =>
      Object.fromEntries(there.map(([key, file]) => [key, readOr(`${group}/${file}`).trim()]));
    expect(read()).toEqual(
      Object.fromEntries(there.map(([key]) => [key, written[key as keyof typeof written]])),
    );
    // Taken out of the file they are lifted, and no process is touched.
    host.service('web', { description: 'unlimited', process: { command: SLEEP } });
    await host.sees('web', 'described', ({ description }) => description === 'unlimited');
    const lifted = { max_memory: 'max', max_pids: 'max', max_cpu: 'max 100000', cpu_weight: '100' };
    await host.until(
      'the limits to be lifted',
      () => (read()['max_memory'] !== '67108864' && read()['max_pids'] !== '100' ? true : undefined),
      read,
    );
    expect(read()).toEqual(
      Object.fromEntries(there.map(([key]) => [key, lifted[key as keyof typeof lifted]])),
    );
    expect(await host.pidOf('web')).toBe(pid);
  },
);

test('a required variable that is missing is named, all of them, before anything runs', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', {
    process: { command: ['sleep', '1000'], env: { EMPTY: '' }, required_env: ['EMPTY', 'MISSING', 'PATH'] },
    restart_policy: { restart_backoff: '200ms', tolerance: { max_restarts: 1000 } },
  });
  await host.start();
  await host.sees(
    'web',
    'refused',
    ({ last_exit, reason }) => last_exit !== null && reason.includes('EMPTY, MISSING'),
  );
  expect(host.lifecycle('worker_started')).toEqual([]);
});

function environmentOf(pid: number): Readonly<Record<string, string>> {
  const pairs = readOr(`/proc/${pid}/environ`)
    .split('\0')
    .filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function identityOf(pid: number): Readonly<Record<string, string>> {
  const names = ['Uid', 'Gid', 'Groups', 'Umask', 'NoNewPrivs'];
  return Object.fromEntries(names.map((name) => [name, statusField(pid, name)]));
}

function whoami(): string {
  const uid = String(process.getuid?.());
  return passwd().find((fields) => fields[2] === uid)?.[0] ?? '';
}

function userField(user: string, index: number): string {
  return passwd().find(([name]) => name === user)?.[index] ?? '';
}

function groupId(group: string): number {
  const row = readOr('/etc/group')
    .split('\n')
    .map((line) => line.split(':'));
  return Number(row.find(([name]) => name === group)?.[2]);
}

function passwd(): readonly (readonly string[])[] {
  return readOr('/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'));
}

function filesBelow(directory: string): readonly string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
