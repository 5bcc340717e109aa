/** How does the loop run inside of a program, without touching anything of it? */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { ServiceDirectory, type ServiceDirectoryInput, TEXTS_AT_ONCE } from '../config/load.ts';
import { loadSettings } from '../config/settings.ts';
import { Daemon } from '../daemon/daemon.ts';
import { readLogs } from '../daemon/service-logs.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { systemClock } from '../world/clock.ts';
import { EventFiles } from '../world/event-files.ts';
import { systemFiles } from '../world/files.ts';
import { hostFacts } from '../world/host-facts.ts';
import { closableClock, hostProgram, thisProgram } from '../world/host-program.ts';
import { openWorld } from '../world/linux.ts';
import { systemLogCare } from '../world/log-care.ts';
import { appendMarker } from '../world/log-marker.ts';
import { clearStalePidFile } from '../world/pid-file.ts';
import { makeRuntimeDirectory } from '../world/runtime-directory.ts';
import { closeLog, openLog } from '../world/safe-open.ts';
import { systemUsers } from '../world/users.ts';
import type { Files } from '../world/world.ts';
import type { LogEntry, ProcessmasterOptions } from './embedding-options.ts';
import { type GivenText, givenTexts, type Services } from './given-services.ts';
import { invalid, ProcessmasterError } from './processmaster-error.ts';

const { version } = packageFile;

export interface Embedding {
  readonly control: Daemon['control'];
  /** The number of the newest event before it was started. */
  readonly before: number;
  /** From now on these are the services; carried out by the next update. */
  give(services: Services): void;
  /** @throws ProcessmasterError: it does not run */
  start(): Promise<void>;
  /** Fulfilled when it has ended, and nothing of it is left in this program. */
  readonly ended: Promise<void>;
}

/** @throws ProcessmasterError: nothing was started, and nothing is left */
export function openEmbedding(options: ProcessmasterOptions): Embedding {
  const place = placeOf(options);
  try {
    return embeddingIn(place, options);
  } catch (error) {
    place.remove();
    throw error;
  }
}

interface Place {
  readonly stateDirectory: string;
  readonly cgroupName: string;
  /** Relative paths are meant below it. */
  readonly directory: string;
  /** A private state directory goes with the manager. */
  readonly remove: () => void;
}

function placeOf({ stateDirectory, directory = '.' }: ProcessmasterOptions): Place {
  const program = thisProgram();
  const below = resolve(program.directory, directory);
  if (stateDirectory !== undefined) {
    const path = resolve(program.directory, stateDirectory);
    // The same one each time: by it the next manager finds what runs.
    const digest = createHash('sha256').update(path).digest('hex').slice(0, 12);
    return {
      stateDirectory: path,
      cgroupName: `processmaster-${digest}`,
      directory: below,
      remove: () => undefined,
    };
  }
  const runtime = makeRuntimeDirectory(program.environment);
  if ('refused' in runtime) throw new ProcessmasterError('state-unwritable', runtime.refused);
  return { stateDirectory: runtime.path, cgroupName: runtime.name, directory: below, remove: runtime.remove };
}

