/** What becomes of an update that fails, also when others ask for something else while it goes on? */

import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ChangeResult } from '../../src/api/changes.ts';
import { PROOF_OF_LIFE } from '../../src/policy/rollout.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost, type Program } from './host.ts';

const SLEEPS = { process: { command: ['sleep', '1000'] } };

async function hostWithA(): Promise<Host> {
  const host = openHost({ ground: GROUND, settings: { watch: { enabled: false } } });
  host.service('a', SLEEPS);
  await host.start();
  await host.runs('a');
  return host;
}

/** Waits until so many states are written down. */
async function hasHistory(host: Host, count: number): Promise<void> {
  await host.until(`${count} entries in the history`, async () =>
    (await host.ask('GET', '/api/history')).body.entries.length === count ? true : undefined,
  );
}

function requests(host: Host): number {
  return host.lifecycle('manager_reload_requested').length;
}

/** Waits until so many updates were asked for. */
async function isAskedFor(host: Host, count: number): Promise<void> {
  await host.until(`${count} requests`, async () => (requests(host) === count ? true : undefined));
}

async function names(host: Host): Promise<readonly string[]> {
  return (await host.status()).services.map(({ name }) => name);
}

test('rollback: what the update has added goes again, however much it is', async () => {
  const host = await hostWithA();
  for (const name of ['b', 'c', 'd']) host.service(name, SLEEPS);
  host.service('bad', 'exit 3');
  const update = await host.pmctl('update', '--on-failure', 'rollback', '--json');
  expect(update.code).toBe(5);
  expect(update.json).toMatchObject({
    prune: null,
    failure: { did: 'rolled_back', services: ['b', 'bad', 'c', 'd'] },
  });
  for (const name of ['b', 'bad', 'c', 'd']) await host.isForgotten(name);
  expect((await host.status()).prune).toBeNull();
  // What the guard held back before is none of that.
  expect(await host.pmctl('resume', '--no-wait')).toMatchObject({ code: 0 });
  await host.allRun(['a', 'b', 'c', 'd']);
  for (const name of ['a', 'b', 'c']) host.remove(`${name}.yaml`);
  host.service('bad', 'exit 4');
  const second = await host.pmctl('update', '--on-failure', 'rollback', '--json');
  expect(second.json.failure).toMatchObject({ did: 'rolled_back' });
  await host.allRun(['a', 'b', 'c', 'd']);
});

test('a first start that ends within min_ready has failed, and did not converge', async () => {
  const host = await hostWithA();
  const command = ['/bin/sh', '-c', `sleep ${(3 * PROOF_OF_LIFE) / 1000}; exit 4`];
  host.service('b', { process: { command }, rollout: { min_ready: '1m' } });
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(5);
  expect(update.json.changes).toMatchObject([{ service: 'b', result: 'failed' }]);
  await host.until('the outcome in the history', async () => {
    const { entries } = (await host.ask('GET', '/api/history')).body;
    return entries[0].result === 'failed' ? true : undefined;
  });
});

test('a rollback to what is no longer good as a whole does nothing, and names what is missing', async () => {
  const host = openHost({ ground: GROUND, settings: { watch: { enabled: false } } });
  const variables = join(host.work, 'web.env');
  fs.writeFileSync(variables, 'COLOUR=red\n');
  host.service('web', { process: { ...SLEEPS.process, env_files: [variables] } });
  host.service('db', SLEEPS);
  await host.start();
  await host.allRun(['web', 'db']);
  await hasHistory(host, 1);
  host.service('web', { process: { command: ['sleep', '1001'] } });
  host.service('db', { process: { command: ['sleep', '1001'] } });
  expect(await host.pmctl('update')).toMatchObject({ code: 0 });
  await hasHistory(host, 2);
  const pids = await host.allRun(['web', 'db']);
  fs.rmSync(variables);
  const rollback = await host.pmctl('rollback', 'previous');
  expect(rollback).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing was done') });
  expect(rollback.stdout).toContain(variables);
  expect(await host.allRun(['web', 'db'])).toEqual(pids);
  expect((await host.status()).frozen).toBeNull();
  fs.writeFileSync(variables, 'COLOUR=red\n');
  expect(await host.pmctl('rollback', 'previous')).toMatchObject({ code: 0 });
});

