import { describe, expect, test } from 'vitest';
import type { UnderWayResult } from '../../src/api/changes.ts';
import type { ChangeResult, ConfigError, DiffView, UpdateView } from '../../src/api/contract.ts';
import type { Change, ChangeKind } from '../../src/model/action.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { fakeDaemon, run, statusView } from './fake-daemon.ts';
import { serviceView } from './sample-views.ts';

function change(service: string, action: ChangeKind, more: Partial<Change> = {}): Change {
  return { service: service as ServiceName, action, instances: 1, because: [], reason: '', ...more };
}

const NOTHING: DiffView = { changes: [], errors: [], warnings: [], unchanged: 0, held: [], prune: null };

const BROKEN: ConfigError = {
  file: 'config.d/billing.yaml',
  line: 31,
  column: 3,
  path: 'env',
  message: 'duplicate key "env"',
  code: 'yaml-syntax',
  severity: 'error',
  hint: null,
};

const FULL: DiffView = {
  ...NOTHING,
  changes: [
    change('api', 'roll', {
      instances: 4,
      because: [
        {
          path: 'process.args[0]',
          from: '"--port=80"',
          to: '"--port=81"',
          class: 'roll',
          file: 'config.d/api.yaml',
          line: 9,
        },
        { path: 'process.env_files', to: '.env changed: +FEATURE_X (hidden)', class: 'roll' },
        { path: 'description', to: '"new"', class: 'live' },
      ],
    }),
    change('billing', 'keep', { reason: 'keeps running the last good definition' }),
    change('legacy', 'stop', { reason: 'file removed' }),
    change('mailer', 'start', { instances: 2, reason: 'not running' }),
    change('pg', 'live', {
      instances: 0,
      because: [{ path: 'port', from: '80', class: 'live', file: 'config.d/pg.yaml', line: 30 }],
    }),
  ],
  errors: [BROKEN],
  unchanged: 12,
  held: [{ service: 'worker-b', reason: 'held by bob: incident 4412' }],
};

