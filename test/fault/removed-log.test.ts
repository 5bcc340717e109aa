/** Does anybody hear of it when a log is removed under a service? Of the slow look, and of who asks at any time. */
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { processGroupGround, temporaryDirectory } from '../linux/ground.ts';
import { makeHost, startDaemon } from './small-host.ts';

it('a log that is removed is told by the slow look, in events, status and log, and no more once it is made anew', async () => {
  const ground = processGroupGround();
  const directory = temporaryDirectory();
  onTestFinished(() => {
    ground.clear();
    fs.rmSync(directory, { recursive: true });
  });
  const host = makeHost(directory, ground);
  const log = join(host.logs, 'out.log');
  const service = { process: { command: 'exec sleep 1000' }, logs: { stdout: log, stderr: log } };
  // YAML takes what JSON is.
  fs.writeFileSync(join(host.config, 'web.yaml'), JSON.stringify(service));
  const daemon = await startDaemon(host, ground.containment, () => false);
  if ('code' in daemon) expect.fail(daemon.message);
  const { control, said, ended } = daemon;
  onTestFinished(async () => {
    control.shutdown({ stopServices: true, by: 'test' });
    await ended;
  });
  const runs = () => control.status().services.find(({ name }) => name === 'web')?.state;
  await expect.poll(runs).toBe('running');
  const lost = () => control.status().problems.filter(({ code }) => code === 'log-removed');
  const events = () =>
    control
      .events(0)
      .events.filter(({ fields }) => fields['code'] === 'log-removed')
      .map(({ name }) => name);
  fs.rmSync(log);
  await expect.poll(lost).toHaveLength(1);
  expect(events()).toEqual(['problem_found']);
  expect(said.filter(({ text }) => text.includes(`${log} was removed`))).toHaveLength(1);
  await control.command({ verb: 'restart', services: ['web'], wait: 10_000, by: 'test' });
  await expect.poll(lost).toEqual([]);
  expect(events()).toEqual(['problem_found', 'problem_gone']);
  expect(said.filter(({ text }) => text.includes(`${log} was removed`))).toHaveLength(1);
});
