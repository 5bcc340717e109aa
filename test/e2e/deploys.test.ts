/** What was applied is kept, and can be gone back to: byte for byte, touching nothing else, and for as long as told. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HistoryEntry, SnapshotView } from '../../src/api/deploys.ts';
import { commitAll, git } from '../git.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { readOr } from './processes.ts';

const UNWATCHED = { watch: { enabled: false } };

function sleeps(seconds: number): Readonly<Record<string, unknown>> {
  return { process: { command: ['sleep', String(seconds)] } };
}

async function history(host: Host): Promise<readonly HistoryEntry[]> {
  return (await host.ask('GET', '/api/history')).body.entries;
}

/** Waits until so many states are written down and the outcome of the newest is known. */
async function kept(host: Host, count: number): Promise<readonly HistoryEntry[]> {
  let last: readonly HistoryEntry[] = [];
  return host.until(
    `${count} entries in the history`,
    async () => {
      last = await history(host);
      return last.length >= count && last[0]?.result !== 'pending' ? last : undefined;
    },
    () => last,
  );
}

async function snapshot(host: Host, id: string): Promise<SnapshotView> {
  return (await host.ask('GET', `/api/history/${id}`)).body;
}

function commandOf(pid: number): string {
  return readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

describe('200 services', () => {
  test('change 5 in one go: exactly these are touched; a rollback brings the same bytes back', async () => {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    const names = Array.from({ length: 200 }, (_, index) => `s${String(index).padStart(3, '0')}`);
    const changed = names.filter((_, index) => index % 40 === 0);
    for (const name of names) host.write(`${name}.yaml`, `# ${name}\nprocess: {command: [sleep, "1000"]}\n`);
    const before = new Map(
      names.map((name) => [name, fs.readFileSync(join(host.config, `${name}.yaml`), 'utf8')]),
    );
    await host.start();
    const old = await host.allRun(names);
    const first = (await kept(host, 1))[0];
    const original = await snapshot(host, first?.id ?? '');

    for (const name of changed) host.write(`${name}.yaml`, 'process: {command: [sleep, "2000"]}\n');
    const update = await host.pmctl('update', '--json');
    expect(update).toMatchObject({ code: 0 });
    expect(update.json.changes.map(({ service }: { service: string }) => service)).toEqual(changed);
    const now = await host.allRun(names);
    expect(names.filter((_, at) => now[at] !== old[at])).toEqual(changed);
    const entries = await kept(host, 2);
    expect(entries[0]).toMatchObject({
      trigger: 'update',
      added: [],
      changed,
      removed: [],
      result: 'converged',
    });

    const rollback = await host.pmctl('rollback', '--json');
    expect(rollback).toMatchObject({ code: 0 });
    expect(rollback.json.changes.map(({ service }: { service: string }) => service)).toEqual(changed);
    const back = await host.allRun(names);
    expect(names.filter((_, at) => back[at] !== now[at])).toEqual(changed);
    expect(back.map(commandOf)).toEqual(names.map(() => 'sleep 1000'));
    const [again] = await kept(host, 3);
    expect(again).toMatchObject({ id: first?.id, trigger: 'rollback', mark: 'frozen', result: 'converged' });
    // The same texts, and the same definitions by hash.
    expect((await snapshot(host, 'latest')).files).toEqual(original.files);
    for (const name of changed) {
      expect((await host.ask('GET', `/api/history/latest/${name}`)).body.text).toBe(before.get(name));
    }
    // The files themselves are not touched, and diff tells what following them would do.
    expect(readOr(join(host.config, `${changed[0]}.yaml`))).toContain('2000');
    const diff = await host.pmctl('diff', '--json');
    expect(diff.json.changes.map(({ service }: { service: string }) => service)).toEqual(changed);
    expect(diff.json.frozen).toMatchObject({ snapshot: first?.id, pending: changed });
  });
});

test('two updates and a stop within 10 ms end in one truthful state', async () => {
  const host = openHost({ ground: GROUND, settings: UNWATCHED });
  for (const name of ['a', 'b', 'c']) host.service(name, sleeps(1000));
  await host.start();
  await host.allRun(['a', 'b', 'c']);
  host.service('a', sleeps(1001));
  const asked = { services: [], prune: false, wait: 10_000, on_failure: 'stop' };
  const first = host.ask('POST', '/api/update', asked);
  host.service('b', sleeps(1002));
  const second = host.ask('POST', '/api/update', asked);
  const stop = host.ask('POST', '/api/command', { verb: 'stop', services: ['a'], wait: 10_000 });
  const answers = await Promise.all([first, second, stop]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(answers[2]?.body.results).toMatchObject([{ service: 'a', result: 'done' }]);
  const [b = 0, c = 0] = await host.allRun(['b', 'c']);
  expect([commandOf(b), commandOf(c)]).toEqual(['sleep 1002', 'sleep 1000']);
  const { services, frozen } = await host.status();
  expect(services.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'a stopped',
    'b running',
    'c running',
  ]);
  // Somebody who stops a service makes no update fail.
  expect(frozen).toBeNull();
  expect((await host.pmctl('diff')).code).toBe(0);
});

describe('frozen', () => {
  test('over kill -9: saved files are seen and not applied, everybody says so, until resume', async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', sleeps(1000));
    host.service('db', sleeps(1000));
    await host.start();
    await host.allRun(['web', 'db']);
    await kept(host, 1);
    host.service('web', sleeps(1001));
    await host.until('the new file to be applied', async () =>
      (await history(host)).length === 2 ? true : undefined,
    );
    await kept(host, 2);
    expect(await host.pmctl('rollback', 'previous')).toMatchObject({ code: 0 });
    const pids = await host.allRun(['web', 'db']);
    await host.crash();
    host.service('db', sleeps(1002));
    await host.start();
    expect(await host.allRun(['web', 'db'])).toEqual(pids);
    host.service('db', sleeps(1003));
    await host.until('the change to be told', () =>
      host.lifecycle('manager_changes_held').length > 0 ? true : undefined,
    );
    expect(await host.allRun(['web', 'db'])).toEqual(pids);

    const status = await host.pmctl('status');
    expect(status.stdout.split('\n')[0]).toMatch(/^frozen +frozen at snapshot [0-9a-f]{12} since .* by /);
    expect((await host.status()).frozen).toMatchObject({
      reason: expect.stringMatching(/^rolled back to what was applied at \d{4}-\S+Z$/),
      pending: ['db', 'web'],
    });
    expect((await host.pmctl('why', 'db')).stdout).toContain('its file says otherwise');
    expect((await host.pmctl('doctor')).stdout).toContain('the files are not followed');
    expect(await host.pmctl('diff')).toMatchObject({ code: 2 });
    expect(await host.pmctl('update', 'db')).toMatchObject({ code: 1 });
    expect(await host.pmctl('disable', 'db')).toMatchObject({ code: 1 });
    expect(readOr(join(host.config, 'db.yaml'))).not.toContain('enabled');

    expect(await host.pmctl('resume')).toMatchObject({ code: 0 });
    const [web = 0, db = 0] = await host.allRun(['web', 'db']);
    expect([commandOf(web), commandOf(db)]).toEqual(['sleep 1001', 'sleep 1003']);
    expect((await host.status()).frozen).toBeNull();
    await host.crash();
    await host.start();
    expect((await host.status()).frozen).toBeNull();
    expect((await host.pmctl('diff')).code).toBe(0);
  });

  test('a rollback that would remove many services waits for --prune', async () => {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    host.service('a', sleeps(1000));
    await host.start();
    await kept(host, 1);
    for (const name of ['b', 'c', 'd', 'e']) host.service(name, sleeps(1000));
    expect(await host.pmctl('update')).toMatchObject({ code: 0 });
    await kept(host, 2);
    expect(await host.pmctl('rollback')).toMatchObject({ code: 6 });
    await host.allRun(['a', 'b', 'c', 'd', 'e']);
    expect((await host.status()).frozen).toBeNull();
    expect(await host.pmctl('rollback', '--prune')).toMatchObject({ code: 0 });
    expect((await host.status()).services.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('when a service of an update fails', () => {
  async function threeServices(): Promise<Host> {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    host.service('bad', sleeps(1000));
    host.service('after', { ...sleeps(1000), depends_on: { bad: 'ready' } });
    host.service('other', sleeps(1000));
    await host.start();
    await host.allRun(['bad', 'after', 'other']);
    await kept(host, 1);
    // Without a probe it would be ready for a moment, in which what waits for it may begin.
    host.service('bad', { process: { command: 'sleep 0.1; exit 3' }, probes: { startup: { log: '^up$' } } });
    host.service('after', { ...sleeps(2000), depends_on: { bad: 'ready' } });
    host.service('other', sleeps(2000));
    return host;
  }

  async function commands(host: Host): Promise<readonly string[]> {
    const { services } = await host.status();
    return services.map(({ name, pid }) => `${name}: ${commandOf(pid ?? 0)}`);
  }

  test('stop: what was not begun is not begun, is shown, and begins with the next update', async () => {
    const host = await threeServices();
    const update = await host.pmctl('update', '--json');
    expect(update.code).toBe(5);
    expect(update.json.failure).toMatchObject({ did: 'stopped', services: ['after'] });
    expect(await commands(host)).toEqual(['after: sleep 1000', 'bad: sleep 1000', 'other: sleep 2000']);
    expect((await host.status()).frozen).toMatchObject({ pending: ['after'] });
    host.service('bad', sleeps(3000));
    expect(await host.pmctl('update')).toMatchObject({ code: 0 });
    await host.allRun(['after', 'bad', 'other']);
    expect(await commands(host)).toEqual(['after: sleep 2000', 'bad: sleep 3000', 'other: sleep 2000']);
    expect((await host.status()).frozen).toBeNull();
  });

  test('rollback: everything is as it was before the update', async () => {
    const host = await threeServices();
    const update = await host.pmctl('update', '--on-failure', 'rollback', '--json');
    expect(update.code).toBe(5);
    expect(update.json.failure).toMatchObject({ did: 'rolled_back', services: ['after', 'bad', 'other'] });
    await host.allRun(['after', 'bad', 'other']);
    expect(await commands(host)).toEqual(['after: sleep 1000', 'bad: sleep 1000', 'other: sleep 1000']);
    const entries = await kept(host, 3);
    expect(entries[0]).toMatchObject({ trigger: 'failure', mark: 'frozen', id: entries[2]?.id });
    expect(entries[1]).toMatchObject({ result: 'failed', results: { bad: 'failed' } });
  });

  test('continue: the others go on', async () => {
    const host = await threeServices();
    expect(await host.pmctl('update', '--on-failure', 'continue')).toMatchObject({ code: 5 });
    await host.allRun(['after', 'other']);
    expect(await commands(host)).toEqual(['after: sleep 2000', 'bad: sleep 1000', 'other: sleep 2000']);
    expect((await host.status()).frozen).toBeNull();
  });
});

describe('a saved plan', () => {
  test('is carried out as it is, and names no values', async () => {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    host.service('web', sleeps(1000));
    await host.start();
    await host.runs('web');
    const plan = join(host.directory, 'plan.json');
    host.service('web', { process: { command: ['sleep', '1001'], env: { TOKEN: 'hush-hush' } } });
    expect(await host.pmctl('diff', '--out', plan)).toMatchObject({ code: 2 });
    expect(readOr(plan)).not.toContain('hush');
    expect(await host.pmctl('update', plan)).toMatchObject({ code: 0 });
    expect(commandOf(await host.pidOf('web'))).toBe('sleep 1001');
  });

  test('is refused when the files, or what runs, have moved since', async () => {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    host.service('web', sleeps(1000));
    host.service('db', sleeps(1000));
    await host.start();
    const pids = await host.allRun(['web', 'db']);
    const plan = join(host.directory, 'plan.json');
    host.service('web', sleeps(1001));
    await host.pmctl('diff', '--out', plan);
    host.service('web', sleeps(1002));
    expect(await host.pmctl('update', plan)).toMatchObject({ code: 4 });
    expect(await host.allRun(['web', 'db'])).toEqual(pids);

    await host.pmctl('diff', '--out', plan);
    expect(await host.pmctl('stop', 'web')).toMatchObject({ code: 0 });
    const refused = await host.pmctl('update', plan, '--json');
    expect(refused.code).toBe(4);
    expect(refused.json.errors).toMatchObject([{ code: 'plan-stale' }]);
    expect(await host.view('web')).toMatchObject({ state: 'stopped' });
  });
});

test.skipIf(spawnSync('git', ['--version']).status !== 0)(
  'the commit of a checkout is written down',
  async () => {
    const host = openHost({ ground: GROUND, settings: UNWATCHED });
    git(host.config, 'init', '-q', '-b', 'main');
    host.service('web', sleeps(1000));
    const oid = commitAll(host.config, 'one');
    await host.start();
    const seen = async (count: number): Promise<HistoryEntry> =>
      host.until('the commit', async () => {
        const entries = await history(host);
        return entries.length === count && entries[0]?.commit != null ? entries[0] : undefined;
      });
    expect((await seen(1)).commit).toEqual({ oid, branch: 'main', dirty: false });
    host.service('web', sleeps(1001));
    expect(await host.pmctl('update')).toMatchObject({ code: 0 });
    expect((await seen(2)).commit).toEqual({ oid, branch: 'main', dirty: true });
  },
);
