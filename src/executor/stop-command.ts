/** How is the stop command of a service run? In the place of the run, with the user and environment of the run. */
import type { RunKey } from '../model/names.ts';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials, SecretEnvironment, ServiceSpec } from '../model/spec.ts';
import { fillIn } from '../model/template.ts';
import { environmentFor, launchOf, type StartTools } from './start.ts';

export interface StopCommandInput {
  readonly key: RunKey;
  readonly spec: ServiceSpec;
  /** Known while the definition is in force; otherwise the environment is read back from the run itself. */
  readonly secrets: SecretEnvironment | undefined;
  readonly credentials: Credentials | null;
  /** The TCP port that the run was given. */
  readonly port: number | null;
}

/** @param done is called once, when the command has ended */
export function runStopCommand(
  input: StopCommandInput,
  tools: StartTools,
  done: (outcome: Outcome) => void,
): Problem | undefined {
  const { key, spec, credentials, port } = input;
  const command = spec.process.stop_command;
  if (command === null) {
    return { code: 'start-failed', severity: 'error', message: 'the service has no stop command any more' };
  }
  const environment = stopEnvironment(input, tools);
  const run = { instance: key.slot, generation: key.generation, port };
  const argv = command.map((text) => fillIn(text, run));
  const stdout = openOptional(spec.logs.stop_command_stdout, credentials, tools);
  const stderr = openOptional(spec.logs.stop_command_stderr, credentials, tools);
  const launch = launchOf({ spec, credentials }, argv, environment, { stdout, stderr }, key, port);
  try {
    return tools.world.containment.runInside(key, launch, done);
  } finally {
    if (stdout !== null) tools.closeLog(stdout);
    if (stderr !== null) tools.closeLog(stderr);
  }
}

function stopEnvironment(input: StopCommandInput, tools: StartTools): Readonly<Record<string, string>> {
  if (input.secrets === undefined) {
    const own = tools.world.containment.environment(input.key, input.credentials);
    if (own !== undefined) return own;
  }
  const { spec, credentials, key } = input;
  return environmentFor(key, { spec, credentials, secrets: input.secrets ?? new Map() }, tools, input.port);
}

/** A log that cannot be opened must not keep a service from stopping: its output goes to /dev/null then. */
function openOptional(
  path: string | null,
  credentials: Credentials | null,
  tools: StartTools,
): number | null {
  if (path === null) return null;
  const opened = tools.openLog(path, credentials);
  return 'code' in opened ? null : opened.fd;
}
