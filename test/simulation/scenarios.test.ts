/** Histories that once ended in a report, as short as they can be told. */
import { expect, it } from 'vitest';
import type { ServiceName } from '../../src/model/names.ts';
import { GOOD } from '../twins/program.ts';
import { Chance } from '../twins/random.ts';
import { drawFile } from './draw.ts';
import { report, runSteps } from './run-history.ts';
import { type FileText, QUIET } from './service-file.ts';
import type { Fate } from './simulation.ts';
import type { Step } from './steps.ts';

const WEB = 'web' as ServiceName;
const API = 'api' as ServiceName;
const DB = 'db' as ServiceName;
const web: FileText = {
  ...drawFile(new Chance(1, 'plain'), WEB),
  ...QUIET,
  ...{ enabled: true, policy: 'always', maxRestarts: 5, stopGrace: 1000, backoff: 200 },
  ...{ type: 'service', exitOn: 'auto', version: 1, instances: 1, stopCommand: false },
};
const readiness = { how: 'http', interval: 1000, timeout: 500, failures: 1, successes: 2, delay: 0 } as const;
const schedule = {
  cron: '*/10 * * * * *',
  overlap: 'skip',
  missed: 'skip',
  jitter: 0,
  maxTime: null,
} as const;
const job: FileText = { ...web, type: 'oneshot', schedule };
const fate: Fate = { away: 1000, loses: 'nothing', clock: 0 };
const reload: Step = { step: 'reload', only: null };

/** Eight times as many histories are read without YAML: both readers are tried. */
function tell(...steps: readonly Step[]): void {
  for (const seed of [1, 2, 3, 8, 16, 56]) {
    const failed = runSteps(seed, steps, undefined);
    if (failed !== undefined) expect.fail(report(failed));
  }
}

it('two runs in one place, left alone by a new daemon, are each asked whether they are ready', () => {
  tell(
    { step: 'add', text: { ...web, probes: { ...web.probes, readiness } } },
    reload,
    { step: 'wait', ms: 3000 },
    { step: 'command', verb: 'hold', service: WEB },
    { step: 'double', service: WEB },
    { step: 'die', politely: false, fate },
    { step: 'wait', ms: 5000 },
  );
});

it('a definition that comes while two of older ones are in the place keeps the one that served', () => {
  const startup = { ...readiness, how: 'exec', delay: 1500, interval: 30_000 } as const;
  tell(
    { step: 'add', text: { ...web, probes: { ...web.probes, startup } } },
    reload,
    { step: 'wait', ms: 10 },
    { step: 'add', text: { ...web, version: 2, surge: 1, overlap: 5000 } },
    reload,
    { step: 'wait', ms: 600 },
    { step: 'edit', service: WEB, change: { version: 3 } },
    reload,
    { step: 'wait', ms: 1000 },
  );
});

it('a probe that is taken out of the file lets the roll-out go on from then', () => {
  tell(
    { step: 'add', text: { ...web, surge: 1, overlap: 5000, probes: { ...web.probes, readiness } } },
    reload,
    { step: 'wait', ms: 5000 },
    { step: 'command', verb: 'restart', service: WEB },
    { step: 'wait', ms: 50 },
    { step: 'edit', service: WEB, change: { probes: web.probes } },
    reload,
    { step: 'wait', ms: 7000 },
  );
});

it('a change that is taken back costs only what it brought, also while the version before is not ready', () => {
  const busy = { ...GOOD, health: { ...GOOD.health, flaps: 8000 } };
  tell(
    { step: 'program', path: '/srv/web-1', program: busy },
    { step: 'add', text: { ...web, surge: 1, overlap: 5000, probes: { ...web.probes, readiness } } },
    reload,
    { step: 'wait', ms: 9000 },
    { step: 'edit', service: WEB, change: { version: 2 } },
    reload,
    { step: 'wait', ms: 1500 },
    { step: 'edit', service: WEB, change: { version: 1 } },
    reload,
    { step: 'wait', ms: 5000 },
  );
});

it('a broken file that would end a schedule leaves it in force', () => {
  tell(
    { step: 'add', text: job },
    reload,
    { step: 'wait', ms: 25_000 },
    { step: 'edit', service: WEB, change: { schedule: null } },
    { step: 'break', service: WEB },
    reload,
  );
});

it('a file that would end a schedule, and waits for a service that is not there, leaves it in force', () => {
  tell(
    { step: 'add', text: job },
    reload,
    { step: 'wait', ms: 25_000 },
    {
      step: 'edit',
      service: WEB,
      change: { type: 'service', schedule: null, dependsOn: { [API]: 'started' } },
    },
    reload,
  );
});

it('a run that nobody remembers has passed its startup probe for those that need it as well', () => {
  const startup = { ...readiness, how: 'exec', delay: 1500, interval: 15_000 } as const;
  const api = { ...web, name: API, type: 'oneshot', probes: { ...web.probes, startup } } as const;
  tell(
    { step: 'add', text: api },
    { step: 'add', text: { ...web, dependsOn: { [API]: 'ready' } } },
    reload,
    { step: 'wait', ms: 50 },
    { step: 'double', service: API },
    { step: 'wait', ms: 50 },
    reload,
  );
});