function embeddingIn(place: Place, options: ProcessmasterOptions): Embedding {
  const environment = options.environment ?? { ...thisProgram().environment };
  const settings = settingsOf(place, options);
  const files = systemFiles();
  const users = systemUsers();
  const input: ServiceDirectoryInput = {
    ...{ files, users, settings, environment },
    host: hostFacts(),
    cwd: place.directory,
  };
  let texts: readonly GivenText[] = [];
  const give = (services: Services): void => {
    texts = givenTexts(services, place.directory, new ServiceDirectory(input));
  };
  give(options.services ?? {});
  const { clock, close: closeClock } = closableClock(systemClock());
  const opened = openWorld({ ...settings, containment: containmentOf(settings) }, { clock });
  if ('problem' in opened) throw problemError(opened.problem);
  const moved = opened.world.containment.kind === 'cgroup';
  if (moved) isMoved = true;
  let tellEnd: (code: number) => void = () => undefined;
  const ended = new Promise<number>((tell) => {
    tellEnd = tell;
  });
  const host = hostProgram(environment, (code) => {
    if (moved) isMoved = false;
    closeClock();
    place.remove();
    tellEnd(code);
  });
  const log = logOf(options.log);
  const directory = new ServiceDirectory(input);
  const daemon = new Daemon({
    ...{ world: opened.world, host, settings, log, version, readLogs, openLog, closeLog, appendMarker },
    read: () => {
      const state = directory.load('later', texts);
      // Whoever gives no service means that: it is no directory that was lost.
      return { ...state, files: Math.max(1, state.files) };
    },
    keepRead: (inForce) => directory.keepGood(inForce, TEXTS_AT_ONCE),
    checkout: () => undefined,
    readAs: () => ({ services: new Map(), problems: [], files: 0, readable: false }),
    logCare: systemLogCare(join(settings.state_directory, 'rotations')),
    clearPidFile: clearStalePidFile,
    eventFiles: new EventFiles(join(settings.state_directory, 'events'), settings.events.max_size),
    serviceFiles: { define: () => ({ problems: [noFile()] }), removable: noFile, remove: noFile },
    setEnabled: noFile,
    foreground: {
      source: 'the program around',
      about: { embedded_in: host.pid },
      serves: options.sock !== undefined,
      canLeave: options.stateDirectory !== undefined,
      endsWith: null,
    },
  });
  return {
    control: daemon.control,
    before: daemon.control.events(Number.POSITIVE_INFINITY).last,
    give,
    start: async () => {
      const refused = await daemon.start();
      if (refused === undefined) return;
      host.exit(1);
      throw problemError(refused);
    },
    ended: ended.then(() => undefined),
  };
}

/** A manager of this program has moved it into its cgroup: a process is in one at a time. */
let isMoved = false;

function containmentOf({ containment }: Settings): Settings['containment'] {
  if (!isMoved || containment === 'process_group') return containment;
  if (containment === 'auto') return 'process_group';
  const message =
    'this program is in the cgroup of another manager already, and a process is in one at a time';
  throw problemError({ code: 'containment-weak', severity: 'error', message });
}

/** What only a daemon of its own could mean is set over whatever was given. */
function settingsOf(place: Place, { settings = {}, containment, sock }: ProcessmasterOptions): Settings {
  const { directory, stateDirectory, cgroupName } = place;
  const file = join(directory, 'settings.yaml');
  const text = JSON.stringify(settings);
  const files: Files = {
    ...systemFiles(),
    read: (path, limit) => (path === file ? text : files.read(path, limit)),
  };
  const loaded = loadSettings({
    ...{ file, files, cwd: directory, env: {}, users: systemUsers(), hostname: thisProgram().hostname },
    flags: {
      state_directory: stateDirectory,
      config_directory: directory,
      // Never opened where none is asked for.
      sock_path: sock === undefined ? '/processmaster.sock' : resolve(directory, sock),
      cgroup_name: cgroupName,
      containment: containment ?? 'process_group',
      on_exit: 'stop',
      'watch.enabled': false,
      'prune.max_percent': 100,
    },
  });
  if ('settings' in loaded) return { ...loaded.settings, file: null };
  throw invalid(loaded.problems.map(({ file: _, line: __, column: ___, ...problem }) => problem));
}

function logOf(told: ((entry: LogEntry) => void) | undefined) {
  const at =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void =>
      told?.({ level, message, fields: { ...fields } });
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function problemError(problem: Problem): ProcessmasterError {
  return new ProcessmasterError(problem.code, problem.message, { problems: [problem] });
}

function noFile(): Problem {
  return {
    code: 'file-unreadable',
    severity: 'error',
    message: 'there are no files: the services are those that the program around gives',
  };
}
