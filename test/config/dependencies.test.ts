import { describe, expect, test } from 'vitest';
import type { DesiredState } from '../../src/model/spec.ts';
import { directoryOf, filesWith, problemsOf, sentences, specOf, web } from './ground.ts';

/** What holds of each service: `ok`, `last good` or `broken`. */
function holds(state: DesiredState): Readonly<Record<string, string>> {
  const found = [...state.services].map(([name, service]) => {
    if (service.kind === 'broken') return [name, 'broken'];
    return [name, service.problems.length === 0 ? 'ok' : 'last good'];
  });
  return Object.fromEntries(found);
}

function load(texts: Readonly<Record<string, string>>) {
  const state = directoryOf(filesWith(texts)).load();
  return { state, holds: holds(state), says: sentences(state.problems) };
}

test('a list means ready, a map says it for each', () => {
  expect(specOf(web('depends_on: [db, cache]')).depends_on).toEqual({ db: 'ready', cache: 'ready' });
  const text = web('depends_on: { db: started, init: completed, cache: ready }');
  expect(specOf(text).depends_on).toEqual({ db: 'started', init: 'completed', cache: 'ready' });
});

test.each([
  ['depends_on: [web]', '3:14  depends_on[0]: web would wait for itself: web -> web'],
  ['depends_on: { web: started }', '3:15  depends_on.web: web would wait for itself: web -> web'],
  ['depends_on: [a, a]', expect.stringContaining('depends_on: says the same twice')],
  ['depends_on: db', expect.stringContaining('depends_on: "db" is not of type list of names, or map')],
  [
    'depends_on: { db: redy }',
    '3:19  depends_on.db: "redy" is not one of started, ready, completed; did you mean ready?',
  ],
  ['depends_on: ["a b"]', '3:14  depends_on[0]: "a b" must be the name of a service'],
  [
    'depends_on: { "a b": ready }',
    expect.stringContaining('"a b" is no name for this: the name of a service'),
  ],
])('%s is refused', (line, expected) => {
  const problems = problemsOf(web(line)).map((text) => text.replace('config.d/web.yaml:', ''));
  expect(problems).toEqual([expected]);
});

test('services that depend on each other in an order are fine, a broken one among them too', () => {
  const found = load({
    'a.yaml': web('depends_on: [b, c]'),
    'b.yaml': web('depends_on: { c: started }'),
    'c.yaml': web('instances: many'),
  });
  expect(found.holds).toEqual({ a: 'ok', b: 'ok', c: 'broken' });
});

test('an unknown name is an error of the file that says it, with its place', () => {
  const found = load({
    'api.yaml': web('depends_on: [database, cach]'),
    'cache.yaml': web(),
    'database.yaml': web(),
  });
  expect(found.says).toEqual([
    'config.d/api.yaml:3:24  depends_on.cach: there is no service "cach"; did you mean cache?',
  ]);
  expect(found.holds).toEqual({ api: 'broken', cache: 'ok', database: 'ok' });
});

describe('is told besides what else is wrong', () => {
  const NOSUCH = 'depends_on.nosuch: there is no service "nosuch"';
  const OTHER = 'depends_on takes names of services of this directory';

  test('a service that waits for itself', () => {
    const found = load({ 'deps.yaml': web('depends_on: [nosuch, deps]') });
    expect(found.says).toEqual([
      `config.d/deps.yaml:3:14  ${NOSUCH}; ${OTHER}`,
      'config.d/deps.yaml:3:22  depends_on[1]: deps would wait for itself: deps -> deps',
    ]);
    expect(found.state.services.get('deps' as never)?.problems).toHaveLength(2);
  });

  test('a value of another key', () => {
    const found = load({
      'api.yaml': web('instances: many', 'depends_on: [nosuch, other]'),
      'other.yaml': web(),
    });
    expect(found.says).toEqual([
      expect.stringContaining('config.d/api.yaml:3:12  instances: "many" must be'),
      `config.d/api.yaml:4:14  ${NOSUCH}; ${OTHER}`,
    ]);
  });

  test('a user that this host does not have', () => {
    const found = load({ 'api.yaml': web('  user: nobody-here', 'depends_on: [nosuch]') });
    expect(found.says).toEqual([
      expect.stringContaining('this host knows no user "nobody-here"'),
      expect.stringContaining(NOSUCH),
    ]);
  });

  test('a name that two files have', () => {
    const found = load({ 'a.yaml': web('name: api', 'depends_on: [nosuch]'), 'b.yaml': web('name: api') });
    expect(found.state.problems.map(({ code, file }) => `${file} ${code}`)).toEqual([
      'config.d/a.yaml name-duplicate',
      'config.d/a.yaml dependency-unknown',
      'config.d/b.yaml name-duplicate',
    ]);
  });

  test('a name that another file says: it is no trouble of that one', () => {
    const found = load({
      'api.yaml': web('instances: many', 'depends_on: [nosuch]'),
      'b.yaml': web('name: api'),
    });
    expect(found.holds).toEqual({ api: 'ok' });
    expect(found.says).toEqual([expect.stringContaining('instances'), expect.stringContaining(NOSUCH)]);
  });

  test('a name that is none: nothing belongs to the word that stands in for it', () => {
    const found = load({ 'a b.yaml': web('depends_on: [nosuch]') });
    expect(found.state.problems.map(({ code, service }) => ({ code, service }))).toEqual([
      { code: 'name-invalid', service: undefined },
      { code: 'dependency-unknown', service: undefined },
    ]);
  });
});

