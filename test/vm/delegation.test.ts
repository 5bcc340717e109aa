/** Does a daemon get limits for its services in a part of the tree that somebody else has given to it? */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { Machine } from './machine.ts';
import { Manager, type ManagerOptions } from './manager.ts';
import { PRODUCT } from './system.ts';
import { isLong, machineMissing } from './tools.ts';

const ROOT = '/sys/fs/cgroup';
const AS_KEEPER = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'];

describe.skipIf(machineMissing)('delegation', () => {
  let machine: Machine;
  let manager: Manager;

  beforeAll(async () => {
    machine = await Machine.boot();
  });
  beforeEach(() => {
    onTestFailed(async () => console.error(await manager.story()));
  });
  afterAll(() => machine?.close());

  /** A cgroup as a service manager makes one, with all controllers; `owner`: it is handed over (cgroup-v2.rst). */
  async function cgroup(path: string, owner?: string): Promise<string> {
    const directory = `${ROOT}/${path}`;
    const handOver = `cd ${directory} && chown ${owner} . cgroup.procs cgroup.threads cgroup.subtree_control`;
    await machine.sh(`mkdir -p ${directory}
      at=${ROOT}
      for part in $(dirname ${path} | tr / ' '); do
        [ "$part" = . ] || at=$at/$part
        echo '+cpu +memory +pids +io' > $at/cgroup.subtree_control
      done
      ${owner === undefined ? '' : handOver}`);
    return directory;
  }

  function keeps(options: Partial<ManagerOptions> & { readonly directory: string }): Manager {
    manager = new Manager(machine, options);
    return manager;
  }

  async function ofKeeper(options: ManagerOptions): Promise<Manager> {
    await machine.sh(`mkdir -p ${options.directory}/config.d && chown -R keeper ${options.directory}`);
    return keeps({ ...options, prefix: AS_KEEPER });
  }

  /** A service with a limit; answers its pid when it runs. */
  async function limited(name: string): Promise<number> {
    await manager.service(name, {
      process: { command: 'exec sleep 10000', working_directory: '/tmp' },
      logs: { stdout: 'none', stderr: 'none' },
      resources: { max_memory: '64M', max_pids: 12, max_cpu: '50%' },
    });
    return manager.runs(name);
  }

  /** What the kernel has as limits of the service that this process belongs to. */
  async function limitsOf(pid: number): Promise<{ readonly service: string; readonly limits: string }> {
    const own = (await machine.read(`/proc/${pid}/cgroup`)).trim().slice('0::'.length);
    const service = own.slice(0, own.lastIndexOf('/'));
    const limits = await machine.sh(`cd ${ROOT}${service} && cat memory.max pids.max cpu.max`);
    return { service, limits: limits.trim().replaceAll('\n', ' ') };
  }

  const LIMITS = `${64 << 20} 12 50000 100000`;

  async function missing(): Promise<readonly string[]> {
    const { body } = await manager.ask('GET', '/api/doctor');
    return body.checks.flatMap((check: { ok: boolean; detail: string }) => (check.ok ? [] : [check.detail]));
  }

  test('an ordinary user has limits in the cgroup that it was given', async () => {
    const own = await cgroup('user.slice/keeper.scope', 'keeper');
    await ofKeeper({ directory: '/run/user', cgroup: own });
    await manager.start();
    const pid = await limited('web');
    expect(await limitsOf(pid)).toEqual({
      service: '/user.slice/keeper.scope/processmaster/services/web',
      limits: LIMITS,
    });
    expect((await machine.read(`/proc/${pid}/status`)).match(/^Uid:\s+(\d+)/m)?.[1]).toBe('1000');
    expect(await missing()).toEqual([]);
    await manager.order('stop', 'web');
    expect(await machine.run('test', '-e', `/proc/${pid}`)).toMatchObject({ code: 1 });
    await manager.end('TERM');
  });

  test.runIf(isLong)('beside the session of the user, in a place that the master file names', async () => {
    const slice = await cgroup('user.slice/session.slice', 'keeper');
    const session = await cgroup('user.slice/session.slice/shell', 'keeper');
    await machine.start(['sleep', '10000'], '/dev/null', session);
    await ofKeeper({ directory: '/run/session', cgroup: session, settings: { cgroup_root: slice } });
    await manager.start();
    expect((await limitsOf(await limited('web'))).limits).toBe(LIMITS);
    expect(await missing()).toEqual([]);
    await manager.order('stop', 'web');
    await manager.end('TERM');
  });

  test.runIf(isLong)(
    'with somebody else in its cgroup it says which limits cannot be had, and runs the service',
    async () => {
      const own = await cgroup('user.slice/shared.scope', 'keeper');
      await machine.start(['sleep', '10000'], '/dev/null', own);
      await ofKeeper({ directory: '/run/shared', cgroup: own });
      await manager.start();
      const pid = await limited('web');
      expect(await machine.read(`/proc/${pid}/cgroup`)).toContain(
        '/shared.scope/processmaster/services/web/',
      );
      const said = await missing();
      for (const key of ['max_cpu', 'max_memory', 'max_pids']) {
        expect(said.some((sentence) => sentence.startsWith(key) || sentence.includes(`${key},`))).toBe(true);
      }
      await manager.order('stop', 'web');
      expect(await machine.run('test', '-e', `/proc/${pid}`)).toMatchObject({ code: 1 });
      await manager.end('TERM');
    },
  );

  test.runIf(isLong)(
    'in a service of the manager it hands nothing on, says so, and can be started again while its services run',
    async () => {
      const own = await cgroup('user.slice/keeper.service', 'keeper');
      await ofKeeper({ directory: '/run/service', cgroup: own });
      await manager.start();
      const pid = await limited('web');
      expect(await machine.read(`/proc/${pid}/cgroup`)).toContain(
        '/keeper.service/processmaster/services/web/',
      );
      expect((await missing()).join('\n')).toMatch(/max_memory/);
      await manager.end('KILL');
      await manager.start();
      expect(await manager.runs('web')).toBe(pid);
      await manager.order('stop', 'web');
      await manager.end('TERM');
    },
  );

  test.runIf(isLong)('a user to whom nothing was given keeps services together as sessions', async () => {
    const own = await cgroup('user.slice/nothing.service');
    await ofKeeper({ directory: '/run/nothing', cgroup: own });
    await manager.start();
    expect((await manager.lifecycle('manager_started'))[0]?.fields['containment']).toBe('process_group');
    const pid = await limited('web');
    expect(await machine.read(`/proc/${pid}/cgroup`)).toBe('0::/user.slice/nothing.service\n');
    await manager.order('stop', 'web');
    await manager.end('TERM');
  });

  test.each([
    ['that install-unit writes', true],
    ...(isLong ? [['of somebody who only says Delegate=yes', false] as const] : []),
  ] as const)(
    'the unit %s can be started again while its services run, with all limits',
    async (_title, written) => {
      keeps({ directory: '/run/unit' });
      await manager.writeSettings();
      const pmctl = [`${PRODUCT}/bin/pmctl`, '-c', manager.masterFile, 'install-unit', '--print'];
      const unit = written ? (await machine.run(...pmctl)).stdout : '';
      const variables = [...unit.matchAll(/^Environment=(\S+)$/gm)].map(([, variable = '']) => variable);
      if (written) expect(unit).toContain('Delegate=yes');
      const own = await cgroup('system.slice/processmaster.service');
      keeps({ directory: '/run/unit', cgroup: own, prefix: ['env', ...variables] });
      await manager.start();
      const pid = await limited(written ? 'written' : 'plain');
      expect((await limitsOf(pid)).limits).toBe(LIMITS);
      await manager.end(written ? 'KILL' : 'TERM');
      // The service manager puts the next one where this one was.
      await manager.start();
      expect(await manager.runs(written ? 'written' : 'plain')).toBe(pid);
      expect(await missing()).toEqual([]);
      await manager.order('stop', written ? 'written' : 'plain');
      await manager.end('TERM');
    },
  );
});
