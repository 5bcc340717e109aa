/** Which history belongs to a seed? */
import type { ServiceName } from '../../src/model/names.ts';
import type { Dependency } from '../../src/model/spec.ts';
import { GOOD, type Program } from '../twins/program.ts';
import { Chance } from '../twins/random.ts';
import { type FileText, type ProbeText, programOf, QUIET } from './service-file.ts';
import type { Fate } from './simulation.ts';
import type { Step } from './steps.ts';

const NAMES = ['api', 'db', 'job', 'mail', 'web', 'cron', 'auth', 'log', 'dns', 'ftp'] as ServiceName[];

/** Files at the beginning, then steps with time between them. */
export function drawHistory(seed: number): readonly Step[] {
  const chance = new Chance(seed, 'history');
  const names = NAMES.slice(
    0,
    chance.weighed({ few: 6, some: 3, many: 1 }) === 'few' ? chance.between(1, 2) : chance.between(3, 8),
  ) as [ServiceName, ...ServiceName[]];
  const steps: Step[] = [];
  if (chance.happens(0.5)) steps.push({ step: 'wakes', how: 'unsure' });
  for (const name of names) {
    steps.push({ step: 'add', text: drawFile(chance, name) });
    if (chance.happens(0.5)) steps.push(drawProgram(chance, name));
  }
  steps.push({ step: 'reload', only: null });
  for (let count = chance.between(4, 22); count > 0; count--) {
    const ms = chance.weighed({ none: 2, moment: 4, while: 4, long: 1 });
    if (ms !== 'none') {
      const [least, most] = ms === 'moment' ? [1, 60] : ms === 'while' ? [100, 5000] : [5000, 90_000];
      steps.push({ step: 'wait', ms: chance.between(least, most) });
    }
    steps.push(...drawStep(chance, names));
  }
  return steps;
}

function drawStep(chance: Chance, names: readonly [ServiceName, ...ServiceName[]]): readonly Step[] {
  const service = chance.pick(names);
  const kind = chance.weighed({
    edit: 8,
    lifecycle: 2,
    file: 4,
    mass: 1,
    directory: 1,
    reload: 1,
    prune: 0.5,
    program: 4,
    murder: 4,
    command: 10,
    crash: 5,
    die: 2,
    blind: 2,
    stubborn: 2,
    double: 0.5,
    disk_full: 1,
    wakes: 1,
    shutdown: 0.5,
  });
  const reload: Step = { step: 'reload', only: chance.happens(0.2) ? [service] : null };
  switch (kind) {
    case 'edit':
      return [{ step: 'edit', service, change: drawEdit(chance) }, reload];
    case 'lifecycle':
      return [{ step: 'edit', service, change: drawLifecycleEdit(chance, service) }, reload];
    case 'file': {
      if (chance.happens(0.15)) {
        // The file is edited, but another service is deployed; then it breaks.
        const other = chance.pick(names);
        return [
          { step: 'edit', service, change: drawEdit(chance) },
          { step: 'reload', only: [other] },
          { step: 'break', service },
          reload,
        ];
      }
      const step = chance.pick(['break', 'mend', 'remove_file', 'mend'] as const);
      if (chance.happens(0.3)) return [{ step: 'add', text: drawFile(chance, service) }, reload];
      return [{ step, service }, reload];
    }
    case 'mass':
      return [...names.map((name): Step => ({ step: 'remove_file', service: name })), reload];
    case 'directory':
      return [
        { step: 'directory', condition: chance.pick(['there', 'there', 'empty', 'unreadable']) },
        reload,
      ];
    case 'reload':
      return [reload];
    case 'prune':
      return [{ step: 'prune' }];
    case 'program':
      return [drawProgram(chance, service)];
    case 'murder': {
      const signal = chance.pick(['SIGKILL', 'SIGSEGV', 'SIGTERM'] as const);
      return [{ step: 'murder', service, which: chance.between(0, 5), signal }];
    }
    case 'command':
      return [drawCommand(chance, service)];
    case 'crash': {
      const moment = chance.pick(['before', 'after', 'within'] as const);
      return [{ step: 'crash', calls: chance.between(1, 6), moment, fate: drawFate(chance) }];
    }
    case 'die':
      return [{ step: 'die', politely: chance.happens(0.4), fate: drawFate(chance) }];
    case 'blind': {
      const what = chance.pick(['tree', 'service', 'run'] as const);
      return [{ step: 'blind', what, service, ms: chance.between(100, 20_000) }];
    }
    case 'stubborn':
      return [{ step: 'stubborn', ms: chance.between(100, 5000) }];
    case 'double':
      return [{ step: 'double', service }];
    case 'disk_full':
      return [{ step: 'disk_full', ms: chance.between(100, 15_000) }];
    case 'wakes':
      return [{ step: 'wakes', how: chance.pick(['prompt', 'unsure']) }];
    case 'shutdown':
      return [{ step: 'shutdown', patience: chance.between(0, 15_000), fate: drawFate(chance) }];
  }
}

