/** When is a command answered? */
import { expect, test } from 'vitest';
import { type ControlTools, LocalControl } from '../../src/daemon/control.ts';
import { SmallDaemon } from './small-daemon.ts';

test('enabling what is enabled already is answered at once, also while nothing else happens', async () => {
  const daemon = new SmallDaemon();
  daemon.save('web');
  daemon.loop.reload();
  daemon.pass(30_000);
  const tools: Partial<ControlTools> = {
    world: { clock: daemon.clock } as ControlTools['world'],
    loop: daemon.loop,
    journal: { listen: () => () => {} } as unknown as ControlTools['journal'],
    setEnabled: () => 'same',
    note: () => {},
  };
  const control = new LocalControl(tools as ControlTools);
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
