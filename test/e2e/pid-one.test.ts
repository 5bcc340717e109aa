/** What does the program do as PID 1 of a container? Tried in a pid namespace of its own. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { freshBaseName, isRoot, mountPoint } from '../linux/ground.ts';
import { DEAF, GENTLE, Ground, type Manager, type ManagerOptions, script } from './foreground.ts';
import { GROUND } from './grounds.ts';
import { childrenOf, isGone, readOr, statusField } from './processes.ts';

const BIN = fileURLToPath(new URL('../../bin/processmaster', import.meta.url));
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

const possible = isRoot && spawnSync('unshare', [...UNSHARE.slice(1), 'true']).status === 0;
if (!possible) console.warn('skipped: these tests need root and unshare(1) with pid namespaces');

/** Shells that a container may have as /bin/sh. */
const SHELLS = ['dash', 'bash', 'busybox'].filter((shell) => spawnSync(shell, ['-c', ':']).status === 0);

function as(shell: string): ManagerOptions {
  return { prefix: [...UNSHARE, shell, ...(shell === 'busybox' ? ['sh'] : [])], program: [BIN] };
}

/** PID 1 and node, by their numbers outside. */
async function seatsOf(manager: Manager): Promise<{ readonly init: number; readonly node: number }> {
  return manager.until('node to run below PID 1', () => {
    const [init] = childrenOf(manager.pid);
    const node = init === undefined ? undefined : childrenOf(init).find((pid) => nameOf(pid) === 'node');
    return init === undefined || node === undefined ? undefined : { init, node };
  });
}

/** It sleeps, and no signal waits for it. */
function isIdle(pid: number): boolean {
  return /^S/.test(statusField(pid, 'State')) && /^0+$/.test(statusField(pid, 'ShdPnd'));
}

function nameOf(pid: number): string {
  return readOr(`/proc/${pid}/comm`).trim();
}

describe.skipIf(!possible).each(SHELLS)('processmaster run as PID 1, in %s', (shell) => {
  const run = (ground: Ground, text: string, ...options: readonly string[]): Manager =>
    ground.run(['run', ...options, '--', 'sh', '-c', text], as(shell));

  test('what lost its parent is reaped when it ends', async () => {
    const ground = new Ground();
    const manager = run(ground, `(sleep 1000 &); (sleep 1001 &); ${GENTLE}`);
    await manager.says('began');
    const { init, node } = await seatsOf(manager);
    const orphans = await manager.until('two orphans of PID 1', () => {
      const others = childrenOf(init).filter((pid) => pid !== node);
      return others.length === 2 ? others : undefined;
    });
    for (const pid of orphans) process.kill(pid, 'SIGKILL');
    // A zombie would stay in this list.
    await manager.until('nothing but node below PID 1', () => {
      return childrenOf(init).every((pid) => pid === node) ? true : undefined;
    });
    process.kill(init, 'SIGTERM');
    expect(await manager.ended()).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
    '%s stops the workers gently and ends with 0',
    async (signal) => {
      const ground = new Ground();
      const manager = run(ground, GENTLE, '--instances', '2');
      await manager.says('began', 2);
      const { init, node } = await seatsOf(manager);
      process.kill(init, signal);
      expect(await manager.ended()).toBe(0);
      expect(manager.stdout.match(/^ended$/gm)).toHaveLength(2);
      expect([init, node].filter((pid) => !isGone(pid))).toEqual([]);
      expect(manager.lifecycle('worker_stop_requested').map(({ fields }) => fields['signal'])).toEqual([
        'TERM',
        'TERM',
      ]);
      expect(ground.left()).toEqual([]);
    },
  );

  test('a second SIGTERM cuts the grace short', async () => {
    const ground = new Ground();
    const manager = run(ground, DEAF, '--graceful-shutdown-seconds', '3600');
    await manager.says('began');
    const { init } = await seatsOf(manager);
    process.kill(init, 'SIGTERM');
    await manager.until('the stop to begin', () => manager.lifecycle('worker_stop_requested')[0]);
    process.kill(init, 'SIGTERM');
    expect(await manager.ended()).toBe(0);
  });

  test('HUP is a reload', async () => {
    const ground = new Ground();
    const manager = run(ground, GENTLE, '--reload-overlap-seconds', '0');
    await manager.says('began');
    const { init } = await seatsOf(manager);
    process.kill(init, 'SIGHUP');
    await manager.until('the reload', () => manager.lifecycle('manager_reload_completed')[0]);
    expect(manager.started()).toHaveLength(2);
    process.kill(init, 'SIGTERM');
    expect(await manager.ended()).toBe(0);
  });

  test('no other signal reaches a worker or ends anything, and nothing of PID 1 is inherited', async () => {
    const ground = new Ground();
    const manager = run(ground, `env > env.txt; trap 'echo hit' USR1 USR2 QUIT HUP; ${GENTLE}`);
    await manager.says('began');
    const { init, node } = await seatsOf(manager);
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const) {
      process.kill(init, signal);
      await manager.until(`${signal} to be taken`, () => (isIdle(init) && isIdle(node) ? true : undefined));
    }
    process.kill(init, 'SIGHUP');
    await manager.until('the reload', () => manager.lifecycle('manager_reload_completed')[0]);
    expect(isGone(node)).toBe(false);
    process.kill(init, 'SIGTERM');
    expect(await manager.ended()).toBe(0);
    expect(manager.stdout).not.toMatch(/^hit$/m);
    // A debugger would say where it listens.
    expect(manager.stderr).not.toContain('Debugger');
    expect(ground.said('env.txt')).toContain('PROCESSMASTER_SERVICE=worker\n');
    expect(ground.said('env.txt')).not.toContain('INIT');
  });

  test('its exit status is that of the manager', async () => {
    const ground = new Ground();
    expect(await run(ground, 'exit 7', '--no-respawn').ended()).toBe(7);
    expect(await run(ground, 'exit 7', '--no-such-option').ended()).toBe(64);
  });
});

