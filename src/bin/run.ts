/** The program processmaster run: one command, several times, in the foreground; no files. */
import { commandLineState, WORKER } from '../config/command-line-state.ts';
import { loadSettings } from '../config/settings.ts';
import { Daemon } from '../daemon/daemon.ts';
import type { Foreground } from '../daemon/foreground.ts';
import { openDaemonLog } from '../daemon/log.ts';
import { readLogs } from '../daemon/service-logs.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { systemFiles } from '../world/files.ts';
import {
  closeForegroundLog,
  type ForegroundHost,
  foregroundHost,
  OWN_STDERR,
  OWN_STDOUT,
  openForegroundLog,
} from '../world/foreground-host.ts';
import { hostFacts } from '../world/host-facts.ts';
import { openWorld } from '../world/linux.ts';
import { appendMarker } from '../world/log-marker.ts';
import { claimPidFile } from '../world/own-pid-file.ts';
import { clearStalePidFile } from '../world/pid-file.ts';
import { findProgram } from '../world/program.ts';
import { makeRuntimeDirectory } from '../world/runtime-directory.ts';
import { systemUsers } from '../world/users.ts';
import { OPTION_VARIABLES, type RunRequest, runOptions } from './run-options.ts';

export interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** As shells say that a command cannot be found. */
const NOT_FOUND = 127;

/** Where programs are searched when nobody says so, as for services. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @returns why it does not run; undefined: it runs now, and ends the program itself */
export async function runForeground(
  argv: readonly string[],
  { version, cwd }: { readonly version: string; readonly cwd: string },
): Promise<Ended | undefined> {
  const ground = foregroundHost(OPTION_VARIABLES);
  const { environment, host } = ground;
  const facts = hostFacts();
  const options = runOptions(argv, { env: environment, processors: facts.cpus, cwd });
  if ('exit' in options) return options;
  const { request } = options;
  const { line, pidFile } = request;
  const path = line.env['PATH'] ?? host.environment['PATH'] ?? DEFAULT_PATH;
  const program = findProgram({ argv: line.command, environment: { PATH: path }, workingDirectory: cwd });
  if ('code' in program) return failed([program], NOT_FOUND);
  const settings = settingsOf(request, ground);
  if ('exit' in settings) return settings;
  if (pidFile !== null) {
    const claimed = claimPidFile(pidFile);
    if ('code' in claimed) return failed([claimed]);
    ground.atEnd(claimed.release);
  }
  const files = systemFiles();
  const users = systemUsers();
  const state = commandLineState(line, {
    ...{ settings, files, users, cwd, environment: host.environment },
    root: users.self.uid === 0,
    host: facts,
    stdout: OWN_STDOUT,
    stderr: OWN_STDERR,
  });
  if ('problems' in state && !('services' in state)) return failed(state.problems);
  const opened = openWorld(settings);
  if ('problem' in opened) return failed([opened.problem]);
  const log = await openDaemonLog(settings.log, ground.terminal, (reopen) => host.onSignal('SIGHUP', reopen));
  for (const warning of request.warnings) log.warn({ code: 'key-unknown' }, warning);
  const daemon = new Daemon({
    ...{ world: opened.world, host, settings, log, version, readLogs },
    read: () => state,
    keepRead: () => 'all',
    checkout: () => undefined,
    readAs: () => ({ services: new Map(), problems: [], files: 0, readable: false }),
    openLog: openForegroundLog,
    closeLog: closeForegroundLog,
    appendMarker,
    logCare: null,
    clearPidFile: clearStalePidFile,
    serviceFiles: {
      define: () => ({ problems: [noFile()] }),
      removable: noFile,
      remove: noFile,
    },
    setEnabled: noFile,
    foreground: foregroundOf(request),
  });
  const refused = await daemon.start();
  return refused === undefined ? undefined : failed([refused]);
}

/** Nothing of it is in a file, and no other manager or daemon of this host has the same place. */
function settingsOf(request: RunRequest, ground: ForegroundHost): Settings | Ended {
  const runtime = makeRuntimeDirectory(ground.environment);
  if ('refused' in runtime) return { exit: 1, out: '', err: `processmaster run: ${runtime.refused}\n` };
  ground.atEnd(runtime.remove);
  const loaded = loadSettings({
    // A new directory: no master file is found there.
    cwd: runtime.path,
    env: {},
    flags: {
      sock_path: `${runtime.path}/pm.sock`,
      ...request.settings,
      state_directory: runtime.path,
      config_directory: runtime.path,
      cgroup_name: runtime.name,
      on_exit: 'stop',
      'watch.enabled': false,
    },
    files: systemFiles(),
    users: systemUsers(),
    hostname: ground.host.hostname,
  });
  return 'problems' in loaded ? failed(loaded.problems, WRONG_USAGE) : loaded.settings;
}

/** sysexits(3): the command was used wrongly. */
const WRONG_USAGE = 64;

function foregroundOf({ line, settings }: RunRequest): Foreground {
  return {
    source: 'the command line',
    about: {
      worker_count: line.instances,
      job_worker_count: line.jobs?.count ?? 0,
      host: line.host ?? 'none',
      port: line.port ?? 'none',
    },
    serves: 'sock_path' in settings,
    canLeave: false,
    endsWith: line.respawn ? null : WORKER,
  };
}

function failed(problems: readonly Problem[], exit = 1): Ended {
  const err = problems.map((problem) => `processmaster run: ${sentence(problem)}\n`).join('');
  return { exit, out: '', err };
}

function noFile(): Problem {
  return {
    code: 'file-unreadable',
    severity: 'error',
    message: 'there are no files: it runs a command line',
  };
}
