/** Who waits for whom, and what is done where the newest commit is there already? Over a real checkout. */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiffView, UpdateRequest, UpdateView } from '../../src/api/changes.ts';
import type { SyncRequest } from '../../src/api/sync.ts';
import { Sync } from '../../src/daemon/sync.ts';
import type { Pending, SyncTools } from '../../src/daemon/sync-tools.ts';
import { Unfinished } from '../../src/daemon/unfinished.ts';
import { sentence } from '../../src/model/problem.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemFiles } from '../../src/world/files.ts';
import { GitCheckout } from '../../src/world/git-checkout.ts';
import { name } from '../builders.ts';
import { commitAll, git, openRemote } from '../git.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

let ground: string;
let colleague: string;
let here: string;

beforeEach(() => {
  ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  [colleague, here] = [openRemote(ground), join(ground, 'here')];
  push('one');
  git(ground, 'clone', '--quiet', 'remote.git', 'here');
});
afterEach(() => {
  delete process.env['GIT_SSH_COMMAND'];
  fs.rmSync(ground, { recursive: true });
});

/** Answers the commit. */
function push(text: string): string {
  fs.mkdirSync(join(colleague, 'config.d'), { recursive: true });
  fs.writeFileSync(join(colleague, 'config.d/web.yaml'), text);
  const oid = commitAll(colleague, text);
  git(colleague, 'push', '--quiet', '-u', 'origin', 'main');
  return oid;
}

const GOOD: DesiredState = { services: new Map(), problems: [], files: 1, readable: true };
const NONE: DiffView = { changes: [], errors: [], warnings: [], unchanged: 1, held: [], prune: null };
const DONE: UpdateView = { ...NONE, changes: [] };
const CHANGE = {
  service: name('web'),
  action: 'roll',
  instances: 1,
  because: [],
  reason: 'changed',
} as const;
const ASKED: SyncRequest = { by: 'bob', dryRun: false, prune: false, wait: 0 };

function pending(diff: Partial<DiffView> = {}, more: Partial<Pending> = {}): () => Pending {
  return () => ({ diff: { ...NONE, ...diff }, failed: [], isUnderWay: false, ...more });
}

/** A daemon of which only this is there. */
function daemon(part: Partial<SyncTools> = {}) {
  const updates: UpdateRequest[] = [];
  const told: string[] = [];
  const files = systemFiles();
  fs.mkdirSync(join(ground, 'state'), { recursive: true });
  const sync = new Sync({
    checkout: () => GitCheckout.around(join(here, 'config.d')),
    directory: join(here, 'config.d'),
    ...{ files, clock: systemClock(), interval: null, onFailure: 'stop' },
    unfinished: new Unfinished(files, join(ground, 'state')),
    readAs: () => GOOD,
    planned: () => NONE,
    pending: pending(),
    reconcile: async (request) => {
      updates.push(request);
      return DONE;
    },
    frozen: () => undefined,
    changed: () => {},
    complain: (problem) => told.push(sentence(problem)),
    troubled: (before, now) => told.push(`${before.map(sentence).join()} -> ${now.map(sentence).join()}`),
    tell: () => {},
    ...part,
  });
  return { sync, updates, told };
}

describe('nobody waits for longer than he must', () => {
  it('the next commit does not wait for the outcome of the one before', async () => {
    const begun: (() => void)[] = [];
    const reconcile = () => new Promise<UpdateView>((resolve) => begun.push(() => resolve(DONE)));
    const { sync } = daemon({ reconcile });
    push('stuck');
    const first = sync.sync({ ...ASKED, wait: 60_000 });
    await expect.poll(() => begun.length).toBe(1);
    const hotfix = push('mended');
    const second = sync.sync({ ...ASKED, wait: 60_000 });
    await expect.poll(() => begun.length).toBe(2);
    for (const end of begun) end();
    expect(await second).toMatchObject({ result: 'applied', to: hotfix, update: DONE });
    expect(await first).toMatchObject({ result: 'applied', update: DONE });
  });

  it('a remote that does not answer is asked no longer than the command may take, nor is waited for in line', async () => {
    process.env['GIT_SSH_COMMAND'] = 'sh -c "exec sleep 60"';
    git(here, 'remote', 'set-url', 'origin', 'ssh://host.invalid/repository');
    const { sync } = daemon();
    // Also where nobody waits for the outcome.
    const first = sync.sync({ ...ASKED, wait: 0, limit: 1500 });
    const others = [sync.sync({ ...ASKED, wait: 500 }), sync.sync({ ...ASKED, wait: 0, limit: 500 })];
    for (const second of others)
      expect(await second).toMatchObject({ result: 'refused', reason: expect.stringMatching(/under way/) });
    expect(await first).toMatchObject({ result: 'refused', reason: 'git fetch failed: it took too long' });
    // What came too late is not done afterwards.
    git(here, 'remote', 'set-url', 'origin', join(ground, 'remote.git'));
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'nothing_new' });
    sync.close();
  });
});

