/** The daemon is disposable: killed, upgraded, robbed of its state, it comes back and finds everything as it was. */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone, readOr } from './processes.ts';
import { endsGracefully, SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('kill -9 and start: the same pids, told as adopted, nothing restarted, no gap in the output', async () => {
    const host = openHost({ ground });
    host.service('web', { instances: 2, process: { command: SLEEP } });
    host.service('db', endsGracefully(host, 'db'));
    host.service('counter', {
      process: {
        command: 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done',
        working_directory: host.work,
      },
    });
    await host.start();
    const pids = {
      web: await host.runs('web', 2),
      db: await host.runs('db'),
      counter: await host.runs('counter'),
    };
    await host.says('db.began');
    await host.says('stdout.log', (text) => text.split('\n').length > 3);

    await host.crash();
    const atCrash = host.said('stdout.log').length;
    await host.says('stdout.log', (text) => text.length > atCrash);
    expect(Object.values(pids).flat().filter(isGone)).toEqual([]);
    await host.start();

    expect({
      web: await host.runs('web', 2),
      db: await host.runs('db'),
      counter: await host.runs('counter'),
    }).toEqual(pids);
    const told = host.lifecycle('worker_started').map(({ service, fields }) => ({
      service,
      pid: Number(fields['pid']),
      reason: fields['reason'],
    }));
    const adopted = Object.entries(pids).flatMap(([service, all]) =>
      all.map((pid) => ({ service, pid, reason: 'adopted' })),
    );
    expect(told.toSorted((a, b) => a.pid - b.pid)).toEqual(adopted.toSorted((a, b) => a.pid - b.pid));
    expect((await host.pmctl('diff')).code).toBe(0);
    const view = await host.sees('web', 'adopted', ({ instances }) =>
      instances.every(({ adopted }) => adopted),
    );
    expect(view).toMatchObject({ generation: 1, restarts: 0, ready: 2 });
    const atStart = host.said('stdout.log').length;
    const output = await host.says('stdout.log', (text) => text.length > atStart);
    const numbers = output.trimEnd().split('\n').map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    // It is in charge as the first one was: what it adopted it can end.
    expect(await host.pmctl('stop', 'db')).toMatchObject({ code: 0 });
    expect(isGone(pids.db[0] ?? 0)).toBe(true);
    expect(host.said('db.ended')).toBe('terminated\n');
  });

  test('a file removed while the daemon was away: stopped at its start, by the settings it was started with', async () => {
    const host = openHost({ ground });
    const [noted, stopping] = [
      `${host.work}/noted`,
      `echo flushed >> ${host.work}/flushed; kill -USR1 $(cat ${host.work}/db.pid)`,
    ];
    for (const name of ['a', 'b', 'c', 'd']) host.service(name, SLEEP);
    host.service('db', {
      process: {
        command: `trap 'echo usr1 >> ${noted}; kill $!; exit 0' USR1; trap 'echo term >> ${noted}' TERM; echo $$ > ${host.work}/db.pid; while :; do sleep 1000 & wait; done`,
        stop_command: stopping,
      },
    });
    await host.start();
    const pid = await host.pidOf('db');
    await host.says('db.pid');
    await host.crash();
    host.remove('db.yaml');
    await host.start();
    await host.isForgotten('db');
    expect(isGone(pid)).toBe(true);
    expect({ flushed: host.said('flushed'), noted: host.said('noted') }).toEqual({
      flushed: 'flushed\n',
      noted: 'usr1\n',
    });
    expect(host.lifecycle('worker_stopped')).toMatchObject([
      { service: 'db', fields: { reason: 'file_removed' } },
    ]);
  });

  test('what was stopped, held, failed or completed stays so; what died meanwhile is started again', async () => {
    const host = openHost({ ground });
    host.service('stopped', SLEEP);
    host.service('held', SLEEP);
    host.service('dies', { process: { command: SLEEP } });
    host.service('failed', {
      process: { command: `echo x >> ${host.work}/failed; exit 3` },
      restart_policy: { restart_backoff: '10ms', tolerance: { max_restarts: 1 } },
    });
    host.service('once', { process: { command: `echo x >> ${host.work}/once`, type: 'oneshot' } });
    await host.start();
    for (const name of ['stopped', 'held', 'dies']) await host.runs(name);
    await host.sees('failed', 'failed', ({ state }) => state === 'failed');
    await host.sees('once', 'completed', ({ state }) => state === 'completed');
    await host.until(
      'the failure to be on disk',
      () => (readOr(`${host.state}/memory.json`).includes('"kind":"failed"') ? true : undefined),
      () => readOr(`${host.state}/memory.json`),
    );
    expect((await host.pmctl('stop', 'stopped')).code).toBe(0);
    expect((await host.pmctl('hold', 'held', '-m', 'incident 4412')).code).toBe(0);
    const [held, dies] = [await host.view('held'), await host.pidOf('dies')];

    await host.crash();
    for (const pid of [held?.instances[0]?.pid ?? 0, dies]) process.kill(pid, 'SIGKILL');
    await host.start();
    await host.sees('dies', 'running again', ({ state, pid }) => state === 'running' && pid !== dies);
    const { services } = await host.status();
    const states = Object.fromEntries(services.map(({ name, state }) => [name, state]));
    expect(states).toEqual({
      dies: 'running',
      failed: 'failed',
      held: 'held',
      once: 'completed',
      stopped: 'stopped',
    });
    expect((await host.pmctl('update')).code).toBe(0);
    expect(host.lifecycle('worker_started').map(({ service }) => service)).toEqual(['dies']);
    expect({ once: host.said('once'), failed: host.said('failed') }).toEqual({
      once: 'x\n',
      failed: 'x\nx\n',
    });
    // They all come back when they are asked to.
    expect((await host.pmctl('release', 'held')).code).toBe(0);
    await host.runs('held');
    expect((await host.pmctl('start', 'stopped')).code).toBe(0);
    await host.runs('stopped');
  });
});

