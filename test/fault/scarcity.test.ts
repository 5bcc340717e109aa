/** What if the host really is short of something? The daemon as a program, under limits that the kernel enforces. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GROUND, GROUNDS, NOBODY } from '../e2e/grounds.ts';
import { type Host, openHost } from '../e2e/host.ts';
import { childrenOf, descriptorsOf, isGone, readOr } from '../e2e/processes.ts';
import { SLEEP } from '../e2e/services.ts';
import { isRoot } from '../linux/ground.ts';

/** A user namespace has limits of its own (namespaces(7), /proc/sys/user): nobody else's watches are touched. */
const OWN_NAMESPACE = ['unshare', '--user', '--map-root-user'];
const WATCHES = '/proc/sys/user/max_inotify_watches';
const canLimitWatches =
  spawnSync(OWN_NAMESPACE[0] ?? '', [...OWN_NAMESPACE.slice(1), 'sh', '-c', `echo 0 > ${WATCHES}`]).status ===
  0;
if (!canLimitWatches)
  console.warn('skipped: a daemon without inotify watches, because no limit can be set here');

/** Tried again soon: what is to be seen is that it is tried again at all, more often than a crash would be. */
const SOON = { restart_backoff: '20ms' };

/** After so many failed starts a service that really fails is given up. */
const GIVEN_UP_AFTER = 4;

describe.runIf(isRoot)('a host that is short of', () => {
  test('descriptors: what runs runs on, pmctl says so, and what ended comes back with the descriptors', async () => {
    const host = openHost({ ground: GROUND });
    const { web, steady, before } = await twoServices(host);
    limit(host, 'nofile', await limitLeaving(host, 0));
    process.kill(web, 'SIGKILL');
    await says(host, /what runs cannot be seen, so nothing is started or stopped: .*EMFILE/);
    const asked = await host.pmctl('status');
    expect(asked).toMatchObject({ code: 1, stdout: '' });
    expect(asked.stderr).toMatch(/closed the connection before it had answered.*descriptor/);
    // Enough to look and to answer, too few to start anything.
    limit(host, 'nofile', await limitLeaving(host, 2));
    await failedStarts(host, 'web', GIVEN_UP_AFTER + 2);
    expect((await host.view('web'))?.reason).toContain('EMFILE');
    limit(host, 'nofile', 1024);
    await host.sees('web', 'running again', ({ state, pid }) => state === 'running' && pid !== web);
    expect(await host.pidOf('steady')).toBe(steady);
    await isWhole(host, before);
  });

  test.runIf(GROUNDS.some(({ user }) => user === 'nobody'))(
    'processes: what could not be forked is tried again, and counts as no crash',
    async () => {
      const ground = GROUNDS.find(({ user }) => user === 'nobody');
      if (ground === undefined) throw new Error('nobody cannot run');
      const host = openHost({ ground });
      const { web, steady, before } = await twoServices(host);
      const processes = Number(/^Max processes +(\d+)/m.exec(readOr(`/proc/${host.pid}/limits`))?.[1]);
      limit(host, 'nproc', 1);
      process.kill(web, 'SIGKILL');
      await failedStarts(host, 'web', GIVEN_UP_AFTER + 2);
      const { reason } = await host.sees('web', 'waiting', ({ state }) => state === 'backoff');
      expect(reason).toContain('EAGAIN');
      const started = await host.pmctl('start', 'web');
      expect(started.code).not.toBe(0);
      expect(`${started.stdout}${started.stderr}`).toContain('no process left to give');
      limit(host, 'nproc', processes);
      await host.sees('web', 'running again', ({ state, pid }) => state === 'running' && pid !== web);
      expect(await host.pidOf('steady')).toBe(steady);
      await isWhole(host, before);
    },
  );

  test.runIf(GROUND.containment === 'cgroup')(
    'cgroups: a roll-out waits for room, and is not taken for a bad definition',
    async () => {
      const host = openHost({ ground: GROUND });
      const definition = (command: string) => ({
        process: { command },
        rollout: { surge: 1 },
        restart_policy: SOON,
      });
      host.service('web', definition(SLEEP));
      await host.start();
      const pid = await host.pidOf('web');
      const most = join(host.base, 'services', 'cgroup.max.descendants');
      fs.writeFileSync(most, '0');
      host.service('web', definition('exec sleep 2000'));
      await failedStarts(host, 'web', GIVEN_UP_AFTER + 2);
      const view = await host.view('web');
      expect(view).toMatchObject({ state: 'running', pid, drift: 'pending' });
      expect(isGone(pid)).toBe(false);
      fs.writeFileSync(most, 'max');
      await host.sees('web', 'rolled', (now) => now.pid !== pid && now.ready === 1 && now.drift === 'none');
    },
  );

  test('room for a new log: a start is tried again until there is some', async () => {
    const host = openHost({ ground: GROUND });
    const logs = join(host.work, 'logs');
    fs.mkdirSync(logs);
    mount(['-t', 'tmpfs', '-o', 'nr_inodes=2', 'tmpfs', logs]);
    onTestFinished(() => void spawnSync('umount', ['--lazy', logs]));
    fs.writeFileSync(join(logs, 'filler'), '');
    const log = join(logs, 'web.log');
    host.service('web', {
      process: { command: SLEEP },
      restart_policy: SOON,
      logs: { stdout: log, stderr: log },
    });
    await host.start();
    await failedStarts(host, 'web', GIVEN_UP_AFTER + 2);
    expect((await host.view('web'))?.reason).toContain(
      `${log} cannot be appended to: no space left on device (ENOSPC)`,
    );
    fs.rmSync(join(logs, 'filler'));
    await host.runs('web');
  });
});

