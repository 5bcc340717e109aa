/** How an animal ended that ends by itself is told as it was, also when it ends during its start or unobserved. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LifecycleLine } from '../e2e/lifecycle-lines.ts';
import { FAILED_MAIN, MAYFLIES } from './animals.ts';
import { Enclosure, TRIED } from './enclosure.ts';
import { livingByName } from './truth.ts';

const NEVER = { restart_policy: { policy: 'never' } };

describe.each(TRIED)('$title', (ground) => {
  let zoo: Enclosure;

  beforeAll(async () => {
    zoo = new Enclosure(ground);
    for (const { name, command } of MAYFLIES) zoo.admitCommand(name, command, NEVER);
    zoo.admit(FAILED_MAIN, NEVER);
    zoo.admitCommand('comes-back', 'exit 5', { restart_policy: { policy: 'on_failure' } });
    zoo.admitCommand('stays-away', 'exit 0', { restart_policy: { policy: 'on_failure' } });
    zoo.admit('awaited', { process: { type: 'oneshot' } });
    zoo.admit('polite', NEVER);
    await zoo.host.start();
  });
  afterAll(() => zoo.close());

  test.each(MAYFLIES)('$name is told as $ends', async ({ name, state, ends, says }) => {
    const { host } = zoo;
    const view = await host.sees(name, state, (service) => service.state === state);
    expect(view.last_exit).toMatchObject({ reason: ends, by: 'itself' });
    const told = await linesOf(zoo, 'worker_exited', name);
    expect(told.map(({ fields }) => [fields['exit_reason'], fields['restart_action']])).toEqual([
      [ends, 'none'],
    ]);
    if (says === undefined) return;
    expect(host.said(`${name}/stdout.log`)).toBe(says);
    expect((await host.pmctl('logs', name)).stdout).toContain(says);
  });

  test('what a main process left that failed is ended, and the service has failed with its code', async () => {
    const { host } = zoo;
    const view = await host.sees(FAILED_MAIN, 'failed', ({ state }) => state === 'failed');
    expect(view.last_exit).toMatchObject({ reason: 'exit_3', by: 'itself' });
    expect(livingByName(host.work).get(FAILED_MAIN) ?? []).toEqual([]);
    const asked = await linesOf(zoo, 'worker_stop_requested', FAILED_MAIN, 2);
    expect(asked.map(({ fields }) => fields['reason'])).toEqual(['main_exited', 'main_exited_grace_timeout']);
  });

  test('a failure is started anew and a success is not, where the policy is on_failure', async () => {
    const { host } = zoo;
    await host.sees('comes-back', 'started again', ({ restarts }) => restarts > 1);
    expect(await host.sees('stays-away', 'completed', ({ state }) => state === 'completed')).toMatchObject({
      restarts: 0,
      last_exit: { reason: 'exit_0' },
    });
  });

  test('what ended while no daemon was there is told as it was where it is written down, else as unknown', async () => {
    const { host } = zoo;
    for (const name of ['awaited', 'polite']) {
      await host.says(`${name}/ready`);
      await host.sees(name, 'running', ({ state }) => state === 'running');
    }
    const polite = (await host.view('polite'))?.instances.flatMap(({ pids }) => pids) ?? [];
    await host.crash();
    for (const pid of polite) process.kill(pid, 'SIGKILL');
    fs.writeFileSync(join(zoo.placeOf('awaited'), 'go'), '');
    await host.until('both to end', () => {
      const living = livingByName(host.work);
      return living.has('awaited') || living.has('polite') ? undefined : true;
    });
    await host.start();
    const ended = (name: string) => host.sees(name, 'noted', ({ last_exit }) => last_exit !== null);
    expect((await ended('awaited')).last_exit).toMatchObject({ reason: 'exit_3' });
    expect((await ended('polite')).last_exit).toMatchObject({ reason: 'unknown' });
  });
});

/** The daemon answers and tells by different ways: what it has told may be heard later. */
function linesOf(
  { host }: Enclosure,
  event: string,
  name: string,
  count = 1,
): Promise<readonly LifecycleLine[]> {
  const lines = () => host.lifecycle(event).filter(({ service }) => service === name);
  return host.until(
    `${event} of ${name}`,
    () => (lines().length >= count ? lines() : undefined),
    () => host.lifecycle(event),
  );
}