describe.each(GROUNDS)('$title', (ground) => {
  test('the state directory is deleted while the daemon was away: still the same pids, and no restart', async () => {
    const host = openHost({ ground });
    host.service('web', { instances: 3, process: { command: SLEEP } });
    await host.start();
    const pids = await host.runs('web', 3);
    await host.crash();
    fs.rmSync(host.state, { recursive: true });
    await host.start();
    expect(await host.runs('web', 3)).toEqual(pids);
    expect((await host.pmctl('diff')).code).toBe(0);
    expect(host.lifecycle('worker_started').map(({ fields }) => fields['reason'])).toEqual([
      'adopted',
      'adopted',
      'adopted',
    ]);
    expect(fs.existsSync(host.state)).toBe(true);
  });
});

describe.each(GROUNDS)('$title', (ground) => {
  test('the state directory is deleted under the daemon: what is asked for is done to the very same processes', async () => {
    const host = openHost({ ground });
    const alone = (name: string) => {
      const file = `${host.work}/${name}`;
      // Who comes while another one of it lives says so. The signal goes to all of a run, also to what comes meanwhile.
      const command = `trap 'trap "" TERM; rmdir ${file}; exit 0' TERM; mkdir ${file} || echo ${name} >> ${host.work}/doubled; while :; do sleep 1000 & wait; done`;
      return { process: { command }, rollout: { surge: 0 } };
    };
    for (const name of ['stopped', 'restarted', 'removed', 'left']) host.service(name, alone(name));
    await host.start();
    const begun = (name: string) => fs.existsSync(`${host.work}/${name}`) || undefined;
    const pidsOf = async (...names: readonly string[]) => {
      const pids: Record<string, number> = {};
      for (const name of names) {
        await host.until(`${name} to have begun`, () => begun(name));
        pids[name] = await host.pidOf(name);
      }
      return pids;
    };
    const before = await pidsOf('stopped', 'restarted', 'removed', 'left');
    const lose = () => {
      // At once: the daemon may write there meanwhile.
      fs.renameSync(host.state, `${host.directory}/lost`);
      fs.rmSync(`${host.directory}/lost`, { recursive: true });
    };

    lose();
    expect((await host.pmctl('stop', 'stopped')).code).toBe(0);
    expect(isGone(before['stopped'] ?? 0)).toBe(true);
    lose();
    expect((await host.pmctl('start', 'stopped')).code).toBe(0);
    lose();
    expect((await host.pmctl('restart', 'restarted')).code).toBe(0);
    expect(isGone(before['restarted'] ?? 0)).toBe(true);
    lose();
    host.remove('removed.yaml');
    await host.isForgotten('removed');
    expect(isGone(before['removed'] ?? 0)).toBe(true);
    lose();
    expect((await host.pmctl('update')).code).toBe(0);
    const after = await pidsOf('stopped', 'restarted', 'left');
    expect(after['left']).toBe(before['left']);
    // The next daemon finds them too, and no one else.
    await host.crash();
    await host.start();
    expect(await pidsOf('stopped', 'restarted', 'left')).toEqual(after);
    expect(host.said('doubled')).toBe('');
    for (const name of ['stopped', 'restarted', 'left']) {
      expect((await host.pmctl('stop', name)).code).toBe(0);
      expect(isGone(after[name] ?? 0)).toBe(true);
    }
  });
});