describe('the lines that an update shows of a definition that failed', () => {
  const update = async (host: Host): Promise<string> => {
    const { code, stdout } = await host.pmctl('update');
    expect(code, stdout).toBe(5);
    return stdout;
  };
  const isWritten = (host: Host, file: string, text: string): Promise<unknown> =>
    host.until(`${text} in ${file}`, async () =>
      fs.readFileSync(join(host.work, file), 'utf8').includes(text) ? true : undefined,
    );
  function service(host: Host, command: string | readonly string[]): void {
    const [stdout, stderr] = [join(host.work, 'out'), join(host.work, 'err')];
    host.service('a', { process: { command }, logs: { stdout, stderr } });
  }
  async function hostRunning(command: string): Promise<Host> {
    const host = openHost({ ground: GROUND, settings: { watch: { enabled: false } } });
    service(host, command);
    await host.start();
    await host.runs('a');
    return host;
  }

  test('are none of another one when it was never started, or wrote nothing', async () => {
    const host = await hostRunning('echo boom >&2; exec sleep 1000');
    await isWritten(host, 'err', 'boom');
    service(host, ['/nonexistent/x']);
    expect(await update(host)).not.toContain('a |');
    const resumed = await host.pmctl('resume');
    expect(resumed.stdout).toContain('the old one goes on');
    expect(resumed.stdout).not.toContain('a |');
    expect((await host.pmctl('restart', 'a')).stdout).not.toContain('a |');
    const why = await host.pmctl('why', 'a', '--json');
    expect(why.json.service.reason).toContain('/nonexistent/x does not exist');
    expect(why.json.stderr_tail).toEqual([]);
    service(host, 'echo "a bad version" >&2; exit 9');
    expect(await update(host)).toContain('a | a bad version');
    service(host, 'exit 7');
    const silent = await update(host);
    expect(silent).toContain('exited with code 7');
    expect(silent).not.toContain('a |');
    expect((await host.pmctl('why', 'a')).stdout).not.toContain('a bad version');
  });

  test('have its own among them, however busy the older one is', async () => {
    const host = await hostRunning('while :; do echo "GET / 200" >&2; sleep 0.002; done');
    await isWritten(host, 'err', 'GET / 200\nGET / 200\nGET / 200');
    service(host, 'sleep 0.1; echo "FATAL: config option X missing" >&2; exit 1');
    expect(await update(host)).toContain('a | FATAL: config option X missing');
    expect((await host.pmctl('resume')).stdout).toContain('a | FATAL: config option X missing');
    expect((await host.pmctl('why', 'a')).stdout).toContain('FATAL: config option X missing');
  });
});

describe('an update that is under way', () => {
  /** An update that brings `slow`, which is not ready, and fails when it is told to. */
  async function underWay(): Promise<{ host: Host; update: Program; fail: () => void }> {
    const host = await hostWithA();
    const told = join(host.work, 'fail');
    host.service('slow', {
      process: { command: `until [ -e ${told} ]; do sleep 0.05; done; exit 3` },
      probes: { readiness: { exec: 'exit 1', interval: '1h', failure_threshold: 100 } },
    });
    const update = host.background('update', '--on-failure', 'rollback', '--timeout', '20s');
    await host.sees('slow', 'running', ({ pid }) => pid !== null);
    return { host, update, fail: () => fs.writeFileSync(told, '') };
  }

  async function isRolledBack(host: Host, update: Program): Promise<void> {
    await update.over;
    expect(update.child.exitCode).toBe(5);
    expect((await host.status()).frozen).toMatchObject({ reason: expect.stringContaining('slow') });
    await host.isForgotten('slow');
  }

  test('is rolled back also when somebody asks for an update that brings nothing meanwhile', async () => {
    const { host, update, fail } = await underWay();
    expect(await host.pmctl('update', '--no-wait')).toMatchObject({ code: 0 });
    expect(await host.pmctl('resume', '--no-wait')).toMatchObject({ code: 0 });
    const late = await host.pmctl('update', '--timeout', '200ms');
    expect(late).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('= slow  was under way: pending'),
    });
    const asked = requests(host);
    const again = host.background('update');
    await isAskedFor(host, asked + 1);
    host.signal('SIGHUP');
    await host.until('the signal to be heard', () =>
      host.lifecycle('manager_reload_started').some(({ fields }) => fields['trigger'] === 'HUP')
        ? true
        : undefined,
    );
    fail();
    await isRolledBack(host, update);
    await again.over;
    expect(again.child.exitCode).toBe(5);
    expect(await names(host)).toEqual(['a']);
  });

  test('is looked after by the next one, which brings something else', async () => {
    const { host, update, fail } = await underWay();
    host.service('b', SLEEPS);
    const second = host.background('update', '--on-failure', 'rollback');
    await host.runs('b');
    fail();
    await isRolledBack(host, update);
    await second.over;
    expect(second.child.exitCode).toBe(5);
    await host.isForgotten('b');
    expect(await names(host)).toEqual(['a']);
  });

  test('is over with a rollback that somebody asks for', async () => {
    const { host, update, fail } = await underWay();
    await hasHistory(host, 2);
    expect(await host.pmctl('rollback', 'latest')).toMatchObject({ code: 0 });
    const { frozen } = await host.status();
    fail();
    await update.over;
    expect(frozen).toMatchObject({
      reason: expect.stringMatching(/^rolled back to what was applied at 2.*Z$/),
    });
    expect((await host.status()).frozen).toMatchObject({ reason: frozen?.reason, since: frozen?.since });
  });
});

