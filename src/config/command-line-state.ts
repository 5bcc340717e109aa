/** Which services does a command line describe? */
import { join } from 'node:path';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, DesiredState, RestartPolicy, RolloutSpec } from '../model/spec.ts';
import { writeTemplate } from '../model/template.ts';
import type { Files, Users } from '../world/world.ts';
import { type DefinitionContext, readDefinition } from './definition.ts';
import { resolveDefinition } from './resolve.ts';

/** Everything that `processmaster run` was told about its workers. Durations in milliseconds. */
export interface CommandLine {
  /** argv, not empty; taken literally. */
  readonly command: readonly string[];
  readonly instances: number;
  readonly port: number | null;
  readonly host: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly grace: number;
  readonly respawnDelay: number;
  readonly reloadOverlap: number;
  readonly listenBacklog: number;
  /** Seconds: handed on as it is. */
  readonly connectionTimeout: number;
  /** False: what ends is not started again. */
  readonly respawn: boolean;
  readonly jobs: JobWorkers | null;
}

export interface JobWorkers {
  /** For `/bin/sh -c`. */
  readonly command: string;
  readonly count: number;
  readonly respawnDelay: number;
}

export interface CommandLineContext extends DefinitionContext {
  readonly files: Files;
  readonly users: Users;
  /** Where the workers run; absolute. */
  readonly cwd: string;
  readonly stdout: string;
  readonly stderr: string;
}

export const WORKER = known('worker');
export const JOB_WORKER = known('job-worker');

/** Crashes are counted within this time. Milliseconds; short, because they are never too many. */
const COUNTED = 1000;

/**
 * The desired state: `worker`, and `job-worker` where there are any. Restarts follow after the same delay, without
 * limit: nobody could mend a file and save it here, and whoever runs the container sees that it does not get ready.
 */
export function commandLineState(
  line: CommandLine,
  context: CommandLineContext,
): DesiredState | { readonly problems: readonly Problem[] } {
  const { command, instances, port, respawnDelay, jobs } = line;
  const wanted: Wanted[] = [{ name: WORKER, command, instances, port, respawnDelay }];
  if (jobs !== null && jobs.count > 0) {
    const argv = ['/bin/sh', '-c', jobs.command];
    const { count, respawnDelay: delay } = jobs;
    wanted.push({ name: JOB_WORKER, command: argv, instances: count, port: null, respawnDelay: delay });
  }
  const defined = wanted.map((each) => defineOne(each, line, context));
  const problems = defined.flatMap((each) => ('problems' in each && !('spec' in each) ? each.problems : []));
  if (problems.length > 0) return { problems };
  const services = defined.flatMap((each) => ('spec' in each ? [[each.name, each] as const] : []));
  return { services: new Map(services), problems: [], files: 0, readable: true };
}

interface Wanted {
  readonly name: ServiceName;
  readonly command: readonly string[];
  readonly instances: number;
  readonly port: number | null;
  readonly respawnDelay: number;
}

function defineOne(
  wanted: Wanted,
  line: CommandLine,
  context: CommandLineContext,
): Defined | { readonly problems: readonly Problem[] } {
  const { name, command, instances, port } = wanted;
  const file = { path: join(context.cwd, `${name}.yaml`), shown: 'the command line' };
  // What a file without a word would mean is the ground; all that was told is set on it, as it is.
  const reading = readDefinition(JSON.stringify({ name, process: { command: ['true'] } }), file, context);
  if (reading.kind === 'bad') return { problems: reading.problems };
  const { draft } = reading.definition;
  const spec: Defined['spec'] = {
    ...draft.spec,
    process: {
      ...draft.spec.process,
      command: command.map(literal),
      working_directory: literal(context.cwd),
      inherit_env: true,
      stop_grace: line.grace,
    },
    instances,
    port,
    rollout: rolloutOf(wanted, line, draft.spec.rollout),
    restart_policy: restartOf(wanted, line, draft.spec.restart_policy),
    logs: { ...draft.spec.logs, stdout: context.stdout, stderr: context.stderr },
  };
  const env = Object.entries(environmentOf(wanted, line)).map(([key, value]) => [key, literal(value)]);
  const environment = { ...draft.environment, env: Object.fromEntries(env) };
  const definition = { ...reading.definition, draft: { ...draft, spec, environment } };
  const resolved = resolveDefinition(definition, context.files, context.users);
  // What stands in the generated text is no place that anybody could look at.
  return resolved.kind === 'bad' ? resolved : { ...resolved.desired, positions: new Map() };
}

/**
 * A whole new set beside the old one. One worker with a port would find it taken by its predecessor: there the old one
 * ends first.
 */
function rolloutOf({ instances, port }: Wanted, line: CommandLine, given: RolloutSpec): RolloutSpec {
  const alone = instances === 1 && port !== null;
  return { ...given, surge: alone ? 0 : instances, overlap: alone ? 0 : line.reloadOverlap };
}

function restartOf({ respawnDelay }: Wanted, line: CommandLine, given: RestartPolicy): RestartPolicy {
  return {
    ...given,
    policy: line.respawn ? 'always' : 'never',
    restart_backoff: respawnDelay,
    max_backoff: respawnDelay,
    jitter: 0,
    tolerance: { max_restarts: Number.MAX_SAFE_INTEGER, duration: COUNTED, retry_after: null },
  };
}

/** What is told with --env stands above all that we export. */
function environmentOf({ name, instances }: Wanted, line: CommandLine): Readonly<Record<string, string>> {
  const host = line.host === null ? {} : { HOST: line.host };
  if (name === JOB_WORKER) return { ...host, ...line.env };
  return {
    ...host,
    PROCESSMASTER_LISTEN_BACKLOG: String(line.listenBacklog),
    PROCESSMASTER_CONNECTION_TIMEOUT_SECONDS: String(line.connectionTimeout),
    PROCESSMASTER_ENABLE_REUSEPORT: instances > 1 ? '1' : '0',
    ...line.env,
  };
}

/** Nothing in it is a variable of ours. */
function literal(text: string): string {
  return writeTemplate([{ text }]);
}

function known(text: string): ServiceName {
  const name = serviceName(text);
  if (typeof name !== 'string') throw new Error(name.refused);
  return name;
}