test('a changed file that was saved while the daemon was away is followed at its start, once', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  host.service('same', SLEEP);
  await host.start();
  const [web, same] = [await host.pidOf('web'), await host.pidOf('same')];
  await host.crash();
  host.service('web', 'exec sleep 2000');
  await host.start();
  await host.sees('web', 'replaced', ({ instances }) => {
    return instances.length === 1 && instances[0]?.generation === 2;
  });
  expect(isGone(web)).toBe(true);
  expect(await host.pidOf('same')).toBe(same);
});

test('killed in the middle of a stop, the next daemon carries the stop through', async () => {
  const host = openHost({ ground: GROUND });
  const file = `${host.work}/slow`;
  host.service('slow', {
    process: {
      command: `trap 'echo heard >> ${file}.heard; while [ ! -e ${file}.let-go ]; do sleep 0.05; done; exit 0' TERM; echo began > ${file}.began; while :; do sleep 1000 & wait; done`,
    },
  });
  await host.start();
  const pid = await host.pidOf('slow');
  await host.says('slow.began');
  const stop = host.background('stop', 'slow');
  await host.says('slow.heard');
  await host.crash();
  await stop.over;
  expect(stop.child.exitCode).not.toBe(0);
  expect(isGone(pid)).toBe(false);
  await host.start();
  await host.sees('slow', 'stopping', ({ state }) => state === 'stopping');
  fs.writeFileSync(join(host.work, 'slow.let-go'), '');
  await host.sees('slow', 'stopped', ({ state }) => state === 'stopped');
  expect(isGone(pid)).toBe(true);
});

test.skipIf(GROUND.containment !== 'cgroup')(
  'killed again and again while services start, stop and change, it never runs one of them twice',
  async () => {
    const host = openHost({ ground: GROUND });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (let turn = 0; turn < 12; turn++) {
      for (const [index, name] of names.entries()) {
        // Each second turn another half of them changes.
        const version = Math.floor((turn + index) / 2);
        host.service(name, { instances: 2, process: { command: `exec sleep ${1000 + version}` } });
      }
      const program = host.startUnasked();
      await host.until(
        'the daemon to do something',
        () => (host.lifecycle('worker_started').length > turn % 5 || program.isOver ? true : undefined),
        () => host.stdout,
      );
      await host.crash();
    }
    await host.start();
    for (const name of names) await host.runs(name, 2);
    const groups = fs
      .readdirSync(`${host.base}/services`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory());
    const runs = groups.map(({ name }) => ({
      name,
      slots: fs
        .readdirSync(`${host.base}/services/${name}`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name.split('.')[0]),
    }));
    expect(runs).toEqual(names.map((name) => ({ name, slots: ['0', '1'] })));
  },
);

/** Where a lock of the state directory is all that keeps a second daemon out. */
const SESSIONS = GROUNDS.filter(({ containment }) => containment === 'process_group');

describe.each(SESSIONS)('$title', (ground) => {
  const lose = (host: Host) => {
    fs.renameSync(host.state, `${host.directory}/lost`);
    fs.rmSync(`${host.directory}/lost`, { recursive: true });
  };
  /** Another daemon over the same files and state. */
  const beside = (host: Host) =>
    openHost({ ground, settings: { config_directory: host.config, state_directory: host.state } });

  test('the state directory is deleted under a daemon of which nobody asks anything: no other one gets in', async () => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    fs.rmSync(host.socket);
    lose(host);
    // Much sooner than the slow look.
    await host.until('the door to be open again', () =>
      fs.existsSync(`${host.state}/runs/lock`) && fs.existsSync(host.socket) ? true : undefined,
    );
    const other = beside(host);
    other.startUnasked();
    expect(await other.ended()).toBe(1);
    expect(other.stderr).toContain('a daemon already holds');
    expect(await host.pidOf('web')).toBe(pid);
  });

  test('another daemon comes before the loss was seen: the first one ends, and does nothing any more', async () => {
    const host = openHost({ ground });
    for (const name of ['stopped', 'left']) host.service(name, SLEEP);
    await host.start();
    const [, left] = await host.allRun(['stopped', 'left']);
    host.signal('SIGSTOP');
    lose(host);
    const other = beside(host);
    await other.start();
    expect((await other.pmctl('stop', 'stopped')).code).toBe(0);
    host.signal('SIGCONT');
    expect(await host.ended()).toBe(1);
    expect(host.stderr).toContain('all services are left to the daemon that came after this one');
    expect(host.lifecycle('manager_stopped')[0]?.fields).toMatchObject({
      reason: 'superseded',
      exit_code: '1',
    });
    expect(host.lifecycle('worker_started')).toHaveLength(2);
    expect(await other.view('stopped')).toMatchObject({ state: 'stopped', instances: [] });
    expect(await other.pidOf('left')).toBe(left);
    // Nor has it written over what it was not told.
    await other.crash();
    await other.start();
    expect(await other.pidOf('left')).toBe(left);
    expect(await other.view('stopped')).toMatchObject({ state: 'stopped' });
  });
});
