import { expect, it } from 'vitest';
import { RemovedLogs } from '../../src/daemon/removed-logs.ts';
import type { Problem } from '../../src/model/problem.ts';
import { WEB } from '../builders.ts';

it('a log that was removed is told of its service until that writes to another', () => {
  const lost = new Map([[7, ['/logs/out.log']]]);
  let pids = [6, 7];
  const told: string[] = [];
  const logs = new RemovedLogs({
    pids: () => pids,
    removedOutputs: (pid) => lost.get(pid) ?? [],
    services: () => [WEB],
    reports: {
      lasting: (before: readonly Problem[], now: readonly Problem[]) =>
        told.push(...before.map(({ code }) => `- ${code}`), ...now.map(({ code }) => `+ ${code}`)),
    },
  });
  expect(logs.problems).toEqual([]);
  logs.look();
  logs.look();
  expect(logs.problems).toMatchObject([{ code: 'log-removed', service: WEB, severity: 'warning' }]);
  expect(logs.problems[0]?.message).toContain('/logs/out.log was removed while web writes to it');
  expect(told).toEqual(['+ log-removed']);
  pids = [8];
  expect(logs.of(WEB)).toEqual([]);
  logs.look();
  expect(told).toEqual(['+ log-removed', '- log-removed']);
  expect(logs.problems).toEqual([]);
});
