/** What if the state directory cannot be written? Services do not notice, commands last or say so, and it mends by itself. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isRoot } from '../linux/ground.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

const canMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (isRoot && !canMount) console.warn('skipped: a full disk, because nothing can be mounted here');

describe.runIf(canMount && GROUND.containment === 'cgroup')('a state directory', () => {
  const troubles: readonly [string, (host: Host) => () => void, (host: Host) => Promise<void>][] = [
    ['on a disk that is full: services run on, commands are taken and last', fill, commandsLast],
    [
      'that became read-only: services run on, commands that must be durable are refused',
      makeReadOnly,
      commandsAreRefused,
    ],
  ];
  test.each(troubles)('%s, and it recovers', async (_what, trouble, commands) => {
    const host = openHost({ ground: GROUND });
    mountState(host);
    const logs = { logs: { stdout: join(host.work, 'out.log'), stderr: join(host.work, 'err.log') } };
    host.service('web', { process: { command: SLEEP }, ...logs });
    host.service('other', { process: { command: SLEEP }, ...logs });
    await host.start();
    const other = await host.pidOf('other');
    const mend = trouble(host);

    await commands(host);
    const pid = await host.pidOf('web');
    // What needs no promise over a crash goes on: a service that dies is started again, a changed file is followed.
    process.kill(other, 'SIGKILL');
    await host.sees(
      'other',
      'started again',
      (view) => view.state === 'running' && view.pid !== other && view.pid !== null,
    );
    await host.until('the trouble to be shown', () => isShown(host).then((shown) => shown || undefined));
    expect((await host.pmctl('status')).stdout).toContain('cannot be written');
    host.service('web', { description: 'edited', process: { command: SLEEP }, ...logs });
    await host.sees('web', 'described', ({ description }) => description === 'edited');
    host.service('fresh', { process: { command: SLEEP }, ...logs });
    await host.runs('fresh');
    expect(host.stderr).toContain('cannot be written');
    expect(host.stderr.split('\n').length).toBeLessThan(60);
    // So does a daemon that starts like this.
    await host.crash();
    await host.start();
    expect(await host.pidOf('web')).toBe(pid);

    mend();
    await host.until('nothing to be shown', () => isShown(host).then((shown) => !shown || undefined));
    // What was applied meanwhile is part of the history, with its texts.
    const [applied] = JSON.parse((await host.pmctl('history', '--json')).stdout).entries;
    expect(applied).toMatchObject({ mark: 'current', changed: ['web'], added: ['fresh'] });
    expect((await host.pmctl('show', applied.id, 'web')).stdout).toContain('edited');
    expect((await host.pmctl('stop', 'web')).code).toBe(0);
    expect(isGone(pid)).toBe(true);
    await host.crash();
    await host.start();
    expect(await host.view('web')).toMatchObject({ state: 'stopped', drift: 'stopped' });
    await host.runs('fresh');
  });
});

async function commandsAreRefused(host: Host): Promise<void> {
  const pid = await host.pidOf('web');
  const stop = await host.pmctl('stop', 'web');
  expect(stop.code).not.toBe(0);
  expect(`${stop.stdout}${stop.stderr}`).toContain('cannot be written');
  expect(await host.view('web')).toMatchObject({ state: 'running', pid, drift: 'none' });
}

/** Somebody takes each block that becomes free: each command has the room of the one before. */
async function commandsLast(host: Host): Promise<void> {
  const pid = await host.pidOf('web');
  const take = async (...command: readonly string[]) => {
    fill(host);
    const { code, stdout, stderr } = await host.pmctl(...command);
    expect(code, `${stdout}${stderr}`).toBe(0);
  };
  await take('scale', 'other', '1');
  await take('hold', 'other', '-m', 'a disk is full');
  await take('stop', 'web');
  expect(isGone(pid)).toBe(true);
  await host.crash();
  await host.start();
  expect(await host.view('web')).toMatchObject({ state: 'stopped', drift: 'stopped' });
  expect(await host.view('other')).toMatchObject({ reason: expect.stringContaining('a disk is full') });
  for (const command of [
    ['release', 'other'],
    ['start', 'web'],
  ]) {
    const { code, stdout, stderr } = await host.pmctl(...command);
    expect(code, `${stdout}${stderr}`).toBe(0);
  }
}

test('a state directory whose files are noise: what runs is adopted, the files are set aside and named', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  expect((await host.pmctl('hold', 'web', '-m', 'x')).code).toBe(0);
  await host.stop();
  const files = fs.readdirSync(host.state).filter((name) => name.endsWith('.json'));
  expect(files).toContain('intent.json');
  for (const name of files) fs.writeFileSync(join(host.state, name), '{"version": 1, "serv');
  await host.start();
  expect(await host.pidOf('web')).toBe(pid);
  for (const name of files) expect(host.stderr).toContain(`${name} cannot be read back`);
  expect(fs.existsSync(join(host.state, 'intent.json.broken'))).toBe(true);
  // And not only in the log, which nobody may be reading.
  for (const command of [['status'], ['why', 'web'], ['doctor'], ['events']]) {
    expect((await host.pmctl(...command)).stdout).toContain('intent.json cannot be read back');
  }
  expect((await host.pmctl('hold', 'web', '-m', 'again')).code).toBe(0);
});

test('what people asked for cannot be read: the daemon does not start, and takes nothing for forgotten', async () => {
  const host = openHost({ ground: GROUND });
  for (const name of ['web', 'other']) host.service(name, SLEEP);
  await host.start();
  const pid = await host.pidOf('other');
  expect((await host.pmctl('stop', 'web')).code).toBe(0);
  await host.stop();
  const file = join(host.state, 'intent.json');
  fs.renameSync(file, `${file}.saved`);
  // Even root cannot read a link that leads to itself, and a new file would take its place.
  fs.symlinkSync('intent.json', file);
  host.startUnasked();
  expect(await host.ended()).toBe(1);
  expect(host.stderr).toContain(`${file} cannot be read (ELOOP)`);
  expect(fs.readlinkSync(file)).toBe('intent.json');
  expect(isGone(pid)).toBe(false);
  fs.renameSync(`${file}.saved`, file);
  await host.start();
  expect(await host.pidOf('other')).toBe(pid);
  expect(await host.view('web')).toMatchObject({ state: 'stopped', drift: 'stopped' });
});

async function isShown(host: Host): Promise<boolean> {
  return (await host.status()).problems.some(({ code }) => code === 'state-unwritable');
}

function mountState(host: Host): void {
  mount(['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', host.state]);
  onTestFinished(() => {
    // Processes of the test may still have files open there: it goes when they do.
    spawnSync('umount', ['--lazy', host.state]);
  });
}

function fill(host: Host): () => void {
  const filler = join(host.state, 'filler');
  const fd = fs.openSync(filler, 'a');
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    fs.closeSync(fd);
  }
  return () => fs.rmSync(filler);
}

function makeReadOnly(host: Host): () => void {
  mount(['-o', 'remount,ro', host.state]);
  return () => mount(['-o', 'remount,rw', host.state]);
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}
