import { expect, it } from 'vitest';
import { Sync, type SyncTools } from '../../src/daemon/sync.ts';
import type { Problem } from '../../src/model/problem.ts';
import { systemFiles } from '../../src/world/files.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

it('a synchronisation that breaks ends neither the daemon nor the next one', async () => {
  const agenda = new Agenda();
  const time = { now: 0 };
  const complaints: Problem[] = [];
  let looks = 0;
  const never = (): never => {
    throw new Error('is not asked');
  };
  const tools: SyncTools = {
    checkout: () => {
      looks += 1;
      throw new Error('a mistake of ours');
    },
    directory: '/config.d',
    files: systemFiles(),
    clock: simulatedClock(time, 0, agenda),
    interval: 1000,
    readAs: never,
    planned: never,
    reconcile: never,
    frozen: () => undefined,
    complain: (problem) => complaints.push(problem),
    tell: never,
  };
  const sync = new Sync(tools);
  sync.begin();
  for (let round = 1; round <= 3; round++) {
    time.now += 1000;
    agenda.take(time.now)?.act();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(looks).toBe(round);
  }
  expect(complaints).toMatchObject([{ code: 'sync-refused', message: 'Error: a mistake of ours' }]);
  sync.close();
});
