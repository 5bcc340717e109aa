/** Where may services be left running when the daemon ends, and which count as left? */
import { expect, test } from 'vitest';
import { endOf, tellLeft } from '../../src/daemon/leaving.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import { name, run, runsRemembered, situation } from '../builders.ts';

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
  expect(endOf('no', false, tools)).toEqual({ stopServices: !may, isUnderWay: false });
  expect(endOf('no', true, tools)).toEqual({ stopServices: true, isUnderWay: false });
});

test.each([
  ['leaving', false],
  ['stopping', true],
] as const)('what was asked first counts: %s', (ending, stopServices) => {
  for (const asked of [true, false]) {
    const told = endOf(ending, asked, { host: { isInit: false } });
    expect(told).toEqual({ stopServices, isUnderWay: true });
  }
});

test.each<[string[], unknown[]]>([
  [[], []],
  [['web'], [expect.stringMatching(/^1 service \(web\) goes on, /)]],
  [['a', 'b', 'c', 'd', 'e', 'f'], [expect.stringMatching(/^6 services \(a, b, c, d, e, …\) go on, /)]],
])('of what goes on it is told when the daemon ends: %j', (running, said) => {
  const glance = (service: string): Glance => ({
    ...situation(running.includes(service) ? { memory: { runs: runsRemembered([run(), {}]) } } : {}),
    decision: undefined,
  });
  const lines: string[] = [];
  const names = () => [...running, 'completed'].map((each) => name(each));
  tellLeft({ names, glance }, { info: (_fields, line) => lines.push(line) });
  expect(lines).toEqual(said);
});