describe('diff', () => {
  test('shows each field with its class and place, and what it means for processes', async () => {
    const daemon = await fakeDaemon({ 'GET /api/diff': FULL });
    const { out } = await run(daemon, 'diff');
    expect(out.split('\n')).toEqual([
      '~ api      4 instances   ROLL   process.args[0]  "--port=80" -> "--port=81"           config.d/api.yaml:9',
      '                                process.env_files  .env changed: +FEATURE_X (hidden)',
      '                         live   description  (not set) -> "new"',
      '! billing                KEEP   keeps running the last good definition',
      '- legacy   -1 instance   STOP   file removed',
      '+ mailer   +2 instances  START  not running',
      '~ pg                     LIVE   port  80 -> (not set)                                 config.d/pg.yaml:30',
      '! config.d/billing.yaml:31:3  duplicate key "env"',
      '= 12 unchanged; 1 held: worker-b (held by bob: incident 4412)',
      '4 processes will be replaced, 2 started, 1 stopped.',
      '',
    ]);
  });

  test('--json is what the daemon gave', async () => {
    const daemon = await fakeDaemon({ 'GET /api/diff': FULL });
    expect(JSON.parse((await run(daemon, 'diff --json')).out)).toEqual(FULL);
  });

  test('does not promise what failed already, and names what has failed without a change', async () => {
    const rejected = 'exited with code 3';
    const changes = [change('api', 'roll', { instances: 2, rejected }), change('new', 'start')];
    const failed = [{ service: 'web', reason: 'instance 0: exited with code 1; it is tried again' }];
    const daemon = await fakeDaemon({ 'GET /api/diff': { ...NOTHING, changes, unchanged: 3, failed } });
    const { out, exit } = await run(daemon, 'diff');
    expect(out.split('\n').map((line) => line.trim())).toEqual([
      '~ api  2 instances  ROLL',
      'failed, what ran before goes on: exited with code 3; pmctl restart api tries it again',
      '+ new  +1 instance  START',
      '= 3 unchanged; 1 does not come up: web',
      '1 process will be started.',
      '',
    ]);
    expect(exit).toBe(2);
  });

  test('tells what waits for the release of a service, which is no change that an update makes', async () => {
    const because = [
      { path: 'process.env.V', from: '"2"', to: '"3"', class: 'roll', file: 'w.yaml', line: 4 } as const,
    ];
    const waits = change('worker', 'roll', { instances: 2, because });
    const held = [
      { service: 'worker', reason: 'held by bob: incident', change: waits },
      { service: 'other', reason: 'held by al' },
    ];
    const daemon = await fakeDaemon({ 'GET /api/diff': { ...NOTHING, unchanged: 3, held } });
    const { out, exit } = await run(daemon, 'diff');
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^= worker {2}2 instances {2}ROLL {2}process\.env\.V {2}"2" -> "3" +w\.yaml:4$/),
      expect.stringMatching(/^ +waits for pmctl release worker \(held by bob: incident\)$/),
      '= 3 unchanged; 2 held: worker (held by bob: incident), other (held by al)',
      '',
    ]);
    expect(exit).toBe(0);
  });

  test('tells the instances of a service that are not replaced apart', async () => {
    const changes = [
      change('grows', 'roll', { instances: 5, added: 3 }),
      change('moves', 'stop', { instances: 3, added: 1 }),
      change('shrinks', 'replace', { instances: 4, removed: 3 }),
    ];
    const daemon = await fakeDaemon({ 'GET /api/diff': { ...NOTHING, changes } });
    const { out } = await run(daemon, 'diff');
    expect(out.split('\n').slice(0, 3)).toEqual([
      '~ grows    2 instances +3   ROLL',
      '- moves    -2 instances +1  STOP',
      '~ shrinks  1 instance -3    REPLACE',
    ]);
  });

  test('tells of which services a command holds the number of instances, which is no change', async () => {
    const scaled = [{ service: 'worker', instances: 4, file: 2, by: 'bob', at: '2026-11-22T10:00:00.000Z' }];
    const daemon = await fakeDaemon({ 'GET /api/diff': { ...NOTHING, unchanged: 3, scaled } });
    const { out, exit } = await run(daemon, 'diff');
    expect(out).toBe('= worker  scaled to 4 by bob; the file says 2\n= 3 unchanged\n');
    expect(exit).toBe(0);
  });

  test.each([
    { why: 'nothing to do', view: NOTHING, exit: 0, last: '= 0 unchanged' },
    {
      why: 'only limits',
      view: { ...NOTHING, changes: [change('pg', 'live', { instances: 0 })] },
      exit: 2,
      last: 'No process is touched.',
    },
    {
      why: 'one process',
      view: { ...NOTHING, changes: [change('pg', 'replace')] },
      exit: 2,
      last: '1 process will be replaced.',
    },
    {
      why: 'places come and go with a new definition',
      view: {
        ...NOTHING,
        changes: [
          change('grows', 'roll', { instances: 5, added: 3 }),
          change('shrinks', 'replace', { instances: 4, removed: 3 }),
          change('moves', 'stop', { instances: 3, added: 1 }),
        ],
      },
      exit: 2,
      last: '3 processes will be replaced, 4 started, 5 stopped.',
    },
    {
      why: 'errors go before changes',
      view: FULL,
      exit: 1,
      last: '4 processes will be replaced, 2 started, 1 stopped.',
    },
    {
      why: 'what is kept is no change',
      view: { ...NOTHING, changes: [change('held', 'keep', { reason: 'held by bob' })] },
      exit: 0,
      last: '= 0 unchanged',
    },
    {
      why: 'a removal that the guard holds back is pending',
      view: { ...NOTHING, prune: { services: ['legacy'], reason: 'the configuration directory is empty' } },
      exit: 2,
      last: '= 0 unchanged',
    },
  ])('$why: exit $exit', async ({ view, exit, last }) => {
    const daemon = await fakeDaemon({ 'GET /api/diff': view });
    const said = await run(daemon, 'diff');
    expect(said.out.trimEnd().split('\n').at(-1)).toBe(last);
    expect(said.exit).toBe(exit);
  });
});

