/** How is one run started, from its definition to a process? */
import { logPathOf } from '../model/log-path.ts';
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Defined } from '../model/spec.ts';
import { fillIn } from '../model/template.ts';
import type { Launch, Started, World } from '../world/world.ts';
import { environmentOf, missingVariables } from './environment.ts';

/**
 * Opens a log for appending; safe against what the user of the service may have planted.
 * @param expected a directory that has to be there: it is not made on the way to the log
 */
export type OpenLog = (
  path: string,
  credentials: Defined['credentials'],
  expected?: string,
) => { readonly fd: number } | Problem;

export interface StartTools {
  readonly world: World;
  readonly settings: Pick<Settings, 'cluster'>;
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly openLog: OpenLog;
  readonly closeLog: (fd: number) => void;
  /** Removes a pid file whose process is gone; a warning when it is left alone. */
  readonly clearPidFile: (path: string, credentials: Defined['credentials']) => Problem | undefined;
  /** Something that a person should know and that does not keep the service from being started. */
  readonly complain: (problem: Problem) => void;
}

/** Bytes in the logs of a run before it wrote anything. */
export interface LogSizes {
  readonly logFrom: number;
  readonly errFrom: number;
}

/** What of a start is decided by the one who starts it. */
export interface StartChoice {
  /** The TCP port of this run; null: it has none. */
  readonly port: number | null;
  /** Its end is to be recorded for another daemon. */
  readonly record: boolean;
  /** It says on this descriptor that it has started. */
  readonly notify: Launch['notify'];
}

/** @returns the process and the sizes of its logs before it wrote anything */
export function startRun(
  key: RunKey,
  desired: Defined,
  tools: StartTools,
  choice: StartChoice,
): (Started & LogSizes) | Problem {
  const { spec, credentials } = desired;
  const environment = environmentFor(key, desired, tools, choice.port);
  const missing = missingVariables(spec, environment);
  if (missing.length > 0) {
    return problem(
      desired,
      'environment-missing',
      `required variables are not set: ${missing.join(', ')}`,
      'process.required_env',
    );
  }
  if (typeof spec.port === 'number') {
    const holder = tools.world.containment.portHolder(spec.port, [spec.name]);
    if (holder !== undefined) {
      return problem(desired, 'port-taken', `port ${spec.port} is taken by ${holder}`, 'port');
    }
  }
  if (spec.pid_file !== null) {
    const kept = tools.clearPidFile(spec.pid_file, credentials);
    if (kept !== undefined) tools.complain(inService(desired, kept));
  }
  const paths = {
    stdout: logPathOf(spec.logs.stdout, key.slot),
    stderr: logPathOf(spec.logs.stderr, key.slot),
  };
  const { port } = choice;
  const directory = workingDirectoryOf(spec, key, port);
  const stdout = tools.openLog(paths.stdout, credentials, directory);
  if ('code' in stdout) return inService(desired, stdout);
  const stderr = paths.stderr === paths.stdout ? stdout : tools.openLog(paths.stderr, credentials, directory);
  if ('code' in stderr) {
    tools.closeLog(stdout.fd);
    return inService(desired, stderr);
  }
  const run = { instance: key.slot, generation: key.generation, port };
  const argv = [...spec.process.command, ...spec.process.args].map((text) => fillIn(text, run));
  const output = { stdout: stdout.fd, stderr: stderr.fd };
  const launch: Launch = Object.assign(
    launchOf(desired, argv, environment, output, key, port),
    choice.record ? { record: true } : {},
    choice.notify === undefined ? {} : { notify: choice.notify },
  );
  try {
    const sizes = logSizes(stdout.fd, stderr.fd, tools.world);
    // From where on would its words be its own?
    if ('code' in sizes) return inService(desired, sizes);
    const started = tools.world.containment.start(key, launch);
    return 'code' in started
      ? inService(desired, started)
      : { logFrom: sizes.logFrom, errFrom: sizes.errFrom, ...started };
  } finally {
    tools.closeLog(stdout.fd);
    if (stderr.fd !== stdout.fd) tools.closeLog(stderr.fd);
  }
}

/** Where in its logs does that begin which somebody is going to write? */
export function logSizes(
  stdout: number,
  stderr: number,
  { prober }: Pick<World, 'prober'>,
): LogSizes | Problem {
  const logFrom = prober.sizeOf(stdout);
  const errFrom = stderr === stdout ? logFrom : prober.sizeOf(stderr);
  if (typeof logFrom !== 'number') return logFrom;
  return typeof errFrom === 'number' ? { logFrom, errFrom } : errFrom;
}

/** The environment that a run of this definition gets. */
export function environmentFor(
  key: RunKey,
  desired: Pick<Defined, 'spec' | 'secrets' | 'credentials'>,
  tools: StartTools,
  port: number | null,
): Readonly<Record<string, string>> {
  return environmentOf({
    spec: desired.spec,
    secrets: desired.secrets,
    credentials: desired.credentials,
    self: tools.world.users.self,
    inherited: tools.inherited,
    cluster: tools.settings.cluster,
    run: { instance: key.slot, generation: key.generation, id: key.id, port },
  });
}

export function workingDirectoryOf({ process }: Defined['spec'], key: RunKey, port: number | null): string {
  const values = { instance: key.slot, generation: key.generation, port };
  return fillIn(process.working_directory, values);
}

/** Everything that a process of this service is created with. */
export function launchOf(
  desired: Pick<Defined, 'spec' | 'credentials'>,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  output: { readonly stdout: number | null; readonly stderr: number | null },
  key: RunKey,
  port: number | null,
): Launch {
  const { process } = desired.spec;
  return {
    argv,
    workingDirectory: workingDirectoryOf(desired.spec, key, port),
    environment,
    credentials: desired.credentials,
    umask: process.umask,
    nice: process.nice,
    rlimits: process.rlimits,
    oomScoreAdjust: process.oom_score_adjust,
    noNewPrivileges: process.no_new_privileges,
    ...output,
  };
}

function problem(desired: Defined, code: Problem['code'], message: string, path: string): Problem {
  return inService(desired, { code, severity: 'error', message, path });
}

/** Says in which file and line the cause can be mended. */
function inService(desired: Defined, cause: Problem): Problem {
  const path = cause.path ?? PATHS[cause.code];
  const position = path === undefined ? undefined : desired.positions.get(path);
  return {
    ...cause,
    service: desired.name,
    file: desired.file,
    ...(path === undefined ? {} : { path }),
    ...(position === undefined ? {} : { line: position.line, column: position.column }),
  };
}

const PATHS: Readonly<Partial<Record<Problem['code'], string>>> = {
  'command-missing': 'process.command',
  'working-directory-missing': 'process.working_directory',
  'log-unsafe': 'logs',
  'log-unwritable': 'logs',
};
