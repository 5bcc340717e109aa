/** Looking at applied states, going back to one, and saved plans, as typed. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { UpdateView } from '../../src/api/changes.ts';
import type { HistoryEntry } from '../../src/api/deploys.ts';
import type { SyncView } from '../../src/api/sync.ts';
import type { Change } from '../../src/model/action.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { name } from '../builders.ts';
import { Answer, fakeDaemon, run, statusView } from './fake-daemon.ts';

const NOTHING: UpdateView = { changes: [], errors: [], warnings: [], unchanged: 3, held: [], prune: null };

const FROZEN = {
  snapshot: '0123456789ab',
  since: '2026-01-02T03:04:05.678Z',
  by: 'bob',
  reason: 'rolled back',
  pending: ['web', 'db'],
};

const ENTRY: HistoryEntry = {
  number: 7,
  id: '0123456789ab',
  at: '2026-01-02T03:04:05.678Z',
  trigger: 'update',
  by: 'bob',
  commit: { oid: 'abcdef0123456789', branch: 'main', dirty: true },
  added: ['a'],
  changed: ['b', 'c'],
  removed: [],
  result: 'failed',
  results: { a: 'converged', b: 'failed', c: 'converged' },
  mark: 'frozen',
};

const CHANGE: Change = {
  service: name('web'),
  action: 'roll',
  because: [{ path: 'process.env.TOKEN', from: 'old', to: 'hush', class: 'roll' }],
  reason: 'definition changed',
  instances: 2,
};

test('history tells each state in a row', async () => {
  const entries = [
    ENTRY,
    { ...ENTRY, id: 'ffffffffffff', by: null, commit: null, mark: null, result: 'converged' },
  ];
  const daemon = await fakeDaemon({ 'GET /api/history': { entries, problems: ['one is torn'] } });
  const { exit, out } = await run(daemon, 'history -n 2');
  expect(exit).toBe(0);
  const [, first, second, problem] = out.split('\n');
  expect(first).toMatch(
    /^0123456789ab +2026-01-02T.* +update by bob +main abcdef0123 \+ +\+1 ~2 -0 +failed +frozen/,
  );
  expect(second).toMatch(/^ffffffffffff .* update +- .* converged/);
  expect(problem).toContain('one is torn');
  expect(daemon.askedFor('GET /api/history')[0]?.query).toEqual({ limit: '2' });
});

test('history tells a person the local time, and who it was, on 80 columns', async () => {
  const entries = [ENTRY, { ...ENTRY, by: 'barbara', result: 'superseded', mark: null }];
  const daemon = await fakeDaemon({ 'GET /api/history': { entries, problems: [] } });
  const screen = { columns: 80, rows: 24 };
  const { out } = await run(daemon, 'history', { screen, environment: { TERM: 'dumb' } });
  const at = new Date(ENTRY.at);
  const [hours, minutes] = [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0'));
  expect(out.split('\n')[1]).toMatch(
    new RegExp(`^0123456789ab  2026-01-0\\d ${hours}:${minutes}:05  update by bob +failed +frozen$`),
  );
});

test('history of no states is a mistake, not an empty history', async () => {
  const daemon = await fakeDaemon({ 'GET /api/history': { entries: [ENTRY], problems: [] } });
  const { exit, out, err } = await run(daemon, 'history -n 0');
  expect({ exit, out }).toEqual({ exit: 64, out: '' });
  expect(err).toContain('1 or more');
});

test('show prints the text of a file as it is', async () => {
  const text = 'process: {command: x}\n# no newline at the end';
  const answer = { id: ENTRY.id, path: 'web.yaml', service: 'web', text };
  const daemon = await fakeDaemon({ 'GET /api/history/01/web': answer });
  expect(await run(daemon, 'show 01 web')).toMatchObject({ exit: 0, out: text });
});

test('an unknown snapshot is an error with the words of the daemon', async () => {
  const told = new Answer(404, {
    error: { code: 'unknown_snapshot', message: 'no snapshot begins with "x"' },
  });
  const daemon = await fakeDaemon({ 'POST /api/rollback': told });
  expect(await run(daemon, 'rollback x')).toMatchObject({
    exit: 1,
    err: 'pmctl: no snapshot begins with "x"\n',
  });
});

test('two snapshots are compared without a word about what will be done', async () => {
  const daemon = await fakeDaemon({ 'GET /api/compare': { ...NOTHING, changes: [CHANGE] } });
  const { exit, out } = await run(daemon, 'diff previous latest');
  expect(exit).toBe(2);
  expect(out).toContain('process.env.TOKEN');
  expect(out).not.toContain('will be');
  expect(daemon.asked[0]?.query).toEqual({ from: 'previous', to: 'latest' });
});

describe('a frozen daemon', () => {
  test('says so before everything else', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([], { frozen: FROZEN }) });
    const { out } = await run(daemon, 'status');
    expect(out.split('\n')[0]).toBe(
      'frozen   frozen at snapshot 0123456789ab since 2026-01-02T03:04:05.678Z by bob (rolled back); files are not followed; 2 not in force: web, db',
    );
  });

  test('says nothing of what is not known of it', async () => {
    const lost = { ...FROZEN, snapshot: null, since: null, by: null, reason: 'it is lost', pending: [] };
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([], { frozen: lost }) });
    const { out } = await run(daemon, 'status');
    expect(out.split('\n')[0]).toBe('frozen   frozen: it is lost; files are not followed');
  });

  test('a rollback that the guard holds back has done nothing, and says what confirms it', async () => {
    const prune = { services: ['a', 'b'], reason: '2 of 3 running services have no file any more' };
    const daemon = await fakeDaemon({ 'POST /api/rollback': { ...NOTHING, prune } });
    const { exit, err } = await run(daemon, 'rollback');
    expect(exit).toBe(6);
    expect(err).toMatch(/nothing was done: .*a, b; the same command with --prune/);
  });

  test('rollback and resume wait as long as they are told', async () => {
    const daemon = await fakeDaemon({ 'POST /api/rollback': NOTHING, 'POST /api/resume': NOTHING });
    await run(daemon, 'rollback 01 --prune --timeout 5s');
    await run(daemon, 'resume --no-wait');
    expect(daemon.asked.map(({ body }) => body)).toEqual([
      { prune: true, wait: 5000, id: '01' },
      { prune: false, wait: 0 },
    ]);
  });
});

describe('a saved plan', () => {
  const diff = { ...NOTHING, changes: [CHANGE], desired: 'd1' };

  test('holds what is done to which service, and no values', async () => {
    const daemon = await fakeDaemon({ 'GET /api/diff': diff, 'POST /api/update': NOTHING });
    const plan = join(daemon.directory, 'plan.json');
    expect(await run(daemon, ['diff', '--out', plan])).toMatchObject({ exit: 2 });
    expect(readFileSync(plan, 'utf8')).not.toMatch(/hush|old/);
    await run(daemon, ['update', plan]);
    expect(daemon.askedFor('POST /api/update')[0]?.body).toMatchObject({
      services: [],
      plan: { desired: 'd1', changes: [{ service: 'web', action: 'roll', instances: 2 }] },
    });
  });

  test('that is stale ends with exit code 4', async () => {
    const error = { code: 'plan-stale', message: 'the files have changed', severity: 'error', hint: null };
    const place = { file: null, line: null, column: null, path: null };
    const daemon = await fakeDaemon({
      'GET /api/diff': diff,
      'POST /api/update': { ...NOTHING, unchanged: 0, errors: [{ ...error, ...place }] },
    });
    const plan = join(daemon.directory, 'plan.json');
    await run(daemon, ['diff', '--out', plan]);
    const { exit, out } = await run(daemon, ['update', plan]);
    expect({ exit, out }).toEqual({ exit: 4, out: '! the files have changed\n' });
  });

  test('is not made while files have errors', async () => {
    const error = { code: 'yaml-syntax', message: 'no', severity: 'error', hint: null };
    const place = { file: null, line: null, column: null, path: null };
    const daemon = await fakeDaemon({ 'GET /api/diff': { ...diff, errors: [{ ...error, ...place }] } });
    const plan = join(daemon.directory, 'plan.json');
    expect(await run(daemon, ['diff', '--out', plan])).toMatchObject({ exit: 1 });
    expect(existsSync(plan)).toBe(false);
  });

  test.each([
    ['no JSON', '{', 1],
    ['something else', '{"processmaster_plan":2,"desired":"x","changes":[]}', 1],
    ['a change that is none', '{"processmaster_plan":1,"desired":"x","changes":[{}]}', 1],
  ])('%s is refused before anything is asked', async (_, text, code) => {
    const daemon = await fakeDaemon({});
    const plan = join(daemon.directory, 'plan.json');
    writeFileSync(plan, text);
    expect(await run(daemon, ['update', plan])).toMatchObject({ exit: code });
    expect(daemon.asked).toEqual([]);
  });

  test('stands alone', async () => {
    const daemon = await fakeDaemon({});
    expect(await run(daemon, 'update plan.json web')).toMatchObject({ exit: 64 });
  });
});

test('what an update does about a failure is told, and asked for by name', async () => {
  const failure = { did: 'stopped', detail: 'db failed: exit_3', services: ['web'] } as const;
  const daemon = await fakeDaemon({ 'POST /api/update': { ...NOTHING, failure } });
  const { out } = await run(daemon, 'update --on-failure rollback');
  expect(out).toContain('failed   db failed: exit_3; not begun: web');
  expect(daemon.asked[0]?.body).toMatchObject({ on_failure: 'rollback' });
  expect(await run(daemon, 'update --on-failure panic')).toMatchObject({ exit: 64 });
});

describe('a sync that brings no commit', () => {
  const HERE: SyncView = {
    ...{
      result: 'nothing_new',
      reason: null,
      branch: 'main',
      from: 'abcdef0123456789',
      to: 'abcdef0123456789',
    },
    ...{ commits: [], errors: [], diff: null, update: null },
  };
  const failed = [{ service: 'web', detail: 'exited with code 3' }];
  const guarded = { ...NOTHING, prune: { services: ['db'], reason: 'the directory is empty' } };

  test.each<[string, Partial<SyncView>, number, readonly string[]]>([
    ['and has nothing left to do', {}, 0, ['main has the newest commit already (abcdef0123)']],
    [
      'by which a service failed',
      { failed },
      5,
      ['newest commit already', 'failed   web: exited with code 3'],
    ],
    [
      'of which something was under way',
      {
        update: {
          ...NOTHING,
          underway: [{ service: 'web' as ServiceName, result: 'failed', detail: 'no', log: ['oops'] }],
        },
      },
      5,
      ['already (abcdef0123)\n= web  was under way: failed: no', 'web | oops'],
    ],
    [
      'of which something was not in force',
      { result: 'applied', update: guarded },
      6,
      ['already (abcdef0123); not all of it was in force', 'the directory is empty'],
    ],
    [
      'of which something is not in force',
      { result: 'would_apply', diff: NOTHING },
      2,
      ['not all of it was'],
    ],
  ])('%s', async (_, part, exit, says) => {
    const answer = await run(await fakeDaemon({ 'POST /api/sync': { ...HERE, ...part } }), 'sync');
    expect(answer.exit).toBe(exit);
    for (const words of says) expect(answer.out).toContain(words);
  });

  test.each([
    ['sync --timeout 2s', { wait: 2000 }],
    ['sync --no-wait', { wait: 0 }],
    ['sync --no-wait --timeout 2s', { wait: 0, limit: 2000 }],
  ])('%s is asked for with its limits', async (command, limits) => {
    const daemon = await fakeDaemon({ 'POST /api/sync': HERE });
    expect((await run(daemon, command)).exit).toBe(0);
    expect(daemon.askedFor('POST /api/sync')[0]?.body).toEqual({ dryRun: false, prune: false, ...limits });
  });

  test('because the files are not followed says so, and shows what following them would do', async () => {
    const diff = { ...NOTHING, changes: [CHANGE] };
    const view = { ...HERE, result: 'refused', reason: 'the files are not followed', diff };
    const answer = await run(await fakeDaemon({ 'POST /api/sync': view }), 'sync --dry-run');
    expect(answer).toMatchObject({ exit: 1, err: 'pmctl: the files are not followed\n' });
    expect(answer.out).toContain('process.env.TOKEN');
  });
});