describe('a daemon', () => {
  test.runIf(canLimitWatches)(
    'without inotify watches says so once, and follows files again when it has some',
    async () => {
      const host = openHost({
        ground: { title: '', containment: 'process_group', user: 'self' },
        prefix: [...OWN_NAMESPACE, 'sh', '-c', `echo 0 > ${WATCHES}; exec "$@"`, 'sh'],
      });
      host.service('web', SLEEP);
      await host.start();
      await says(host, /watching files failed/);
      host.service('asked', SLEEP);
      host.signal('SIGHUP');
      await host.runs('asked');
      const allow = ['--user', '--preserve-credentials', '--target', `${host.pid}`];
      const { status, stderr } = spawnSync('nsenter', [...allow, 'sh', '-c', `echo 1000 > ${WATCHES}`]);
      if (status !== 0) throw new Error(`nsenter: ${stderr}`);
      await says(host, /files are watched again/);
      host.service('saved', SLEEP);
      await host.runs('saved');
      expect(host.stderr.match(/watching files failed/g)).toHaveLength(1);
    },
  );

  test('that stands still for a while has missed nothing', async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', { process: { command: SLEEP }, restart_policy: SOON });
    host.service('old', SLEEP);
    host.service('other', SLEEP);
    await host.start();
    const web = await host.pidOf('web');
    const other = await host.pidOf('other');
    host.signal('SIGSTOP');
    process.kill(web, 'SIGKILL');
    host.service('fresh', SLEEP);
    host.remove('old.yaml');
    // Longer than its probes, its looks and its settling times take.
    await after(1500);
    host.signal('SIGCONT');
    await host.sees('web', 'running again', ({ state, pid }) => state === 'running' && pid !== web);
    await host.runs('fresh');
    await host.isForgotten('old');
    expect(await host.pidOf('other')).toBe(other);
  });
});

async function says(host: Host, what: RegExp): Promise<void> {
  await host.until(
    `the daemon to say ${what}`,
    () => (what.test(host.stderr) ? true : undefined),
    () => host.stderr,
  );
}

async function failedStarts(host: Host, service: string, count: number): Promise<void> {
  const failed = () =>
    host
      .lifecycle('worker_exited')
      .filter((line) => line.service === service && line.fields['exit_reason'] === 'not_started');
  await host.until(
    `${count} failed starts of ${service}`,
    () => (failed().length >= count ? true : undefined),
    () => host.stdout,
  );
}

/** Nothing is left open, and nobody is left dead. */
async function isWhole(host: Host, descriptors: number): Promise<void> {
  await host.until(
    `${descriptors} open descriptors`,
    () => (descriptorsOf(host.pid) <= descriptors ? true : undefined),
    () => descriptorsOf(host.pid),
  );
  const dead = () => childrenOf(host.pid).filter(isGone);
  // A probe that has just ended is dead until the daemon hears of it.
  await host.until('no child to be left dead', () => (dead().length === 0 ? true : undefined), dead);
  expect(host.stderr).not.toMatch(/\n\s+at /);
}

/** One that is going to be killed, and one that must not notice anything. */
async function twoServices(host: Host): Promise<{ web: number; steady: number; before: number }> {
  host.service('web', { process: { command: SLEEP }, restart_policy: SOON });
  host.service('steady', {
    process: { command: SLEEP },
    probes: { liveness: { exec: 'true', interval: '100ms', failure_threshold: 1 } },
  });
  await host.start();
  const [web, steady] = [await host.pidOf('web'), await host.pidOf('steady')];
  return { web, steady, before: (await heldOpen(host)).size };
}

/**
 * What is open for a moment only, as the connection of a request, does not count; nor do the pipes of probes, which get
 * the same numbers again and again, and where others have the processor may be there as long as the pause between them.
 */
async function heldOpen(host: Host): Promise<ReadonlySet<number>> {
  const look = () =>
    new Map(fs.readdirSync(`/proc/${host.pid}/fd`).map((fd) => [Number(fd), targetOf(host, fd)]));
  let held = look();
  for (let looks = 0; looks < 30; looks++) {
    await after(10);
    const now = look();
    held = new Map([...held].filter(([number, target]) => now.get(number) === target));
  }
  return new Set(held.keys());
}

/** What the descriptor stands for, by its kind and inode (proc_pid_fd(5)). */
function targetOf(host: Host, fd: string): string {
  try {
    return fs.readlinkSync(`/proc/${host.pid}/fd/${fd}`);
  } catch {
    return 'closed meanwhile';
  }
}

/** A soft limit under which so many more can be opened: the kernel gives the lowest free number (open(2)). */
async function limitLeaving(host: Host, free: number): Promise<number> {
  const taken = await heldOpen(host);
  let number = 0;
  for (let left = free; taken.has(number) || left > 0; number++) if (!taken.has(number)) left -= 1;
  return number;
}

function limit(host: Host, what: 'nofile' | 'nproc', soft: number): void {
  // Whoever is asked has to be the same user.
  const asNobody = what === 'nproc' ? NOBODY.command : [];
  const [program = '', ...args] = [...asNobody, 'prlimit', '--pid', `${host.pid}`, `--${what}=${soft}:`];
  const { status, stderr } = spawnSync(program, args);
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}