it('of two runs in one place the one that goes on says how the place ended', () => {
  tell(
    {
      step: 'add',
      text: { ...web, policy: 'never', hooks: { ...web.hooks, pre_stop: 2000, post_stop: 200 } },
    },
    reload,
    { step: 'wait', ms: 5000 },
    { step: 'double', service: WEB },
    { step: 'wait', ms: 10 },
    { step: 'murder', service: WEB, which: 1, signal: 'SIGKILL' },
  );
});

it('a file that was gone when another was deployed, and comes back broken, leaves its definition', () => {
  tell(
    { step: 'add', text: web },
    { step: 'add', text: { ...web, name: API } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'remove_file', service: WEB },
    { step: 'reload', only: [API] },
    { step: 'add', text: { ...web, version: 2 } },
    { step: 'break', service: WEB },
    reload,
    { step: 'wait', ms: 1000 },
  );
});

it('a version that ends at once beside the one that serves does not complete the service', () => {
  const brief = { ...GOOD, ends: { how: 'exit', code: 0, after: 30 } } as const;
  tell(
    { step: 'program', path: '/srv/api-2', program: brief },
    { step: 'add', text: { ...web, name: API, surge: 1, policy: 'never' } },
    { step: 'add', text: { ...web, dependsOn: { [API]: 'completed' } } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: API, change: { version: 2 } },
    reload,
    { step: 'wait', ms: 1000 },
  );
});

it('nothing waits for a roll-out that waits for what is down', () => {
  for (const surge of [0, 1]) {
    tell(
      { step: 'add', text: { ...web, name: DB } },
      { step: 'add', text: { ...web, name: API, surge, dependsOn: { [DB]: 'started' } } },
      { step: 'add', text: { ...web, surge, dependsOn: { [API]: 'ready' } } },
      reload,
      { step: 'wait', ms: 1000 },
      { step: 'command', verb: 'stop', service: DB },
      { step: 'wait', ms: 3000 },
      { step: 'edit', service: API, change: { version: 2 } },
      { step: 'edit', service: WEB, change: { version: 2 } },
      reload,
    );
  }
});

it('an approved removal stays so when the daemon that saw the file come back dies before it says so', () => {
  const once = { ...GOOD, ends: { how: 'exit', code: 0, after: 400 } } as const;
  for (const calls of [1, 2, 3, 4]) {
    tell(
      { step: 'program', path: '/srv/web-1-once', program: once },
      { step: 'add', text: { ...web, type: 'oneshot' } },
      reload,
      { step: 'wait', ms: 2000 },
      { step: 'remove_file', service: WEB },
      reload,
      { step: 'crash', calls, moment: 'after', fate },
      { step: 'prune' },
      { step: 'wait', ms: 500 },
      { step: 'crash', calls: 1, moment: 'before', fate },
      { step: 'add', text: web },
      { step: 'wait', ms: 1000 },
      { step: 'remove_file', service: WEB },
      { step: 'wait', ms: 2000 },
    );
  }
});

it('a stop command that fails when its run was killed already is followed by no signal', () => {
  const stopCommand = { after: 600, code: 1, works: false };
  tell(
    { step: 'program', path: '/srv/web-1', program: { ...GOOD, stopCommand, killTakes: 8000 } },
    { step: 'add', text: { ...web, stopCommand: true, stopGrace: 100 } },
    reload,
    { step: 'wait', ms: 500 },
    { step: 'command', verb: 'stop', service: WEB },
    { step: 'wait', ms: 10_000 },
  );
});

it('a run of a schedule whose launcher outlives its daemon is the only one for its time', () => {
  for (const calls of [1, 2, 3, 4, 5, 6]) {
    tell(
      { step: 'add', text: job },
      reload,
      { step: 'wait', ms: 15_000 },
      { step: 'crash', calls, moment: 'within', fate: { ...fate, away: 1 } },
      { step: 'wait', ms: 15_000 },
    );
  }
});

it('a version that is not ready in time leaves its place to the one that serves', () => {
  const never = { ...GOOD, health: { ...GOOD.health, readyAfter: null } };
  tell(
    { step: 'add', text: { ...web, surge: 1, probes: { ...web.probes, readiness } } },
    reload,
    { step: 'wait', ms: 5000 },
    { step: 'program', path: '/srv/web-2', program: never },
    { step: 'edit', service: WEB, change: { version: 2 } },
    reload,
    { step: 'wait', ms: 170_000 },
  );
});

it('what was read, and not followed, is followed by no later daemon either', () => {
  tell(
    { step: 'add', text: web },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: WEB, change: { version: 2 } },
    { step: 'reload', only: [API] },
    { step: 'edit', service: WEB, change: { dependsOn: { [API]: 'completed' } } },
    reload,
  );
});

