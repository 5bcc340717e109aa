/** Does anything grow that should not? Counted after many starts, stops and crashes. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { childrenOf, descriptorsOf, isGone } from './processes.ts';
import { SLEEP } from './services.ts';

describe.each(GROUNDS.filter(({ user }) => user === 'self'))('$title', (ground) => {
  test('hundreds of starts, stops and crashes leave descriptors, children, zombies and cgroups where they were', async () => {
    const host = openHost({ ground });
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    for (const name of names) {
      const stop_command = hasStopCommand(name) ? { stop_command: 'kill -TERM $(cat pid) || true' } : {};
      const command = 'stop_command' in stop_command ? `echo $$ > pid; ${SLEEP}` : SLEEP;
      fs.mkdirSync(`${host.work}/${name}`);
      host.service(name, {
        process: { command, working_directory: `${host.work}/${name}`, ...stop_command },
      });
    }
    host.service('crashy', {
      process: { command: 'exit 3' },
      restart_policy: { restart_backoff: '20ms', tolerance: { max_restarts: 1_000_000 } },
    });
    await host.start();
    const cycle = async (): Promise<void> => {
      const pids = await host.allRun(names);
      // What a stop command reads is there, and is of this run.
      for (const [at, name] of names.entries()) {
        if (hasStopCommand(name)) await host.says(`${name}/pid`, (text) => text === `${pids[at]}\n`);
      }
      expect((await host.pmctl('stop', ...names)).code).toBe(0);
      expect((await host.pmctl('start', ...names)).code).toBe(0);
    };
    await cycle();
    const stopped = async (): Promise<ReturnType<typeof countsOf>> => {
      expect((await host.pmctl('stop', ...names, 'crashy')).code).toBe(0);
      return host.until(
        'the daemon to be at rest',
        async () => {
          const now = countsOf(host);
          return now.children === 0 && now.runs === 0 ? now : undefined;
        },
        () => ({ ...countsOf(host), children: childrenOf(host.pid) }),
      );
    };
    const before = await stopped();
    expect((await host.pmctl('start', ...names, '--no-wait')).code).toBe(0);
    expect((await host.pmctl('start', 'crashy', '--no-wait')).code).toBe(0);
    for (let turn = 0; turn < 10; turn++) await cycle();
    const crashed = await host.view('crashy');
    expect(crashed?.restarts).toBeGreaterThan(20);
    expect(await stopped()).toMatchObject({ children: 0, runs: 0 });
    // What is open for a moment only, as the connection of a command that has just ended, does not count.
    await host.until(
      'the descriptors to be given back',
      () => (descriptorsOf(host.pid) <= before.descriptors ? true : undefined),
      () => ({ before, now: countsOf(host) }),
    );
    expect(childrenOf(host.pid).filter(isGone)).toEqual([]);
  });
});

function hasStopCommand(name: string): boolean {
  return Number(name.slice(1)) % 4 === 0;
}

function countsOf(host: Host): { descriptors: number; children: number; runs: number } {
  const runs = fs.existsSync(`${host.base}/services`)
    ? fs
        .readdirSync(`${host.base}/services`, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory() && /^\d+\./.test(entry.name)).length
    : 0;
  return { descriptors: descriptorsOf(host.pid), children: childrenOf(host.pid).length, runs };
}