describe('a circle', () => {
  const CIRCLE = {
    'a.yaml': web('depends_on: [b]'),
    'b.yaml': web('depends_on: { x: ready, c: started }'),
    'c.yaml': web('depends_on: [a]'),
    'd.yaml': web('depends_on: [a]'),
    'x.yaml': web(),
  };

  test('is named by each of its services, which are not followed; the others are', () => {
    const found = load(CIRCLE);
    expect(found.says).toEqual([
      'config.d/a.yaml:3:14  depends_on.b: services wait for each other: a -> b -> c -> a; take one of these out of depends_on',
      'config.d/b.yaml:3:25  depends_on.c: services wait for each other: b -> c -> a -> b; take one of these out of depends_on',
      'config.d/c.yaml:3:14  depends_on.a: services wait for each other: c -> a -> b -> c; take one of these out of depends_on',
    ]);
    expect(found.holds).toEqual({ a: 'broken', b: 'broken', c: 'broken', d: 'ok', x: 'ok' });
  });

  test('leaves the last good definitions in force until it is open again', () => {
    const files = filesWith({ ...CIRCLE, 'c.yaml': web('description: old') });
    const directory = directoryOf(files);
    expect(holds(directory.load())).toEqual({ a: 'ok', b: 'ok', c: 'ok', d: 'ok', x: 'ok' });
    files.write('/etc/pm/config.d/c.yaml', web('description: new', 'depends_on: [a]'));
    const closed = directory.load();
    expect(holds(closed)).toEqual({ a: 'last good', b: 'last good', c: 'last good', d: 'ok', x: 'ok' });
    expect(closed.services.get('c' as never)).toMatchObject({ spec: { description: 'old', depends_on: {} } });
    files.write('/etc/pm/config.d/a.yaml', web());
    const open = directory.load();
    expect(holds(open)).toEqual({ a: 'ok', b: 'ok', c: 'ok', d: 'ok', x: 'ok' });
    expect(open.services.get('c' as never)).toMatchObject({ spec: { description: 'new' } });
  });

  test('is found by check without a past', () => {
    const { problems } = directoryOf(filesWith(CIRCLE)).check();
    expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'dependency-cycle depends_on.b',
      'dependency-cycle depends_on.c',
      'dependency-cycle depends_on.a',
    ]);
  });
});

test('when the file of a dependency goes, whoever waits for it keeps its last good definition', () => {
  const files = filesWith({ 'api.yaml': web('depends_on: [db]'), 'db.yaml': web() });
  const directory = directoryOf(files);
  directory.load();
  files.remove('/etc/pm/config.d/db.yaml');
  const state = directory.load();
  expect(holds(state)).toEqual({ api: 'last good' });
  expect(sentences(state.problems)[0]).toContain(
    'config.d/api.yaml:3:14  depends_on.db: there is no service "db"',
  );
});

test('what stands in for a wrong definition is asked too', () => {
  const files = filesWith({ 'a.yaml': web('depends_on: [b]'), 'b.yaml': web() });
  const directory = directoryOf(files);
  directory.load();
  // b waits for nobody there is; the last good a, which waits for b, then makes the new c a part of a circle.
  files.write('/etc/pm/config.d/a.yaml', web('depends_on: [nobody]'));
  files.write('/etc/pm/config.d/b.yaml', web('depends_on: [a]'));
  const state = directory.load();
  expect(holds(state)).toEqual({ a: 'last good', b: 'last good' });
  expect(state.services.get('b' as never)).toMatchObject({ spec: { depends_on: {} } });
});

test('only a oneshot is ever completed', () => {
  const found = load({
    'api.yaml': web('depends_on: { init: completed, db: completed, job: completed }'),
    'init.yaml': web('  type: oneshot'),
    'db.yaml': web(),
    'job.yaml': web('  schedule: "@daily"'),
  });
  expect(found.says).toEqual([
    'config.d/api.yaml:3:32  depends_on.db: db is never completed, as it is no oneshot; wait for ready, or give db type: oneshot',
    'config.d/api.yaml:3:47  depends_on.job: job is never completed, as it is no oneshot; wait for ready, or give job type: oneshot',
  ]);
});

test('waiting for one that is switched off is no error, but told', () => {
  const found = load({
    'api.yaml': web('depends_on: [db, cache]'),
    'db.yaml': web('enabled: false'),
    'cache.yaml': web('instances: 0'),
    'off.yaml': web('enabled: false', 'depends_on: [db]'),
  });
  expect(found.holds).toEqual({ api: 'ok', db: 'ok', cache: 'ok', off: 'ok' });
  expect(found.state.problems.map(({ severity }) => severity)).toEqual(['warning', 'warning']);
  expect(found.says).toEqual([
    'config.d/api.yaml:3:14  depends_on.db: db is not enabled, so api waits until that changes',
    'config.d/api.yaml:3:18  depends_on.cache: cache has no instances, so api waits until that changes',
  ]);
});

test('a file that lies elsewhere and is checked alone may depend on others', () => {
  const files = filesWith({});
  files.write('/home/me/api.yaml', web('depends_on: [db]'));
  expect(directoryOf(files).check(['/home/me/api.yaml']).problems).toEqual([]);
});
