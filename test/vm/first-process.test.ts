/** What does the program do for a whole machine: as its first process, as a child of that, and over a reboot? */
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFailed, test } from 'vitest';
import { freshDisk, Machine } from './machine.ts';
import { Manager } from './manager.ts';
import { PRODUCT } from './system.ts';
import { machineMissing } from './tools.ts';

/** Tells the console of the machine that it was asked to end. */
const GENTLE = (name: string) =>
  `trap 'echo "${name} has ended" > /dev/console; exit 0' TERM; while :; do sleep 1000 & wait; done`;

describe.skipIf(machineMissing)('the first process', () => {
  let machine: Machine | undefined;
  afterEach(() => machine?.close());

  test('reaps what lost its parent, stops the services on TERM, and ends as the daemon does', async () => {
    machine = await Machine.boot({ becomes: null });
    const on = machine;
    const manager = new Manager(on, { directory: '/run/pm' });
    onTestFailed(async () => console.error(await manager.story()));
    await manager.writeSettings();
    await on.sh('mkdir /run/work');
    const service = (command: string) => ({ process: { command, working_directory: '/run/work' } });
    await manager.service('web', service(GENTLE('web')));
    await manager.service('forks', service(`(sleep 10000 & echo $! > orphan &); ${GENTLE('forks')}`));
    await on.become([`${PRODUCT}/bin/processmaster`, '-c', manager.masterFile]);
    await manager.answers();
    expect((await on.read('/proc/1/cmdline')).split('\0')).toContain(`${PRODUCT}/bin/processmaster`);
    for (const name of ['web', 'forks']) await manager.runs(name);
    const { body } = await manager.ask('GET', '/api/version');
    expect((await on.read(`/proc/${body.pid}/status`)).match(/^PPid:\s+(\d+)/m)?.[1]).toBe('1');
    expect(await on.read(`/proc/${body.pid}/cgroup`)).toBe('0::/processmaster/daemon\n');

    const orphan = await on.until(
      'an orphan',
      async () => (await on.readOr('/run/work/orphan')).trim() || undefined,
    );
    await on.until('it to belong to the first process', async () =>
      /^PPid:\s+1$/m.test(await on.readOr(`/proc/${orphan}/status`)) ? true : undefined,
    );
    await on.sh(`kill -KILL ${orphan}`);
    await on.until('it to be reaped', async () =>
      (await on.readOr(`/proc/${orphan}/status`)) === '' ? true : undefined,
    );

    await on.sh('kill -TERM 1').catch(() => 'it was off before it could answer');
    await on.off();
    expect(on.console).toMatch(/web has ended/);
    expect(on.console).toMatch(/forks has ended/);
    // The kernel says how its first process ended: status 0.
    expect(on.console).toMatch(/Attempted to kill init! exitcode=0x00000000/);
  });

  test('starts the daemon again under its services; over a reboot, what was stopped stays stopped', async () => {
    machine = await Machine.boot({
      becomes: null,
      reboots: true,
      disks: (directory) => [freshDisk(join(directory, 'disk'), 128)],
    });
    const on = machine;
    const manager = new Manager(on, { directory: '/disk/pm', settings: { sock_path: '/run/pm.sock' } });
    onTestFailed(async () => console.error(await manager.story()));
    const INITTAB = [
      `::respawn:/bin/sh -c 'exec ${PRODUCT}/bin/processmaster -c /disk/pm/config.yaml >> /disk/pm/output 2>&1'`,
      `::shutdown:${PRODUCT}/bin/pmctl --sock /run/pm.sock shutdown --stop-services`,
      '::shutdown:/bin/umount -a -r',
    ];
    const up = async () => {
      await on.sh('mount /dev/vda /disk');
      await on.write('/etc/inittab', `${INITTAB.join('\n')}\n`);
      await manager.writeSettings();
      await on.sh('mkdir -p /disk/work');
    };
    const service = (name: string) => ({
      process: { command: GENTLE(name), working_directory: '/disk/work' },
      logs: { stdout: `${name}.out`, stderr: `${name}.err` },
    });
    await up();
    for (const name of ['web', 'halted', 'held', 'wide']) await manager.service(name, service(name));
    await on.become(['/usr/bin/busybox', 'init']);
    await manager.answers();
    const pids = new Map<string, number>();
    for (const name of ['web', 'halted', 'held', 'wide']) pids.set(name, await manager.runs(name));

    const { body: before } = await manager.ask('GET', '/api/version');
    await on.sh(`kill -KILL ${before.pid}`);
    await on.until('another daemon', async () => {
      const answer = await manager.ask('GET', '/api/version').catch(() => undefined);
      return answer?.status === 200 && answer.body.pid !== before.pid ? true : undefined;
    });
    for (const [name, pid] of pids) expect(await manager.runs(name)).toBe(pid);

    await manager.order('stop', 'halted');
    await manager.order('hold', 'held', { reason: 'looked at' });
    await manager.order('scale', 'wide', { instances: 3 });
    await on.run('reboot');
    await on.until('the second boot', () => (on.boots === 2 ? true : undefined));
    // All of them were asked, before the first process would have killed them.
    for (const name of ['web', 'held', 'wide']) expect(on.console).toContain(`${name} has ended`);
    await up();
    await on.become(['/usr/bin/busybox', 'init']);
    await manager.answers();
    await manager.runs('web');
    const wide = await manager.sees('wide', 'three', ({ ready }) => ready === 3);
    expect(new Set(wide.instances.map(({ pid }) => pid)).size).toBe(3);
    expect(await manager.view('halted')).toMatchObject({ state: 'stopped', drift: 'stopped', pid: null });
    // What is held is left alone, and so not started either.
    expect(await manager.view('held')).toMatchObject({ state: 'held', drift: 'held', pid: null });
    // What happened before is still told.
    expect(String((await manager.ask('GET', '/api/events?service=halted')).body)).toContain('worker_stopped');
    expect((await manager.status()).problems).toEqual([]);
  });
});