describe('where the newest commit is checked out', () => {
  it('and in force, nothing is done', async () => {
    const { sync, updates } = daemon();
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'nothing_new', update: null });
    expect(updates).toEqual([]);
  });

  it.each<[string, Partial<DiffView>]>([
    ['something would change', { changes: [CHANGE] }],
    ['the guard holds something back', { prune: { services: ['db'], reason: 'many' } }],
  ])('but %s, it is brought in force, as update does it', async (_, part) => {
    const { sync, updates } = daemon({ pending: pending(part) });
    expect(await sync.sync({ ...ASKED, dryRun: true })).toMatchObject({ result: 'would_apply', diff: part });
    expect(updates).toEqual([]);
    expect(await sync.sync({ ...ASKED, prune: true })).toMatchObject({ result: 'applied', update: DONE });
    expect(updates).toMatchObject([{ services: [], prune: true, by: 'bob', on_failure: 'stop' }]);
  });

  it('but edited, nothing is taken for what the commit says', async () => {
    fs.writeFileSync(join(here, 'config.d/web.yaml'), 'mine');
    const { sync } = daemon({ pending: pending({ changes: [CHANGE] }) });
    expect(await sync.sync(ASKED)).toMatchObject({
      result: 'refused',
      reason: expect.stringMatching(/^changed/),
    });
  });

  it('but another Git took the directory away with its last file, it is an empty one', async () => {
    git(colleague, 'rm', '-r', '--quiet', 'config.d');
    commitAll(colleague, 'none');
    git(colleague, 'push', '--quiet');
    git(here, 'pull', '--quiet', '--ff-only');
    expect(fs.existsSync(join(here, 'config.d'))).toBe(false);
    const { sync } = daemon();
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'nothing_new' });
    expect(fs.readdirSync(join(here, 'config.d'))).toEqual([]);
  });

  it('but a service has failed by it, that is said', async () => {
    const failed = [{ service: 'web', detail: 'exited with code 3' }];
    const { sync } = daemon({ pending: pending({}, { failed }) });
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'nothing_new', failed });
  });

  it('but something is on its way, who has time waits for it', async () => {
    const failed = [{ service: 'db', detail: 'exited with code 3' }];
    const { sync, updates } = daemon({ pending: pending({}, { failed, isUnderWay: true }) });
    for (const asked of [ASKED, { ...ASKED, dryRun: true, wait: 5000 }])
      expect(await sync.sync(asked)).toMatchObject({ result: 'nothing_new', failed, update: null });
    expect(updates).toEqual([]);
    const view = await sync.sync({ ...ASKED, wait: 5000 });
    expect(view).toMatchObject({ result: 'nothing_new', failed, update: DONE });
    expect(updates).toMatchObject([{ services: [], by: 'bob' }]);
  });
});

describe('where the remote has less than what is checked out', () => {
  it('because its branch was taken back to an older commit, that is said', async () => {
    push('bad');
    git(here, 'pull', '--quiet', '--ff-only');
    git(colleague, 'reset', '--quiet', '--hard', 'HEAD~1');
    git(colleague, 'push', '--quiet', '--force');
    const { sync } = daemon();
    const reason = expect.stringMatching(
      /^the remote branch of main was rewritten.* reset --keep @\{upstream\}/,
    );
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'refused', reason });
    git(here, 'reset', '--quiet', '--keep', '@{upstream}');
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'nothing_new' });
  });

  it('because somebody committed here, it is not taken for a deploy', async () => {
    fs.writeFileSync(join(here, 'config.d/web.yaml'), 'mine');
    commitAll(here, 'mine');
    const { sync, updates } = daemon({ pending: pending({ changes: [CHANGE] }) });
    const reason = expect.stringMatching(/^main has commits of its own/);
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'refused', reason });
    expect(updates).toEqual([]);
  });
});

it('a lock that a dead Git has left is told before anything is begun', async () => {
  const lock = join(here, '.git/index.lock');
  fs.writeFileSync(lock, '');
  push('newer');
  const { sync } = daemon();
  expect(await sync.sync(ASKED)).toMatchObject({
    result: 'refused',
    reason: `${lock} was left there by a Git that has ended; remove it`,
  });
  expect(sync.unknown).toBeUndefined();
  fs.rmSync(lock);
  expect(await sync.sync(ASKED)).toMatchObject({ result: 'applied' });
});

