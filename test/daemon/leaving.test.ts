/** Where may services be left running when the daemon ends? */
import { expect, test } from 'vitest';
import { mayLeaveServices } from '../../src/daemon/leaving.ts';

test.each([
  ['a daemon with a directory', { host: { isInit: false } }, true],
  [
    'a manager whose state directory stays',
    { host: { isInit: false }, foreground: { canLeave: true } },
    true,
  ],
  [
    'a manager that takes its state directory along',
    { host: { isInit: false }, foreground: { canLeave: false } },
    false,
  ],
  ['process 1 of a container', { host: { isInit: true } }, false],
  [
    'process 1 with a state directory that stays',
    { host: { isInit: true }, foreground: { canLeave: true } },
    false,
  ],
] as const)('%s', (_, tools, may) => {
  expect(mayLeaveServices(tools)).toBe(may);
});
