/** When is a command answered? */
import { expect, onTestFinished, test, vi } from 'vitest';
import { type ControlTools, LocalControl } from '../../src/daemon/control.ts';
import { Views } from '../../src/daemon/views.ts';
import { SmallDaemon } from './small-daemon.ts';

function controlOf(daemon: SmallDaemon): LocalControl {
  const tools: Partial<ControlTools> = {
    world: {
      clock: daemon.clock,
      containment: { usage: () => ({}), members: () => [], figures: () => ({}) },
    } as unknown as ControlTools['world'],
    loop: daemon.loop,
    journal: { listen: () => () => {} } as unknown as ControlTools['journal'],
    setEnabled: () => 'same',
    note: () => {},
    trouble: { problems: [] } as unknown as ControlTools['trouble'],
    logs: { problems: [] } as unknown as ControlTools['logs'],
    syncProblems: () => [],
  };
  return new LocalControl(tools as ControlTools);
}

/** What is answered within so many milliseconds. */
async function answeredWithin<Answer>(
  daemon: SmallDaemon,
  time: number,
  asked: Promise<Answer>,
): Promise<Answer | undefined> {
  let answer: Answer | undefined;
  void asked.then((got) => {
    answer = got;
  });
  for (let passed = 0; passed < time && answer === undefined; passed++) {
    daemon.pass(1);
    await new Promise(setImmediate);
  }
  return answer;
}

function daemonWithWeb(): SmallDaemon {
  const daemon = new SmallDaemon();
  daemon.save('web');
  daemon.loop.reload();
  daemon.pass(30_000);
  return daemon;
}

test.each([
  ['ready', true],
  ['stopped', false],
] as const)('waiting for %s without any time is judged by how the service is now', async (goal, met) => {
  const daemon = daemonWithWeb();
  const control = controlOf(daemon);
  const asked = control.wait({ service: 'web', for: goal, timeout: 0 });
  expect(await answeredWithin(daemon, 100, asked)).toMatchObject({ met });
});

test('waiting without any time says what has happened, also what nobody has looked at yet', async () => {
  const daemon = daemonWithWeb();
  daemon.crash('web');
  const asked = controlOf(daemon).wait({ service: 'web', for: 'ready', timeout: 0 });
  expect(await answeredWithin(daemon, 100, asked)).toMatchObject({ met: false });
});

test('what is deleted while somebody waits for it is not known any more; that it is stopped, is true', async () => {
  const daemon = daemonWithWeb();
  daemon.save('db');
  daemon.loop.reload();
  daemon.pass(1000);
  const wait = async (goal: 'completed' | 'stopped') => ({
    answer: await controlOf(daemon).wait({ service: 'web', for: goal, timeout: 5000 }),
  });
  const [completed, stopped] = [wait('completed'), wait('stopped')];
  daemon.files.delete('web');
  daemon.loop.reload();
  expect(await answeredWithin(daemon, 4000, stopped)).toMatchObject({ answer: { met: true } });
  expect(await answeredWithin(daemon, 6000, completed)).toEqual({ answer: undefined });
});

test('a status keeps nothing of services that are not in it any more', () => {
  const daemon = daemonWithWeb();
  const only = vi.spyOn(Views.prototype, 'only');
  onTestFinished(() => only.mockRestore());
  const control = controlOf(daemon);
  control.status();
  control.stats();
  expect(only.mock.calls).toEqual([[['web']], [['web']]]);
});

test('enabling what is enabled already is answered at once, also while nothing else happens', async () => {
  const daemon = daemonWithWeb();
  const control = controlOf(daemon);
  let answer: unknown;
  void control.command({ verb: 'enable', services: ['web'], by: 'bob', wait: 60_000 }).then((view) => {
    answer = view;
  });
  daemon.pass(100);
  await new Promise(setImmediate);
  expect(answer).toMatchObject({
    results: [{ service: 'web', result: 'done', detail: expect.stringMatching(/^enabled already; /) }],
  });
});
