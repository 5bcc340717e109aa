import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Sync } from '../../src/daemon/sync.ts';
import type { SyncTools } from '../../src/daemon/sync-tools.ts';
import { Unfinished } from '../../src/daemon/unfinished.ts';
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
    onFailure: 'stop',
    unfinished: new Unfinished(systemFiles(), '/nowhere/at/all'),
    changed: never,
    readAs: never,
    planned: never,
    pending: never,
    troubled: (_, now) => complaints.push(...now),
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

it('half a checkout stays one as long as nobody can tell, and is looked at ever more seldom', async () => {
  const ground = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  const directory = join(ground, 'config.d');
  const unfinished = new Unfinished(systemFiles(), ground);
  expect(unfinished.begin({ branch: 'main', from: '1', to: '2', at: 0 })).toBeUndefined();
  const agenda = new Agenda();
  const time = { now: 0 };
  const complaints: Problem[] = [];
  const told: string[] = [];
  const looks: number[] = [];
  let find = (): undefined => {
    throw new Error('no such luck');
  };
  const never = (): never => {
    throw new Error('is not asked');
  };
  const sync = new Sync({
    checkout: () => {
      looks.push(time.now);
      return find();
    },
    directory,
    files: systemFiles(),
    clock: simulatedClock(time, 0, agenda),
    interval: null,
    onFailure: 'stop',
    unfinished,
    changed: () => told.push('changed'),
    readAs: never,
    planned: never,
    pending: never,
    troubled: never,
    reconcile: never,
    frozen: () => undefined,
    complain: (problem) => complaints.push(problem),
    tell: (message) => told.push(message),
  });
  const pass = async (instant: number) => {
    while ((agenda.next ?? Number.POSITIVE_INFINITY) <= instant) {
      time.now = Math.max(time.now, agenda.next ?? 0);
      agenda.take(time.now)?.act();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    time.now = instant;
  };
  await sync.settle();
  await pass(3_600_000);
  expect(looks.slice(0, 3)).toEqual([0, 5000, 15_000]);
  expect(looks.length).toBeGreaterThan(55);
  expect(looks.length).toBeLessThan(65);
  expect(complaints.map(({ message }) => message)).toEqual([expect.stringContaining('no such luck')]);
  // Not mounted yet.
  find = () => undefined;
  await pass(3_700_000);
  expect(sync.unknown?.unknown).toContain(`${directory} cannot be looked at (ENOENT)`);
  fs.mkdirSync(directory);
  await pass(3_800_000);
  expect(sync.unknown).toBeUndefined();
  expect(told).toEqual(['the checkout is whole again (elsewhere)', 'changed']);
  sync.close();
});
