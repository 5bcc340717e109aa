import { expect, test } from 'vitest';
import type { DeleteRequest } from '../../src/api/definition.ts';
import type { Asked, FakeDaemon } from './fake-daemon.ts';
import { fakeDaemon, run, statusView } from './fake-daemon.ts';
import { restingView, serviceView } from './sample-views.ts';

function daemonWith(refused: readonly string[] = []): Promise<FakeDaemon> {
  return fakeDaemon({
    'GET /api/status': statusView([serviceView('api'), restingView('old'), serviceView('web')]),
    'POST /api/delete': ({ body }: Asked) => ({
      results: (body as DeleteRequest).services.map((service) =>
        refused.includes(service)
          ? { service, result: 'refused', detail: 'held by bob' }
          : { service, result: 'done', detail: `config.d/${service}.yaml is removed` },
      ),
    }),
  });
}

test('asks for the named services and says what became of them', async () => {
  const daemon = await daemonWith();
  expect(await run(daemon, 'delete web old')).toEqual({
    exit: 0,
    out: 'old  deleted  config.d/old.yaml is removed\nweb  deleted  config.d/web.yaml is removed\n',
    err: '',
  });
  const [asked] = daemon.askedFor('POST /api/delete');
  expect(asked?.body).toEqual({ services: ['old', 'web'], wait: 60_000 });
});

test('one unknown name and nothing is deleted', async () => {
  const daemon = await daemonWith();
  const { exit, err } = await run(daemon, 'delete web apj');
  expect(err).toContain('no service is called "apj"; did you mean api?');
  expect(exit).toBe(3);
  expect(daemon.askedFor('POST /api/delete')).toEqual([]);
});

test.each([
  { refused: ['web'], exit: 1, of: 'delete web' },
  { refused: ['web'], exit: 5, of: 'delete web api' },
])('$of, where web is refused, exits with $exit', async ({ refused, exit, of }) => {
  expect((await run(await daemonWith(refused), of)).exit).toBe(exit);
});

test.each(['delete', 'delete all', 'delete -l a=b'])('%s is wrong usage', async (command) => {
  const daemon = await daemonWith();
  expect((await run(daemon, command)).exit).toBe(64);
  expect(daemon.asked).toEqual([]);
});

test('--json prints the results, --no-wait waits for nothing', async () => {
  const daemon = await daemonWith();
  const { out } = await run(daemon, 'delete web --json --no-wait');
  expect(JSON.parse(out)).toMatchObject({ results: [{ service: 'web', result: 'done' }] });
  expect(daemon.askedFor('POST /api/delete')[0]?.body).toMatchObject({ wait: 0 });
});
