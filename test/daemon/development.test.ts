/** Which sources are watched when one desired state follows another? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { Development, type DevelopmentTools, ownLogs } from '../../src/daemon/development.ts';
import type { Settings } from '../../src/model/settings.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import { systemClock } from '../../src/world/clock.ts';
import { defined, name, run, situation } from '../builders.ts';

let ground: string;
let development: Development;
const restarted: string[] = [];
const reasons: (string | undefined)[] = [];

function newDevelopment(tools: Partial<DevelopmentTools> = {}): Development {
  return new Development({
    restart: async ({ services, reason }) => {
      restarted.push(...services);
      reasons.push(reason);
    },
    situation: (service) => situation({ name: service, desired: watching(service, service) }),
    clock: systemClock(),
    lasting: () => {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
    written: [],
    ...tools,
  });
}

beforeEach(() => {
  ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  for (const directory of ['a', 'b', 'mark']) fs.mkdirSync(join(ground, directory));
  restarted.length = 0;
  reasons.length = 0;
  development = newDevelopment();
});
afterEach(async () => {
  await development.close();
  fs.rmSync(ground, { recursive: true });
});

function watching(service: string, ...directories: readonly string[]): Defined {
  const paths = directories.map((each) => join(ground, each));
  const watch = paths.length === 0 ? null : { paths, ignore: [], debounce: 50 };
  return defined({ name: name(service), spec: { watch } });
}

function state(...services: readonly Defined[]): DesiredState {
  return {
    services: new Map(services.map((each) => [each.name, each])),
    problems: [],
    files: 1,
    readable: true,
  };
}

/** Who is restarted for this file, besides a service that is surely watched and has been restarted twice since. */
async function restartedFor(file: string): Promise<readonly string[]> {
  fs.writeFileSync(join(ground, file), 'x');
  for (const count of [1, 2]) {
    fs.writeFileSync(join(ground, 'mark', String(count)), 'x');
    const marks = () => restarted.filter((each) => each === 'mark').length;
    await expect.poll(marks, { timeout: 8000 }).toBe(count);
  }
  return restarted.filter((each) => each !== 'mark');
}

it('a state that comes while the one before it is still being followed has the last word', async () => {
  const mark = watching('mark', 'mark');
  await development.follow(state(watching('a', 'a'), mark), Date.now());
  const before = development.follow(state(watching('a', 'b'), watching('b', 'b'), mark), Date.now());
  const last = development.follow(state(watching('a'), watching('b'), mark), Date.now());
  await Promise.all([before, last]);
  expect(await restartedFor('b/file')).toEqual([]);
});

it('nothing is watched any more after the end, whatever came before it', async () => {
  const opening = development.follow(state(watching('a', 'a')), Date.now());
  await Promise.all([opening, development.close()]);
  await development.follow(state(watching('a', 'a')), Date.now());
  const witness = newDevelopment();
  onTestFinished(() => witness.close());
  await witness.follow(state(watching('mark', 'mark')), Date.now());
  expect(await restartedFor('a/file')).toEqual([]);
});

it('what the daemon writes into the watched directory restarts nothing, rotated or not', async () => {
  const log = { file: join(ground, 'a', 'daemon.log') } as Settings['log'];
  const written = ownLogs({ log, lifecycle_log: join(ground, 'a', 'life.log') });
  const other = newDevelopment({ written });
  onTestFinished(() => other.close());
  await other.follow(state(watching('a', 'a'), watching('mark', 'mark')), Date.now());
  for (const file of ['daemon.log', 'daemon.log.1', 'life.log'])
    fs.writeFileSync(join(ground, 'a', file), 'x');
  expect(await restartedFor('mark/file')).toEqual([]);
  fs.writeFileSync(join(ground, 'a', 'main.js'), 'x');
  await expect.poll(() => restarted, { timeout: 8000 }).toContain('a');
});

it('the restart tells what has changed, as seen from the watched directory', async () => {
  await development.follow(state(watching('mark', 'a', 'mark')), Date.now());
  fs.mkdirSync(join(ground, 'mark', 'src'));
  fs.writeFileSync(join(ground, 'mark', 'src', 'main.js'), 'x');
  await expect.poll(() => reasons, { timeout: 8000 }).toEqual(['src/main.js changed']);
});

it('what somebody has stopped is left alone, also by a restart that has waited, and its trouble ends with the watch', async () => {
  const waiting: (() => void)[] = [];
  const after = (_delay: number, wake: () => void) => {
    waiting.push(wake);
    return () => {};
  };
  let looks = 0;
  let intent = {};
  const problems: number[] = [];
  const stopping = newDevelopment({
    situation: (service) => {
      looks += 1;
      return situation({ name: service, desired: watching(service, service), intent, runs: [run()], now: 0 });
    },
    lasting: (_before, now) => problems.push(now.length),
    // As no time passes, each change comes right after a start.
    clock: { ...systemClock(), now: () => 0, after },
  });
  onTestFinished(() => stopping.close());
  await stopping.follow(state(watching('mark', 'mark')), Date.now());
  const save = (file: number) => fs.writeFileSync(join(ground, 'mark', String(file)), 'x');
  for (const count of [1, 2, 3, 4]) {
    save(count);
    await expect.poll(() => restarted).toHaveLength(count);
  }
  save(5);
  await expect.poll(() => waiting).toHaveLength(1);
  intent = { stopped: { by: 'bob', at: 0 } };
  waiting[0]?.();
  const before = { looks, waiting: waiting.length };
  save(6);
  await expect.poll(() => looks).toBeGreaterThan(before.looks);
  expect([restarted.length, waiting.length]).toEqual([4, before.waiting]);
  await stopping.close();
  expect(problems).toEqual([1, 0]);
});