test('an update that comes after the watch waits for what that has begun, and tells how it ends', async () => {
  const host = openHost({ ground: GROUND });
  const told = join(host.work, 'let-go');
  const stopsLate = `trap 'until [ -e ${told} ]; do sleep 0.05; done; exit 0' TERM; while :; do sleep 0.05; done`;
  const service = (command: string | readonly string[]) =>
    host.service('slow', { process: { command }, rollout: { surge: 0 } });
  service(stopsLate);
  host.service('a', SLEEPS);
  await host.start();
  await host.allRun(['a', 'slow']);
  service(['/nonexistent/x']);
  await host.sees('slow', 'stopping', ({ state }) => state === 'stopping');
  const asked = requests(host);
  expect(await host.pmctl('update', 'a')).toMatchObject({ code: 0 });
  expect(await host.pmctl('update', '--no-wait')).toMatchObject({ code: 0 });
  const update = host.pmctl('update', 'slow', '--timeout', '50s');
  await isAskedFor(host, asked + 3);
  fs.writeFileSync(told, '');
  const { code, stdout } = await update;
  expect(stdout).toMatch(/^= slow {2}was under way: failed: .*\/nonexistent\/x does not exist/m);
  expect(stdout).toContain('= 2 unchanged\n');
  expect(code).toBe(5);
  // It has failed before now, and is not asked for.
  expect(await host.pmctl('update')).toMatchObject({ code: 0 });
});

describe('a one-shot of an update that fails late', () => {
  /** A migration that runs until it is told to fail, and an application that waits for it. */
  async function migrating(onFailure: string) {
    const host = await hostWithA();
    const told = join(host.work, 'fail');
    host.service('migration', {
      process: { type: 'oneshot', command: `until [ -e ${told} ]; do sleep 0.05; done; exit 3` },
      restart_policy: { policy: 'never' },
    });
    host.service('app', { ...SLEEPS, depends_on: { migration: 'completed' } });
    const update = host.pmctl('update', '--on-failure', onFailure, '--timeout', '50s', '--json');
    await host.until('an old migration', async () => {
      const [run] = (await host.view('migration'))?.instances ?? [];
      return run?.state === 'running' && (run.uptime_ms ?? 0) > 2 * PROOF_OF_LIFE ? true : undefined;
    });
    fs.writeFileSync(told, '');
    return { host, update: await update };
  }

  test('is rolled back like one that fails at once', async () => {
    const { host, update } = await migrating('rollback');
    expect(update.json.failure).toMatchObject({ did: 'rolled_back', services: ['app', 'migration'] });
    expect(update.code).toBe(5);
    for (const name of ['app', 'migration']) await host.isForgotten(name);
    const { entries } = (await host.ask('GET', '/api/history')).body;
    expect(entries.find((entry: { trigger: string }) => entry.trigger === 'update')).toMatchObject({
      result: 'failed',
    });
  });

  test('holds back who waits for it, who is known to why all the same', async () => {
    const { host, update } = await migrating('stop');
    expect(update.json.failure).toMatchObject({ did: 'stopped', services: ['app'] });
    expect(update.code).toBe(5);
    const why = await host.pmctl('why', 'app');
    expect(why).toMatchObject({ code: 0, stdout: expect.stringContaining('pmctl resume') });
    expect(why.stdout).toMatch(/app.yaml defines it, and is not in force yet/);
    expect(await host.pmctl('why', 'nobody')).toMatchObject({ code: 3 });
    expect((await host.pmctl('status')).stdout).toContain('1 not in force: app');
  });

  test('fails with all that wait for it, and nobody waits any longer', async () => {
    const { host, update } = await migrating('continue');
    expect(update.code).toBe(5);
    const results = update.json.changes.map(({ service, result, detail }: ChangeResult) => [
      service,
      result,
      detail,
    ]);
    expect(results).toEqual([
      ['app', 'failed', expect.stringContaining('not started, because migration has failed')],
      ['migration', 'failed', expect.stringContaining('code 3')],
    ]);
    expect((await host.status()).frozen).toBeNull();
    const started = await host.pmctl('start', 'app', '--timeout', '50s');
    expect(started).toMatchObject({ code: 1, stdout: expect.stringContaining('migration has failed') });
  });
});