describe('while the files are not followed', () => {
  const frozen = (untilNewer: boolean) => () => ({ text: 'frozen', untilNewer });

  it('because an update failed, a newer commit is the answer, and what failed is none', async () => {
    const { sync, updates } = daemon({ frozen: frozen(true) });
    const refused = await sync.sync(ASKED);
    expect(refused).toMatchObject({ result: 'refused', reason: expect.stringMatching(/newer commit/) });
    expect(await sync.sync({ ...ASKED, dryRun: true })).toEqual({ ...refused, diff: NONE });
    push('mended');
    expect(await sync.sync({ ...ASKED, dryRun: true })).toMatchObject({ result: 'would_apply', diff: NONE });
    expect(await sync.sync(ASKED)).toMatchObject({ result: 'applied' });
    expect(updates).toHaveLength(1);
  });

  it('because somebody wants it so, a newer commit changes nothing', async () => {
    const planned = { ...NONE, changes: [CHANGE] };
    const { sync } = daemon({ frozen: frozen(false), planned: () => planned });
    const before = git(here, 'rev-parse', 'HEAD');
    push('newer');
    expect(await sync.sync(ASKED)).toMatchObject({
      result: 'refused',
      reason: expect.stringMatching(/pmctl resume/),
    });
    const asked = { result: 'refused', reason: expect.stringMatching(/pmctl resume/), diff: planned };
    expect(await sync.sync({ ...ASKED, dryRun: true })).toMatchObject(asked);
    expect(git(here, 'rev-parse', 'HEAD')).toBe(before);
  });
});

describe('by itself', () => {
  /** One interval after the other, each to its end. */
  function hourly(part: Partial<SyncTools>) {
    const agenda = new Agenda();
    const time = { now: 0 };
    const clock = simulatedClock(time, 0, agenda);
    const made = daemon({ clock, interval: 3600_000, ...part });
    made.sync.begin();
    const pass = async (): Promise<void> => {
      await expect.poll(() => agenda.next).toBe(time.now + 3600_000);
      time.now += 3600_000;
      agenda.take(time.now)?.act();
      await expect.poll(() => agenda.next).toBe(time.now + 3600_000);
    };
    return { ...made, pass };
  }

  it('what stands in the way is told when it begins and ends, with its place, and shown meanwhile', async () => {
    let readAs = (): DesiredState => ({
      ...GOOD,
      problems: [
        {
          code: 'key-unknown',
          severity: 'error',
          message: 'no such key',
          file: 'web.yaml',
          line: 2,
          column: 3,
        },
      ],
    });
    const { sync, told, updates, pass } = hourly({ readAs: () => readAs() });
    const bad = push('bad').slice(0, 10);
    const said = `web.yaml:2:3  ${bad} is not applied: with it the configuration has an error: no such key`;
    await pass();
    await pass();
    expect([sync.problems.map(sentence), told]).toEqual([[said], [` -> ${said}`]]);
    readAs = () => GOOD;
    await pass();
    expect([sync.problems, told.slice(1), updates.length]).toEqual([[], [`${said} -> `], 1]);
  });

  it('a remote that cannot be reached is a warning, and gone when a sync by hand succeeds', async () => {
    const { sync, pass } = hourly({});
    git(here, 'remote', 'set-url', 'origin', join(ground, 'nowhere.git'));
    await pass();
    expect(sync.problems).toMatchObject([
      { code: 'sync-refused', severity: 'warning', message: expect.stringMatching(/^git fetch failed/) },
    ]);
    git(here, 'remote', 'set-url', 'origin', join(ground, 'remote.git'));
    await sync.sync(ASKED);
    expect(sync.problems).toEqual([]);
  });

  it('what stood in the way is told no longer when nobody looks, because somebody went back', async () => {
    let hold: ReturnType<SyncTools['frozen']>;
    const said: string[] = [];
    const { sync, pass } = hourly({ frozen: () => hold, tell: (message) => said.push(message) });
    git(here, 'remote', 'set-url', 'origin', join(ground, 'nowhere.git'));
    await pass();
    expect(sync.problems).toHaveLength(1);
    hold = { text: 'frozen', untilNewer: false };
    await pass();
    expect(sync.problems).toEqual([]);
    expect(said).toEqual([expect.stringContaining('not looked at while the files are not followed')]);
  });

  it('a mistake of ours in following a commit ends neither the daemon nor the next synchronisation', async () => {
    const { sync, pass } = hourly({ reconcile: () => Promise.reject(new Error('a mistake of ours')) });
    push('two');
    await pass();
    expect(sync.problems).toMatchObject([{ message: 'Error: a mistake of ours' }]);
    await pass();
    expect(sync.problems).toEqual([]);
  });

  it('a commit that does not come up is told, and one that brings nothing newer is left alone', async () => {
    const failed = { ...CHANGE, result: 'failed', detail: 'exited with code 3' } as const;
    const failure = { did: 'rolled_back', detail: 'web failed: code 3', services: ['web'] } as const;
    const asked: UpdateRequest[] = [];
    const { told, pass } = hourly({
      reconcile: async (request) => {
        asked.push(request);
        return { ...NONE, changes: [failed], failure };
      },
      pending: pending({ changes: [CHANGE] }),
    });
    const bad = push('bad').slice(0, 10);
    await pass();
    await pass();
    expect(told).toEqual([`${bad} did not come up as a whole: web failed: code 3; it was rolled back`]);
    // Until the outcome is known.
    expect(asked).toEqual([expect.objectContaining({ wait: expect.any(Number), own: true })]);
    expect(asked[0]?.wait).toBeGreaterThan(3600_000);
  });
});
