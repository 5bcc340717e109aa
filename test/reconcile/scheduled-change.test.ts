import { expect, it } from 'vitest';
import { changeOf } from '../../src/reconcile/change.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, run, schedule, situation, spec } from '../builders.ts';

const nightly = schedule('0 3 * * *', { timezone: null });
const desired = defined({ spec: { process: { schedule: nightly } } });

it('another time of a job that does not run now is in the plan, and touches no process', () => {
  const before = spec({ process: { schedule: { ...nightly, cron: '0 4 * * *' } } });
  const now = situation({ desired, applied: { a: before } });
  expect(changeOf(now)).toMatchObject({ action: 'live', because: [{ path: 'process.schedule.cron' }] });
  expect(decide(now).actions).toMatchObject([{ do: 'apply_live' }]);
});

it('a job that is as it was is no change', () => {
  const now = situation({ desired, applied: { a: desired.spec } });
  expect(changeOf(now)).toBeUndefined();
  expect(decide(now).actions).toEqual([]);
});

it('a whole schedule, probe or hook is named by what a person would name it by', () => {
  const readiness = {
    how: { tcp: { host: 'db', port: 5432 } },
    interval: 1000,
    timeout: 500,
    failure_threshold: 3,
    success_threshold: 1,
    initial_delay: 0,
  } as const;
  const hooks = { pre_stop: { command: ['sleep', '1'], timeout: 5000 } };
  const wanted = defined({ spec: { process: { schedule: nightly }, probes: { readiness }, hooks } });
  const change = changeOf(situation({ desired: wanted, runs: [run()], applied: { a: spec() } }));
  expect(change?.because.map(({ path, from, to }) => [path, from, to])).toEqual([
    ['hooks.pre_stop', 'none', '["sleep","1"]'],
    ['probes.readiness', 'none', '{"tcp":{"host":"db","port":5432}}'],
    ['process.schedule', 'none', '"0 3 * * *"'],
  ]);
});
