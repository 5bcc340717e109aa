/** What does the library promise to a program that talks to a daemon, or that has services of its own? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/library/connect.ts';
import type { ProcessmasterOptions } from '../../src/library/embedding-options.ts';
import { Processmaster } from '../../src/library/processmaster.ts';
import { ProcessmasterError } from '../../src/library/processmaster-error.ts';
import { cgroupsMissing, mountPoint, until } from '../linux/ground.ts';
import { GROUND } from './grounds.ts';
import { openHost } from './host.ts';
import { PackagePlace } from './package-place.ts';
import { isGone } from './processes.ts';

const SLEEP = { process: { command: ['sleep', '1000'] } };

describe('a client', () => {
  it('commands a daemon, and says with one class of errors what did not come about', async () => {
    // What is saved is to be found by the update, not by a watch that may be quicker.
    const host = openHost({ ground: GROUND, settings: { watch: { enabled: false } } });
    host.service('web', 'sleep 1000');
    await host.start();
    const client = connect({ sock: host.socket, by: 'tester' });
    expect(await client.wait('web')).toMatchObject({ met: true });
    const [before] = await client.stats('web');
    expect(before).toMatchObject({
      name: 'web',
      status: 'running',
      mode: 'fork',
      instances: 1,
      memoryHeap: null,
    });
    expect(await client.restart('web')).toMatchObject([{ service: 'web', result: 'done' }]);
    const [after] = await client.stats('web');
    expect(after?.pid).not.toBe(before?.pid);
    await client.stop(['web']);
    expect(await client.list()).toMatchObject([{ name: 'web', state: 'stopped' }]);
    await client.start('web');
    await client.scale('web', 2);
    expect(await client.status()).toMatchObject({ services: [{ desired: 2, ready: 2 }] });
    host.service('web', 'sleep 2000');
    expect((await client.diff()).changes).toMatchObject([{ service: 'web', action: 'roll' }]);
    expect((await client.update()).changes).toMatchObject([{ service: 'web', result: 'done' }]);
    const { entries } = await client.history({ limit: 2 });
    expect(entries.map(({ trigger, changed }) => [trigger, changed])).toEqual([
      ['update', ['web']],
      ['boot', []],
    ]);
    await client.rollback({ id: 'previous' });
    expect((await client.status()).frozen).toMatchObject({ snapshot: entries[1]?.id, pending: ['web'] });
    await client.resume();
    expect((await client.status()).frozen).toBe(null);
    await expect(client.sync()).resolves.toMatchObject({ result: 'refused' });
    await expect(client.update({ services: ['wob'] })).rejects.toMatchObject({ code: 'unknown_service' });
    await expect(client.logs({ services: 'wob' })).rejects.toMatchObject({ code: 'unknown_service' });
    await expect(client.logs({ since: new Date('x') })).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.stop(undefined as never)).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.restart('wob')).rejects.toMatchObject({ code: 'unknown_service' });
    await expect(client.stats('wob')).rejects.toMatchObject({ code: 'unknown_service', message: /mean web/ });
    await expect(client.why('wob')).rejects.toBeInstanceOf(ProcessmasterError);
    const refused = client.start({ name: 'x', command: ['sleep', '1'], directory: '/nowhere' });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ code: 'working-directory-missing' }],
    });
    await expect(client.start({ name: 'x' })).rejects.toMatchObject({ code: 'invalid' });
    const told = await client.start({ name: 'noisy', command: 'echo one; echo two; exec sleep 1000' });
    expect(told).toMatchObject({ service: 'noisy', result: 'done' });
    const lines = await host.until(
      'both lines',
      async () => {
        const { logs } = await client.logs({ services: 'noisy', grep: /^t/, lines: 5 });
        return logs.length > 0 ? logs.map(({ line }) => line) : undefined;
      },
      () => undefined,
    );
    expect(lines).toEqual(['two']);
    await client.delete('noisy');
    expect(fs.existsSync(join(host.config, 'noisy.yaml'))).toBe(false);
    const pid = host.pid;
    await client.killDaemon({ stopServices: true });
    expect(await host.ended()).toBe(0);
    expect(isGone(pid)).toBe(true);
    await expect(client.status()).rejects.toMatchObject({ code: 'no_daemon' });
    await client.killDaemon();
  });

  it('gives a call up when its signal says so, and everything when it is closed', async () => {
    const host = openHost({ ground: GROUND });
    host.service('late', { process: { command: 'sleep 1000' }, probes: { readiness: { exec: 'false' } } });
    await host.start();
    const client = connect({ sock: host.socket });
    const reason = new Error('enough');
    const abort = new AbortController();
    const waiting = client.wait('late', { signal: abort.signal });
    abort.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: reason });
    await expect(client.status({ signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
    const events = client.events();
    const next = events.next();
    const other = client.wait('late');
    client.close();
    await expect(other).rejects.toMatchObject({ code: 'closed' });
    expect(await next).toMatchObject({ done: true });
    await expect(client.status()).rejects.toMatchObject({ code: 'closed' });
  });

  it('tells every event once, also across a crash of the daemon', async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', 'sleep 1000');
    await host.start();
    const client = connect({ sock: host.socket });
    onTestFinished(() => client.close());
    await client.wait('web');
    const told: { readonly id: number; readonly name: string }[] = [];
    const gaps: number[] = [];
    const events = client.events({ services: ['web'], onGap: (after) => gaps.push(after) });
    const reading = (async () => {
      for await (const event of events) {
        told.push(event);
        if (told.filter(({ name }) => name === 'restart_requested').length === 2) break;
      }
    })();
    await client.restart('web');
    await until(
      'the restart to be told',
      () => (told.some(({ name }) => name === 'worker_stopped') ? true : undefined),
      () => told,
    );
    await host.crash();
    await host.start();
    await client.wait('web');
    await client.restart('web');
    await reading;
    const { body } = await host.ask('GET', '/api/events?services=web').catch(() => ({ body: undefined }));
    const kept = lines(body).filter(({ id }) => id >= (told[0]?.id ?? 0) && id <= (told.at(-1)?.id ?? 0));
    expect(told.map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
    expect(told[0]).toMatchObject({ name: 'restart_requested' });
    expect(gaps).toEqual([]);
  });

  it('stops waiting for a daemon that does not come back', async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', 'sleep 1000');
    await host.start();
    const client = connect({ sock: host.socket });
    const events = client.events({ patience: 300 });
    await client.restart('web');
    expect(await events.next()).toMatchObject({
      value: { name: 'restart_requested', actor: expect.any(String) },
    });
    await host.crash();
    const rest = async (): Promise<void> => {
      for await (const _ of events);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'no_daemon' });
    await expect(client.events().next()).rejects.toMatchObject({ code: 'no_daemon' });
  });

  it('asks over TCP with a token, which says who asks and what he may', async () => {
    const host = openHost({ ground: GROUND });
    const tokens = join(host.directory, 'tokens');
    host.settings['api'] = { listen: '127.0.0.1:0', tokens };
    host.service('web', 'sleep 1000');
    const [ops, rob] = await Promise.all(
      Object.entries({ ops: 'operate', rob: 'read' }).map(async ([name, role]) => {
        const made = await host.pmctl('token', 'new', name, '--role', role, '--file', tokens);
        expect(made.code).toBe(0);
        return made.stdout.trim();
      }),
    );
    await host.start();
    const url = await host.until(
      'the API to listen',
      () => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(host.stderr)?.[1],
      () => host.stderr,
    );
    const operator = connect({ url, token: ops ?? '', by: 'somebody' });
    expect(() => connect({ by: 'somebody else' })).toThrow(ProcessmasterError);
    await operator.wait('web');
    const events = operator.events();
    await operator.restart('web');
    expect(await events.next()).toMatchObject({ value: { name: 'restart_requested', actor: 'token:ops' } });
    await events.return();
    const reader = connect({ url, token: rob ?? '' });
    expect(await reader.list()).toMatchObject([{ name: 'web' }]);
    await expect(reader.restart('web')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(connect({ url, token: 'wrong' }).list()).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(operator.ensureDaemon()).resolves.toMatchObject({ pid: host.pid });
    await host.crash();
    await expect(operator.ensureDaemon()).rejects.toMatchObject({ code: 'unreachable' });
    await expect(connect({ url: 'nowhere' }).list()).rejects.toMatchObject({ code: 'usage' });
    await expect(connect({ url }).list()).rejects.toThrow('or give the option token');
  });

  it('starts one daemon, however many ask for it', async () => {
    const place = new PackagePlace();
    const script = place.write(
      'ask.mjs',
      `import { connect } from 'processmaster';
       const clients = [connect(), connect()];
       const told = await Promise.all(clients.map((client) => client.ensureDaemon()));
       console.log(JSON.stringify(told.map(({ pid }) => pid)));`,
    );
    const programs = [place.run(script), place.run(script)];
    await Promise.all(programs.map(({ over }) => over));
    const pids = programs.flatMap(({ stdout, stderr }) => {
      expect(stderr).toBe('');
      return JSON.parse(stdout) as number[];
    });
    expect(new Set(pids).size).toBe(1);
    expect(isGone(pids[0] ?? 0)).toBe(false);
    await connect({ sock: place.socket }).killDaemon({ stopServices: true });
    // It answers no more; its process ends a moment later.
    await until('the daemon to be gone', () => (isGone(pids[0] ?? 0) ? true : undefined));
  });
});

describe('a manager inside of a program', () => {
  it('makes services what they are said to be, again and again', async () => {
    const pm = await started({ services: { one: SLEEP, two: SLEEP } });
    const [one] = await pm.stats('one');
    const three = { process: { command: ['sleep', '2000'] } };
    const { changes } = await pm.update({ one: SLEEP, three });
    expect(changes.map(({ service, action, result }) => [service, action, result])).toEqual([
      ['three', 'start', 'done'],
      ['two', 'stop', 'done'],
    ]);
    expect(await pm.stats('one')).toMatchObject([{ pid: one?.pid }]);
    await pm.restart('one');
    const [again] = await pm.stats('one');
    expect(again?.pid).not.toBe(one?.pid);
    await pm.update({});
    expect((await pm.status()).services.filter(({ isRunning }) => isRunning)).toEqual([]);
    for (const stats of [one, again]) expect(isGone(stats?.pid ?? 0)).toBe(true);
  });

  it('says everything that is wrong, and changes nothing', async () => {
    const pm = await started({ services: { one: SLEEP } });
    const wrong = pm.update({
      'a b': SLEEP,
      x: { process: { command: ['sleep'], bad: 1 } as never },
      y: { process: { command: ['sleep'] }, depends_on: ['nobody'] as never },
    });
    const error = await wrong.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid', name: 'ProcessmasterError' });
    const { problems } = error as ProcessmasterError;
    expect(problems.map(({ service, file }) => [service, file])).toEqual([
      ['a b', undefined],
      ['x', undefined],
      ['y', undefined],
    ]);
    for (const none of [[], new Map([['one', SLEEP]]), null, undefined]) {
      await expect(pm.update(none as never)).rejects.toMatchObject({ code: 'invalid' });
    }
    await expect(pm.wait('one', { for: 'completd' as never })).rejects.toMatchObject({ code: 'invalid' });
    expect(await pm.list()).toMatchObject([{ name: 'one', state: 'running' }]);
    const never = new Processmaster({ services: { x: { process: {} as never } } });
    await expect(never.start()).rejects.toMatchObject({ code: 'invalid' });
    await expect(never.status()).rejects.toMatchObject({ code: 'closed' });
    const settings = new Processmaster({ settings: { pools: { start_port: -1 } } });
    await expect(settings.start()).rejects.toMatchObject({ code: 'invalid' });
  });

  it('tells what happens, from the start to the end', async () => {
    const pm = new Processmaster({ services: { one: SLEEP } });
    const names: string[] = [];
    const heard: string[] = [];
    pm.on('event', ({ name }) => heard.push(name));
    const reading = (async () => {
      for await (const { name } of pm.events()) names.push(name);
    })();
    await pm.start();
    await pm.wait('one');
    await pm.close();
    await reading;
    expect(names).toEqual(heard);
    expect(names[0]).toBe('manager_started');
    expect(names.at(-1)).toBe('manager_stopped');
    expect(names).toContain('worker_started');
    expect(names).toContain('worker_stopped');
    await expect(pm.status()).rejects.toMatchObject({ code: 'closed' });
  });

  it('lives beside another one, and refuses the state directory of another one', async () => {
    const place = new PackagePlace();
    const stateDirectory = join(place.directory, 'state');
    const [first, second] = [
      await started({ services: { one: SLEEP }, stateDirectory }),
      await started({ services: { one: SLEEP } }),
    ];
    const pids = [await first.list(), await second.list()].map(([view]) => view?.pid ?? 0);
    expect(new Set(pids).size).toBe(2);
    const third = new Processmaster({ stateDirectory });
    await expect(third.start()).rejects.toMatchObject({ code: 'daemon-running' });
    await first.close();
    expect(pids.map(isGone)).toEqual([true, false]);
    expect(await second.list()).toMatchObject([{ name: 'one', state: 'running' }]);
  });

  it('answers pmctl at a socket, if it is told to', async () => {
    const place = new PackagePlace();
    const pm = await started({ services: { one: SLEEP }, sock: place.socket, directory: place.directory });
    const client = connect({ sock: place.socket });
    const [own] = await pm.list();
    expect(await client.list()).toMatchObject([{ name: 'one', pid: own?.pid }]);
    await expect(client.start({ name: 'two', command: 'true' })).rejects.toMatchObject({ code: 'invalid' });
    const taken = new Processmaster({ sock: place.socket });
    await expect(taken.start()).rejects.toMatchObject({ code: 'socket-unavailable' });
    await pm.close();
    expect(fs.existsSync(place.socket)).toBe(false);
  });

  it('leaves its services to a shutdown only where the next one with its state directory finds them', async () => {
    const place = new PackagePlace();
    const shutdown = async (options: ProcessmasterOptions): Promise<number> => {
      const pm = await started({
        services: { one: SLEEP },
        sock: place.socket,
        directory: place.directory,
        ...options,
      });
      const [own] = await pm.list();
      await connect({ sock: place.socket }).killDaemon();
      await expect(pm.status()).rejects.toMatchObject({ code: 'closed' });
      return own?.pid ?? 0;
    };
    expect(isGone(await shutdown({}))).toBe(true);
    const stateDirectory = join(place.directory, 'state');
    const left = await shutdown({ stateDirectory });
    expect(isGone(left)).toBe(false);
    const next = await started({ services: { one: SLEEP }, stateDirectory, directory: place.directory });
    expect(await next.list()).toMatchObject([{ name: 'one', pid: left }]);
    await next.close();
    expect(isGone(left)).toBe(true);
  });

  it('leaves the program around it as it was, which ends by itself', async () => {
    const place = new PackagePlace();
    fs.mkdirSync(join(place.directory, 'tmp'));
    const script = place.write(
      'guest.mjs',
      `import fs from 'node:fs';
       import { Processmaster } from 'processmaster';
       const open = () => fs.readdirSync('/proc/self/fd').filter((fd) => fs.existsSync('/proc/self/fd/' + fd)).length;
       const state = () => ({
         listeners: process.eventNames().filter((name) => /^SIG|exit|uncaught|unhandled/i.test(String(name))),
         cwd: process.cwd(), umask: process.umask(), exitCode: process.exitCode,
         cgroup: fs.readFileSync('/proc/self/cgroup', 'utf8'),
         environment: { ...process.env },
       });
       const own = fs.openSync('/dev/null', 'w');
       const before = JSON.stringify(state());
       const pm = new Processmaster({ services: { one: { process: { command: ['sleep', '1000'] } } } });
       await pm.start();
       const during = JSON.stringify(state());
       await pm.close();
       const first = open();
       fs.writeSync(own, 'still open');
       const again = new Processmaster({ services: { one: { process: { command: ['sleep', '1000'] } } } });
       await again.start();
       await again.close();
       const second = open();
       fs.writeFileSync('told', JSON.stringify({ same: before === during && before === JSON.stringify(state()), leaked: second - first }));`,
    );
    const program = place.run(script);
    await program.over;
    expect({ code: program.child.exitCode, said: program.stdout + program.stderr }).toEqual({
      code: 0,
      said: '',
    });
    const told = JSON.parse(fs.readFileSync(join(place.directory, 'told'), 'utf8'));
    expect(told).toEqual({ same: true, leaked: 0 });
    const left = fs.readdirSync(place.directory).filter((name) => name.startsWith('processmaster-'));
    expect(left).toEqual([]);
  });

  it.skipIf(cgroupsMissing)('moves the program into a cgroup only when it is told to, and back', async () => {
    const place = new PackagePlace();
    const script = place.write(
      'grouped.mjs',
      `import fs from 'node:fs';
       import { Processmaster } from 'processmaster';
       const services = { one: { process: { command: ['sleep', '1000'] } } };
       const group = (pid) => fs.readFileSync('/proc/' + pid + '/cgroup', 'utf8').split('\\n').find((line) => line.startsWith('0::'));
       const before = group('self');
       const pm = new Processmaster({ services, containment: 'cgroup' });
       await pm.start();
       const [{ pid }] = await pm.stats('one');
       // It joins its cgroup a moment after it was created.
       for (let look = 0; look < 1000 && !group(pid).includes('/services/'); look++) {
         await new Promise((resolve) => setTimeout(resolve, 5));
       }
       const place = group(pid);
       const second = new Processmaster({ services, containment: 'cgroup' });
       const refused = await second.start().catch(({ code }) => code);
       const third = new Processmaster({ services });
       await third.start();
       await third.close();
       await pm.close();
       fs.writeFileSync('told', JSON.stringify({ place, refused, back: before === group('self') }));`,
    );
    const program = place.run(script);
    await program.over;
    expect({ code: program.child.exitCode, said: program.stdout + program.stderr }).toEqual({
      code: 0,
      said: '',
    });
    const told = JSON.parse(fs.readFileSync(join(place.directory, 'told'), 'utf8'));
    const [, base = '', service] = /\/([^/]+)\/services\/([^/]+)\//.exec(told.place) ?? [];
    expect({ ...told, service }).toMatchObject({ service: 'one', refused: 'containment-weak', back: true });
    expect(fs.existsSync(join(mountPoint ?? '', base))).toBe(false);
  });

  it('takes over what a crash of its program left running', async () => {
    const place = new PackagePlace();
    const script = place.write(
      'host.mjs',
      `import { Processmaster } from 'processmaster';
       const pm = new Processmaster({ stateDirectory: 'state', services: { one: { process: { command: ['sleep', '1000'] } } } });
       await pm.start();
       await pm.wait('one');
       console.log((await pm.stats('one'))[0].pid);`,
    );
    const program = place.run(script);
    const pid = await until(
      'the pid of the service',
      () => (program.stdout.includes('\n') ? Number(program.stdout) : undefined),
      () => program.story(),
    );
    program.child.kill('SIGKILL');
    await program.over;
    expect(isGone(pid)).toBe(false);
    const directory = place.directory;
    const next = await started({
      stateDirectory: join(directory, 'state'),
      directory,
      services: { one: SLEEP },
    });
    const [adopted] = await next.list();
    expect(adopted).toMatchObject({ pid, state: 'running', instances: [{ adopted: true }] });
    await expect(new Processmaster().close({ leave: true })).rejects.toMatchObject({ code: 'misused' });
    await next.close({ leave: true });
    expect(isGone(pid)).toBe(false);
    const last = await started({ stateDirectory: join(directory, 'state'), directory, services: {} });
    await until(
      'the service to be gone',
      () => (isGone(pid) ? true : undefined),
      () => pid,
    );
    await last.close();
  });
});

async function started(options: ProcessmasterOptions): Promise<Processmaster> {
  const pm = new Processmaster(options);
  onTestFinished(() => pm.close());
  await pm.start();
  for (const name of Object.keys(options.services ?? {})) await pm.wait(name);
  return pm;
}

/** Newline-delimited JSON as the answer of a question, however it was parsed. */
function lines(body: unknown): readonly { readonly id: number }[] {
  return typeof body === 'string'
    ? body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
    : [];
}