it('what is followed while the disk is full is what a later daemon falls back to', () => {
  tell(
    { step: 'add', text: web },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: WEB, change: { version: 2 } },
    { step: 'disk_full', ms: 500 },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: WEB, change: { dependsOn: { [API]: 'completed' } } },
    reload,
  );
});

it('whoever ran out of memory has failed, also in the eyes of a daemon that did not start it', () => {
  const hungry = { ...GOOD, ends: { how: 'signal', signal: 'SIGKILL', oom: true, after: 3000 } } as const;
  tell(
    { step: 'program', path: '/srv/api-1', program: hungry },
    { step: 'add', text: { ...web, name: API, policy: 'on_failure', maxRestarts: 0, retryAfter: null } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'die', politely: true, fate },
    { step: 'wait', ms: 5000 },
    { step: 'add', text: { ...web, dependsOn: { [API]: 'started' } } },
    reload,
  );
});

it('nobody waits for what survived SIGKILL for long by a clock that was set forward', () => {
  const slow = { ...GOOD, onStop: { how: 'ignores' }, killTakes: 5000 } as const;
  tell(
    { step: 'program', path: '/srv/web-1', program: slow },
    { step: 'add', text: { ...web, name: API } },
    { step: 'add', text: { ...web, stopGrace: 3000, dependsOn: { [API]: 'started' } } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'shutdown', patience: 1000, fate: { ...fate, away: 10, clock: 1_000_000 } },
    { step: 'wait', ms: 50 },
    { step: 'shutdown', patience: 1000, fate },
  );
});

it('a one-shot that completed may run again when another definition was followed meanwhile', () => {
  for (const calls of [1, 2, 3, 4, 5]) {
    tell(
      { step: 'wakes', how: 'unsure' },
      { step: 'add', text: { ...web, type: 'oneshot' } },
      reload,
      { step: 'wait', ms: 44 },
      { step: 'crash', calls, moment: 'within', fate },
      { step: 'wait', ms: 900 },
      { step: 'edit', service: WEB, change: { version: 2 } },
      { step: 'reload', only: [WEB] },
      { step: 'wait', ms: 20 },
      { step: 'edit', service: WEB, change: { version: 1 } },
      { step: 'wait', ms: 2000 },
    );
  }
});

it('what is left of a run that is being stopped belongs to its stop, also for another daemon', () => {
  const child = { after: 0, lives: null, ignoresStop: true };
  const left = { ...GOOD, child, onStop: { how: 'dies', after: 5, code: null } } as const;
  const stopping: readonly Step[] = [
    { step: 'program', path: '/srv/web-1', program: left },
    { step: 'add', text: { ...web, stopGrace: 3000 } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: WEB, change: { version: 2 } },
    reload,
    { step: 'wait', ms: 1000 },
  ];
  tell(...stopping, { step: 'wait', ms: 5000 });
  tell(...stopping, { step: 'die', politely: true, fate: { ...fate, away: 10 } }, { step: 'wait', ms: 5000 });
});

it('a hook before a stop that a daemon took along is run by the next one', () => {
  const hooks = { ...GOOD.hooks, pre_stop: { after: 1000, code: 0 } };
  tell(
    { step: 'program', path: '/srv/web-1', program: { ...GOOD, hooks, onStop: { how: 'ignores' } } },
    { step: 'add', text: { ...web, stopGrace: 3000, hooks: { ...web.hooks, pre_stop: 2000 } } },
    reload,
    { step: 'wait', ms: 1000 },
    { step: 'command', verb: 'stop', service: WEB },
    { step: 'wait', ms: 500 },
    { step: 'die', politely: true, fate: { ...fate, away: 10 } },
    { step: 'wait', ms: 8000 },
  );
});

it('what was stopped by hand, and whose file was away for a moment, is not started when that is back', () => {
  const file = { step: 'add', text: { ...web, name: API } } as const;
  const gone: readonly Step[] = [
    { step: 'add', text: web },
    file,
    reload,
    { step: 'wait', ms: 2000 },
    { step: 'command', verb: 'stop', service: WEB },
    { step: 'wait', ms: 2000 },
    { step: 'remove_file', service: WEB },
    reload,
    { step: 'wait', ms: 2000 },
  ];
  const back: readonly Step[] = [{ step: 'add', text: web }, reload, { step: 'wait', ms: 3000 }];
  tell(...gone, ...back);
  for (const calls of [1, 2, 3]) tell(...gone, { step: 'crash', calls, moment: 'before', fate }, ...back);
  tell(...gone, { step: 'die', politely: false, fate }, ...back, { step: 'die', politely: false, fate });
});

it('what the guard held back is held back by the next daemon as well, however little is left of it', () => {
  const names = [WEB, API, DB, 'cache' as ServiceName];
  tell(
    ...names.map((name): Step => ({ step: 'add', text: { ...web, name } })),
    reload,
    { step: 'wait', ms: 2000 },
    { step: 'remove_file', service: WEB },
    { step: 'remove_file', service: API },
    reload,
    { step: 'add', text: web },
    { step: 'die', politely: false, fate },
    { step: 'wait', ms: 3000 },
  );
});