describe('update', () => {
  const result = (one: Change, word: ChangeResult['result'], detail = ''): ChangeResult => ({
    ...one,
    result: word,
    detail,
  });
  const done = result(change('api', 'roll'), 'done', '1/1 running, pid 12');
  const underway = (word: UnderWayResult['result']): UnderWayResult => ({
    ...{ service: 'a' as ServiceName, result: word, detail: 'the detail' },
    ...(word === 'failed' ? { log: ['oops'] } : {}),
  });
  const view = (more: Partial<UpdateView>): UpdateView => ({ ...NOTHING, changes: [done], ...more });

  test('tells the result of each change', async () => {
    const daemon = await fakeDaemon({ 'POST /api/update': view({}) });
    const { out, exit } = await run(daemon, 'update');
    expect(out).toContain('done: 1/1 running, pid 12');
    expect(out).not.toContain('will be');
    expect(exit).toBe(0);
    expect(daemon.askedFor('POST /api/update')[0]?.body).toEqual({
      services: [],
      prune: false,
      wait: 60_000,
    });
  });

  test('tells a failure to its end, on a terminal over as many lines as it takes', async () => {
    const because = [
      { path: 'port', from: '80', to: '81', class: 'roll', file: 'api.yaml', line: 2 } as const,
    ];
    const detail =
      'the new definition failed, the old one goes on: exited with code 3, and so on until the end';
    const failed = result(change('api', 'roll', { because }), 'failed', detail);
    const daemon = await fakeDaemon({ 'POST /api/update': view({ changes: [failed] }) });
    const piped = await run(daemon, 'update');
    expect(piped.out.split('\n').slice(0, 2)).toEqual([
      '~ api  1 instance  ROLL  port  80 -> 81  api.yaml:2',
      `                         failed: ${detail}`,
    ]);
    const screen = { columns: 80, rows: 24 };
    const { out } = await run(daemon, 'update', { screen, environment: { TERM: 'dumb' } });
    const lines = out.split('\n').slice(1, -2);
    expect(lines.every((line) => line.startsWith(' '.repeat(25)) && line.length <= 80)).toBe(true);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(`failed: ${detail}`);
  });

  test('passes on what was asked', async () => {
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([serviceView('web')]),
      'GET /api/diff': { ...NOTHING, changes: [change('fresh', 'start')] },
      'POST /api/update': view({}),
    });
    await run(daemon, 'update web fresh --prune --timeout 5s');
    await run(daemon, 'update all --no-wait');
    expect(daemon.askedFor('POST /api/update').map(({ body }) => body)).toEqual([
      { services: ['web', 'fresh'], prune: true, wait: 5000 },
      { services: [], prune: false, wait: 0 },
    ]);
  });

  test('an unknown service is exit 3 and nothing is done', async () => {
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([serviceView('web')]),
      'GET /api/diff': NOTHING,
    });
    const { exit, err } = await run(daemon, 'update wbe');
    expect(err).toBe('pmctl: no service is called "wbe"; did you mean web?\n');
    expect(exit).toBe(3);
    expect(daemon.askedFor('POST /api/update')).toEqual([]);
  });

  test('tells what became of services that were under way, and of each once', async () => {
    const failed = ['a', 'b'].map((service) => ({ service, reason: 'exited with code 3' }));
    const answer = view({ unchanged: 4, changes: [], underway: [underway('failed')], failed });
    const daemon = await fakeDaemon({ 'POST /api/update': answer });
    expect((await run(daemon, 'update')).out.split('\n')).toEqual([
      '= a  was under way: failed: the detail',
      '= 4 unchanged; 1 does not come up: b',
      '  a: written since it was started:',
      '  a | oops',
      '',
    ]);
  });

  const guard = { services: ['legacy'], reason: 'the configuration directory is empty' };
  test.each([
    { why: 'all done', view: view({}), exit: 0 },
    { why: 'a file is wrong', view: view({ errors: [BROKEN] }), exit: 1 },
    { why: 'one failed', view: view({ changes: [done, result(change('b', 'start'), 'failed')] }), exit: 5 },
    { why: 'the time was over', view: view({ changes: [result(change('b', 'start'), 'pending')] }), exit: 1 },
    { why: 'another one failed before', view: view({ failed: [{ service: 'x', reason: '' }] }), exit: 0 },
    {
      why: 'the time was over and another one failed',
      view: view({
        changes: [result(change('b', 'start'), 'pending'), result(change('c', 'roll'), 'failed')],
      }),
      exit: 5,
    },
    {
      why: 'kept for a broken file',
      view: view({ changes: [result(change('b', 'keep'), 'refused')] }),
      exit: 0,
    },
    { why: 'one that was under way has come up', view: view({ underway: [underway('done')] }), exit: 0 },
    { why: 'one that was under way has failed', view: view({ underway: [underway('failed')] }), exit: 5 },
    { why: 'one is under way still', view: view({ underway: [underway('pending')] }), exit: 1 },
    { why: 'the guard refused', view: view({ prune: guard, errors: [BROKEN] }), exit: 6 },
  ])('$why: exit $exit', async ({ view: answer, exit }) => {
    const daemon = await fakeDaemon({ 'POST /api/update': answer });
    expect((await run(daemon, 'update')).exit).toBe(exit);
  });

  test.each([
    { named: 'web', exit: 5 },
    { named: 'other', exit: 0 },
  ])(
    'exit $exit when web has failed before and $named is named, and nothing changes',
    async ({ named, exit }) => {
      const failed = [{ service: 'web', reason: 'exited with code 3' }];
      const daemon = await fakeDaemon({
        'GET /api/status': statusView([serviceView('web'), serviceView('other')]),
        'GET /api/diff': NOTHING,
        'POST /api/update': view({ failed, changes: [] }),
      });
      expect((await run(daemon, `update ${named}`)).exit).toBe(exit);
    },
  );

  test('a removal held back elsewhere is not the business of an update by name', async () => {
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([serviceView('web')]),
      'GET /api/diff': NOTHING,
      'POST /api/update': view({ prune: guard }),
    });
    expect((await run(daemon, 'update web')).exit).toBe(0);
  });
});
