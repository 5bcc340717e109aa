import { expect, it } from 'vitest';
import { RemovedLogs } from '../../src/daemon/removed-logs.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import * as b from '../builders.ts';

const { WEB } = b;

function watched(situation: () => Situation, removedOutputs: (pid: number) => readonly string[]) {
  const told: string[] = [];
  const asked: unknown[] = [];
  const logs = new RemovedLogs({
    situation,
    removedOutputs: (pid, given) => {
      asked.push({ pid, logs: given });
      return removedOutputs(pid);
    },
    services: () => [WEB],
    reports: {
      lasting: (before: readonly Problem[], now: readonly Problem[]) =>
        told.push(...before.map(({ code }) => `- ${code}`), ...now.map(({ code }) => `+ ${code}`)),
    },
  });
  return { logs, told, asked };
}

it('a log that was removed is told of its service until that writes to another', () => {
  let pid = 7;
  const { logs, told } = watched(
    () => b.situation({ runs: [b.run({ main: { is: 'running', pid } })] }),
    (asked) => (asked === 7 ? ['/logs/out.log'] : []),
  );
  expect(logs.problems).toEqual([]);
  logs.look();
  logs.look();
  expect(logs.problems).toMatchObject([{ code: 'log-removed', service: WEB, severity: 'warning' }]);
  expect(logs.problems[0]?.message).toContain('/logs/out.log was removed while web writes to it');
  expect(told).toEqual(['+ log-removed']);
  pid = 8;
  expect(logs.of(WEB)).toEqual([]);
  logs.look();
  expect(told).toEqual(['+ log-removed', '- log-removed']);
  expect(logs.problems).toEqual([]);
});

it('each process that runs is asked about the logs of its own instance, and none that is being stopped', () => {
  const desired = b.defined({ spec: { logs: { stdout: '/logs/out-${instance}.log' } } });
  const going = b.run({ slot: 3 });
  const { logs, asked } = watched(
    () =>
      b.situation({
        desired,
        runs: [b.run(), b.run({ slot: 1, hash: 'b' }), b.mainEnded(b.exited(0), { slot: 2 }), going],
        applied: { b: b.spec({ logs: { stdout: '/logs/before.log' } }) },
        memory: { runs: b.runsRemembered([going, { stop: b.stopProgress() }]) },
      }),
    () => [],
  );
  logs.look();
  expect(asked).toEqual([
    { pid: 100, logs: ['/logs/out-0.log', '/srv/web/stderr.log'] },
    { pid: 101, logs: ['/logs/before.log', '/srv/web/stderr.log'] },
  ]);
});