function drawFate(chance: Chance): Fate {
  return {
    away: chance.between(0, chance.pick([3, 100, 15_000])),
    loses: chance.weighed({
      nothing: 20,
      memory: 3,
      memory_garbled: 1,
      definitions: 2,
      everything: 2,
      reboot: 2,
    }),
    clock: chance.happens(0.15) ? chance.between(-3_600_000, 3_600_000) : 0,
  };
}

function drawCommand(chance: Chance, service: ServiceName): Step {
  const verb = chance.weighed({
    stop: 4,
    start: 4,
    restart: 4,
    hold: 2,
    release: 3,
    scale: 2,
    enable: 1,
    disable: 1,
    trigger: 1,
  });
  if (verb === 'scale') return { step: 'command', verb, service, instances: chance.between(0, 3) };
  if (verb === 'hold' && chance.happens(0.5)) {
    return { step: 'command', verb, service, for: chance.between(10, 10_000) };
  }
  return { step: 'command', verb, service };
}

export function drawFile(chance: Chance, name: ServiceName): FileText {
  return {
    name,
    description: '',
    enabled: true,
    version: chance.between(1, 3),
    type: chance.happens(0.2) ? 'oneshot' : 'service',
    exitOn: chance.pick(['auto', 'auto', 'main', 'empty']),
    instances: chance.pick([1, 1, 1, 2, 3]),
    maxPids: null,
    ...drawStop(chance),
    ...drawPolicy(chance),
    ...QUIET,
    ...drawRollout(chance),
    ...(chance.happens(0.12) ? { probes: drawProbes(chance) } : {}),
    ...(chance.happens(0.25) ? drawDependencies(chance, name) : {}),
    ...(chance.happens(0.15) ? drawHooks(chance) : {}),
    ...(chance.happens(0.06) ? drawSchedule(chance) : {}),
  };
}

function drawProbes(chance: Chance): FileText['probes'] {
  const draw = (successes: number): ProbeText | null =>
    chance.happens(0.5)
      ? {
          how: chance.pick(['exec', 'http']),
          interval: chance.pick([1000, 15_000, 30_000]),
          timeout: chance.pick([100, 1000]),
          failures: chance.between(1, 3),
          successes,
          delay: chance.pick([0, 0, 1500]),
        }
      : null;
  return { startup: draw(1), readiness: draw(chance.between(1, 2)), liveness: draw(1) };
}

/** On services that come before it in the list: there is never a circle. */
function drawDependencies(chance: Chance, name: ServiceName): Pick<FileText, 'dependsOn'> {
  const before = NAMES.slice(0, NAMES.indexOf(name));
  const condition = (): Dependency => chance.weighed({ started: 4, ready: 4, completed: 1 });
  const chosen = before.filter(() => chance.happens(0.5));
  return { dependsOn: Object.fromEntries(chosen.map((other) => [other, condition()])) };
}

function drawHooks(chance: Chance): Pick<FileText, 'hooks'> {
  const timeout = (): number | null => (chance.happens(0.6) ? chance.pick([200, 2000]) : null);
  return {
    hooks: { pre_start: timeout(), post_start: timeout(), pre_stop: timeout(), post_stop: timeout() },
  };
}

function drawSchedule(chance: Chance): Pick<FileText, 'schedule' | 'instances' | 'type'> {
  return {
    schedule: {
      cron: chance.pick(['* * * * *', '*/10 * * * * *', '*/2 * * * * *']),
      overlap: chance.pick(['skip', 'queue', 'replace']),
      missed: chance.pick(['skip', 'once']),
      jitter: chance.pick([0, 0, 1500]),
      maxTime: chance.pick([null, null, 300, 15_000]),
    },
    instances: 1,
    type: 'oneshot',
  };
}

/** Of all that does not touch what runs. */
function drawLifecycleEdit(chance: Chance, name: ServiceName): Partial<FileText> {
  const kind = chance.weighed({ dependencies: 3, none: 1, hooks: 2, schedule: 1, no_schedule: 1, probes: 1 });
  if (kind === 'dependencies') return drawDependencies(chance, name);
  if (kind === 'hooks') return drawHooks(chance);
  if (kind === 'schedule') return drawSchedule(chance);
  if (kind === 'probes') return { probes: drawProbes(chance) };
  return kind === 'none' ? { dependsOn: {} } : { schedule: null };
}

function drawRollout(
  chance: Chance,
): Pick<FileText, 'surge' | 'overlap' | 'rolloutTimeout' | 'minReady' | 'onFailure'> {
  return {
    surge: chance.pick([0, 1, 1, 2]),
    overlap: chance.pick([0, 0, 500, 5000]),
    rolloutTimeout: chance.pick([2000, 10_000, 60_000]),
    minReady: chance.pick([0, 0, 1000]),
    onFailure: chance.happens(0.1) ? 'replace' : 'keep_old',
  };
}

