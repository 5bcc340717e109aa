/**
 * Where does a daemon meet planned faults? In this very process: the whole daemon, as the program composes it, over
 * real files, real processes and real cgroups (or sessions), in a place of its own.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { ServiceDirectory, TEXTS_AT_ONCE } from '../../src/config/load.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { readLogs } from '../../src/daemon/service-logs.ts';
import type { Problem } from '../../src/model/problem.ts';
import { systemClock } from '../../src/world/clock.ts';
import { EventFiles } from '../../src/world/event-files.ts';
import { systemFiles } from '../../src/world/files.ts';
import { hostFacts } from '../../src/world/host-facts.ts';
import { closableClock, hostProgram } from '../../src/world/host-program.ts';
import { systemLogCare } from '../../src/world/log-care.ts';
import { appendMarker } from '../../src/world/log-marker.ts';
import { clearStalePidFile } from '../../src/world/pid-file.ts';
import { systemProber } from '../../src/world/prober.ts';
import { systemRandom } from '../../src/world/random.ts';
import { closeLog, openLog } from '../../src/world/safe-open.ts';
import { systemUsers } from '../../src/world/users.ts';
import type { Clock, Containment } from '../../src/world/world.ts';
import type { Ground } from '../linux/ground.ts';

export interface SmallHost {
  readonly directory: string;
  readonly config: string;
  readonly state: string;
  readonly logs: string;
  readonly socket: string;
  readonly ground: Ground;
}

export interface Said {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

/** What a daemon said, and how it ended. */
export interface RunningDaemon {
  readonly said: readonly Said[];
  readonly control: Daemon['control'];
  /** Fulfilled by the exit code. */
  readonly ended: Promise<number>;
  /** What was thrown where nobody catches: a real daemon would have ended by it. */
  readonly thrown: readonly unknown[];
}

/** The slow look comes every minute; here it has to come within a test. Milliseconds. */
const RESYNC = { real: 60_000, here: 1500 } as const;

/** @param isLost asked for each wake-up of the containment */
export async function startDaemon(
  host: SmallHost,
  containment: Containment,
  isLost: () => boolean,
): Promise<RunningDaemon | Problem> {
  const thrown: unknown[] = [];
  const guarded =
    <Args extends unknown[]>(act: (...args: Args) => void) =>
    (...args: Args): void => {
      try {
        act(...args);
      } catch (error) {
        thrown.push(error);
      }
    };
  const said: Said[] = [];
  const saying = (level: Said['level']) => (_fields: object, text: string) => void said.push({ level, text });
  const { clock, close } = closableClock(quickened(systemClock()));
  let tellEnd: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    tellEnd = resolve;
  });
  const program = hostProgram({ PATH: process.env['PATH'] }, (code) => {
    close();
    tellEnd(code);
  });
  const files = systemFiles();
  const users = systemUsers();
  const loaded = loadSettings({
    ...{ cwd: host.directory, env: {}, files, users, hostname: program.hostname },
    flags: {
      config_directory: host.config,
      state_directory: host.state,
      sock_path: host.socket,
      'watch.settle': '50ms',
      'prune.max_percent': 100,
    },
  });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { settings } = loaded;
  const place = { files, users, host: hostFacts(), settings, environment: {}, cwd: host.directory };
  const directory = new ServiceDirectory(place);
  const aside = new ServiceDirectory(place);
  const noFile = (): Problem => ({ code: 'file-unreadable', severity: 'error', message: 'not here' });
  const daemon = new Daemon({
    world: {
      clock: { ...clock, after: (delay, wake) => clock.after(delay, guarded(wake)) },
      random: systemRandom(),
      ...{ files, users },
      containment: hardOfHearing(containment, isLost, guarded),
      prober: systemProber(),
      forking: () => null,
    },
    host: { ...program, soon: (turn) => program.soon(guarded(turn)) },
    settings,
    log: { info: saying('info'), warn: saying('warn'), error: saying('error') },
    version: 'test',
    read: (texts) => directory.load('later', texts),
    directory: {
      peek: (texts) => (texts === undefined ? aside : directory.beside()).load('never', texts),
      textOf: (desired) => directory.textOf(desired),
      commit: () => Promise.resolve(null),
    },
    keepRead: (inForce) => directory.keepGood(inForce, TEXTS_AT_ONCE),
    checkout: () => undefined,
    readAs: (others) => new ServiceDirectory({ ...place, files: others }).load('never'),
    ...{ openLog, closeLog, appendMarker, readLogs, clearPidFile: clearStalePidFile },
    logCare: systemLogCare(join(settings.state_directory, 'rotations')),
    eventFiles: new EventFiles(join(settings.state_directory, 'events'), settings.events.max_size),
    serviceFiles: { define: () => ({ problems: [noFile()] }), removable: noFile, remove: noFile },
    setEnabled: noFile,
  });
  const refused = await daemon.start();
  if (refused !== undefined) close();
  return refused ?? { said, control: daemon.control, ended, thrown };
}

export function makeHost(directory: string, ground: Ground): SmallHost {
  const [config, state, logs] = ['config.d', 'state', 'logs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [config, state, logs]) fs.mkdirSync(path);
  return { directory, config, state, logs, socket: join(directory, 'pm.sock'), ground };
}

function quickened(clock: Clock): Clock {
  return {
    ...clock,
    after: (delay, wake) => clock.after(delay === RESYNC.real ? RESYNC.here : delay, wake),
  };
}

/** The wake-ups of a containment get lost; everything else is what it is. */
function hardOfHearing(
  containment: Containment,
  isLost: () => boolean,
  guarded: <Args extends unknown[]>(act: (...args: Args) => void) => (...args: Args) => void,
): Containment {
  return new Proxy(containment, {
    get: (target, name) => {
      if (name === 'onChange') {
        const onChange: Containment['onChange'] = (wake) => {
          const told = guarded(wake);
          target.onChange((service) => {
            if (!isLost()) told(service);
          });
        };
        return onChange;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
