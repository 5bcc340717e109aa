/** Somebody has changed where services run, while they ran: is each of them still one process? */
import fs from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { cgroupsMissing } from '../linux/ground.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';

const SESSIONS = ['--containment', 'process_group'];

async function refused(host: Host, args: readonly string[]): Promise<string> {
  const program = host.startUnasked(args);
  await program.over;
  expect(program.child.exitCode).toBe(1);
  // Nothing was started, not even in the lifecycle lines.
  expect(program.stdout).toBe('');
  return program.stderr;
}

test.skipIf(cgroupsMissing)(
  'a daemon that would not find what runs does not start, and leaves it alone',
  async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', 'sleep 1000');
    await host.start();
    const pid = await host.pidOf('web');
    await host.pmctl('shutdown');
    const other = `${host.base}-b`;
    const inCgroups = `services of this state directory still run in ${host.base}/services`;
    expect(await refused(host, ['--cgroup-name', basename(other)])).toContain(inCgroups);
    expect(fs.existsSync(other)).toBe(false);
    expect(await refused(host, SESSIONS)).toContain(inCgroups);
    await host.start();
    expect(await host.pidOf('web')).toBe(pid);
    await host.pmctl('shutdown', '--stop-services');
    expect(isGone(pid)).toBe(true);
    await host.start(SESSIONS);
    const session = await host.pidOf('web');
    await host.pmctl('shutdown');
    expect(await refused(host, [])).toContain('still run in sessions (web)');
    await host.start(SESSIONS);
    expect(await host.pidOf('web')).toBe(session);
    await host.pmctl('shutdown', '--stop-services');
    await host.start();
    expect(await host.view('web')).toMatchObject({ state: 'running' });
  },
);

test.skipIf(cgroupsMissing)('what somebody else has in a former place keeps no daemon out', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', 'sleep 1000');
  await host.start();
  await host.pmctl('shutdown', '--stop-services');
  const stranger = openHost({ ground: GROUND });
  stranger.settings['cgroup_name'] = basename(host.base);
  stranger.service('web', 'sleep 1000');
  await stranger.start();
  const pid = await stranger.pidOf('web');
  const other = ['--cgroup-name', `${basename(host.base)}-b`];
  await host.start(other);
  expect(await host.view('web')).toMatchObject({ state: 'running' });
  await host.pmctl('shutdown', '--stop-services');
  await host.start(SESSIONS);
  expect(await host.view('web')).toMatchObject({ state: 'running' });
  await host.pmctl('shutdown', '--stop-services');
  expect(await stranger.pidOf('web')).toBe(pid);
  await stranger.pmctl('shutdown', '--stop-services');
});