function drawStop(chance: Chance): Pick<FileText, 'stopSignal' | 'stopGrace' | 'stopCommand'> {
  return {
    stopSignal: chance.pick(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1']),
    stopGrace: chance.pick([100, 1000, 3000, 8000]),
    stopCommand: chance.happens(0.2),
  };
}

function drawPolicy(chance: Chance): Omit<FileText, Exclude<keyof FileText, PolicyKey>> {
  const backoff = chance.pick([100, 200, 1000, 3000]);
  return {
    policy: chance.weighed({ always: 6, on_failure: 3, never: 1 }),
    backoff,
    maxBackoff: chance.pick([backoff, 0, 20_000]),
    jitter: chance.pick([0, 0, 0.3]),
    stableAfter: chance.pick([1000, 5000]),
    maxRestarts: chance.pick([0, 1, 3, 5]),
    window: chance.pick([10_000, 60_000]),
    retryAfter: chance.pick([null, null, 5000, 30_000]),
  };
}

type PolicyKey =
  | 'policy'
  | 'backoff'
  | 'maxBackoff'
  | 'jitter'
  | 'stableAfter'
  | 'maxRestarts'
  | 'window'
  | 'retryAfter';

/** A change of one kind, or two at once. */
export function drawEdit(chance: Chance): Partial<FileText> {
  const one = (): Partial<FileText> => {
    switch (
      chance.weighed({ roll: 6, live: 3, stop: 2, count: 3, enabled: 1, type: 0.5, policy: 1, rollout: 1 })
    ) {
      case 'roll':
        return { version: chance.between(1, 4) };
      case 'live':
        return { description: `note ${chance.between(1, 9)}`, maxPids: chance.between(10, 99) };
      case 'stop':
        return drawStop(chance);
      case 'count':
        return { instances: chance.between(0, 4) };
      case 'enabled':
        return { enabled: chance.happens(0.5) };
      case 'type':
        return { type: chance.pick(['oneshot', 'service']) };
      case 'policy':
        return drawPolicy(chance);
      case 'rollout':
        return drawRollout(chance);
    }
  };
  return chance.happens(0.25) ? { ...one(), ...one() } : one();
}

function drawProgram(chance: Chance, name: ServiceName): Step {
  const path = programOf({
    name,
    version: chance.between(1, 4),
    type: chance.pick(['service', 'service', 'oneshot']),
  });
  return { step: 'program', path, program: drawBehaviour(chance) };
}

function drawBehaviour(chance: Chance): Program {
  const after = chance.happens(0.6) ? chance.between(1, 400) : chance.between(400, 20_000);
  const kind = chance.weighed({ good: 3, crash: 4, exit: 3, signal: 1, missing: 1 });
  const ends = (): Program['ends'] => {
    if (kind === 'crash') return { how: 'exit', code: chance.between(1, 3), after };
    if (kind === 'exit') return { how: 'exit', code: 0, after };
    if (kind === 'signal') return { how: 'signal', signal: 'SIGKILL', oom: chance.happens(0.5), after };
    return { how: 'never' };
  };
  const forks = chance.happens(0.3);
  return {
    ...GOOD,
    there: kind !== 'missing',
    ends: ends(),
    onStop: chance.happens(0.25)
      ? { how: 'ignores' }
      : { how: 'dies', after: chance.between(0, 2500), code: chance.pick([null, 0, 0, 1]) },
    child: forks
      ? {
          after: chance.between(0, 300),
          lives: chance.happens(0.5) ? null : chance.between(10, 10_000),
          ignoresStop: chance.happens(0.4),
        }
      : null,
    killTakes: chance.happens(0.1) ? chance.between(1000, 9000) : chance.between(0, 20),
    stopCommand: { after: chance.between(0, 1500), code: chance.pick([0, 0, 1]), works: chance.happens(0.6) },
    health: {
      startsAfter: chance.pick([0, 1000, 6000, null]),
      readyAfter: chance.pick([0, 1000, 6000, null]),
      flaps: chance.happens(0.3) ? chance.between(500, 8000) : null,
      livesFor: chance.happens(0.4) ? chance.between(500, 20_000) : null,
      answersAfter: chance.pick([3, 50, 1500]),
    },
    hooks: {
      pre_start: { after: chance.pick([5, 50, 1000]), code: chance.pick([0, 0, 1]) },
      post_start: { after: chance.pick([5, 1000]), code: chance.pick([0, 1]) },
      pre_stop: { after: chance.pick([5, 50, 1000]), code: chance.pick([0, 1]) },
      post_stop: { after: chance.pick([5, 1000]), code: chance.pick([0, 1]) },
    },
  };
}