describe.skipIf(!possible)('processmaster with service files as PID 1', () => {
  function daemon(ground: Ground): Manager {
    const cgroup_name = freshBaseName();
    const master = {
      ...{ config_directory: 'config.d', state_directory: 'state', sock_path: 'pm.sock', cgroup_name },
      containment: GROUND.containment,
    };
    script(ground, 'config.yaml', stringify(master));
    ground.keepsCgroup(`${mountPoint ?? '/nowhere'}/${cgroup_name}`);
    return ground.run([], { prefix: UNSHARE, program: [BIN] });
  }

  function gentle(name: string): string {
    const command = `trap 'echo > ${name}.ended; exit 0' TERM; echo > ${name}.began; while :; do sleep 0.02; done`;
    return stringify({ process: { command, working_directory: '..' } });
  }

  test('SIGTERM stops the services, although they would be left running otherwise, and HUP follows the files', async () => {
    const ground = new Ground();
    script(ground, 'config.d/a.yaml', gentle('a'));
    const manager = daemon(ground);
    await manager.until('a to begin', () => ground.said('a.began') || undefined);
    const { init } = await seatsOf(manager);
    script(ground, 'config.d/b.yaml', gentle('b'));
    process.kill(init, 'SIGHUP');
    await manager.until('b to begin', () => ground.said('b.began') || undefined);
    process.kill(init, 'SIGTERM');
    expect(await manager.ended()).toBe(0);
    expect(['a', 'b'].filter((name) => ground.said(`${name}.ended`) === '')).toEqual([]);
    expect(manager.lifecycle('worker_stopped').map(({ service }) => service)).toEqual(
      expect.arrayContaining(['a', 'b']),
    );
    expect(fs.existsSync(join(ground.directory, 'pm.sock'))).toBe(false);
  });

  test('pmctl shutdown stops the services, since nobody could adopt them, and says so', async () => {
    const ground = new Ground();
    script(ground, 'config.d/a.yaml', gentle('a'));
    const manager = daemon(ground);
    await manager.until('a to begin', () => ground.said('a.began') || undefined);
    // Services are started first.
    await manager.until('the socket', () => fs.existsSync(join(ground.directory, 'pm.sock')) || undefined);
    const pmctl = ground.pmctl('pm.sock', 'shutdown');
    await pmctl.over;
    expect(pmctl).toMatchObject({
      stdout: expect.stringMatching(
        /^the daemon \(pid \d+\) has ended; services are stopped, since no daemon could adopt them\n$/,
      ),
    });
    expect(pmctl.child.exitCode).toBe(0);
    expect(await manager.ended()).toBe(0);
    expect(ground.said('a.ended')).not.toBe('');
  });
});
