/** Which environment does a process get? Built from nothing at each start. */

import type { Settings } from '../model/settings.ts';
import type { Credentials, SecretEnvironment, ServiceSpec } from '../model/spec.ts';
import { fillIn } from '../model/template.ts';

/** Where a process looks for programs when nobody says otherwise: the default of login(1) on Debian for root. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  readonly spec: ServiceSpec;
  readonly secrets: SecretEnvironment;
  /** null: as the daemon, whose own are then in `self`. */
  readonly credentials: Credentials | null;
  readonly self: Credentials;
  /** The daemon's own environment: only what `inherit_env` names is taken from it, and PATH and LANG. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly cluster: Settings['cluster'];
  readonly run: {
    readonly instance: number;
    readonly generation: number;
    readonly id: string;
    /** The one that it was given for `port: auto`; a fixed one need not be told. */
    readonly port: number | null;
  };
}

/** The complete environment of one run. */
export function environmentOf(input: EnvironmentInput): Readonly<Record<string, string>> {
  const { spec, secrets, cluster } = input;
  const port = typeof spec.port === 'number' ? spec.port : input.run.port;
  const run = { ...input.run, port };
  const environment = Object.assign(inheritedPart(input), identityPart(input), sharingPart(spec));
  for (const file of spec.process.env_files) {
    for (const name of Object.keys(file.values)) environment[name] = secrets.get(name) ?? '';
  }
  for (const [name, value] of Object.entries(spec.process.env)) {
    environment[name] = typeof value === 'string' ? fillIn(value, run) : (secrets.get(name) ?? '');
  }
  if (port !== null) environment['PORT'] = String(port);
  return Object.assign(environment, {
    PROCESSMASTER_SERVICE: spec.name,
    PROCESSMASTER_INSTANCE: String(run.instance),
    PROCESSMASTER_GENERATION: String(run.generation),
    PROCESSMASTER_RUN_ID: run.id,
    PROCESSMASTER_CLUSTER_ENABLED: cluster.enabled ? '1' : '0',
    PROCESSMASTER_CLUSTER_NAME: cluster.name,
    PROCESSMASTER_CLUSTER_NODE_ID: cluster.node_id,
    PROCESSMASTER_CLUSTER_EXPECTED_NODES: String(cluster.expected_nodes),
  });
}

/**
 * Several processes may come to listen on one port, be it only while one takes over from the other. A single one is told as
 * well: the port that it had taken for itself alone could not be shared when the service is scaled, which restarts nothing.
 */
function sharingPart({ port, process }: ServiceSpec): Record<string, string> {
  const isShared = typeof port === 'number' && process.schedule === null;
  return isShared ? { PROCESSMASTER_ENABLE_REUSEPORT: '1' } : {};
}

/** The names in `process.required_env` that are not set or empty. */
export function missingVariables(
  spec: ServiceSpec,
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  return spec.process.required_env.filter((name) => (environment[name] ?? '') === '');
}

function inheritedPart({ spec, inherited }: EnvironmentInput): Record<string, string> {
  const { inherit_env } = spec.process;
  const names =
    inherit_env === true ? Object.keys(inherited) : ['LANG', ...(inherit_env === false ? [] : inherit_env)];
  const part: Record<string, string> = { PATH: inherited['PATH'] ?? DEFAULT_PATH };
  for (const name of names) {
    const value = inherited[name];
    if (value !== undefined) part[name] = value;
  }
  return part;
}

function identityPart({ credentials, self }: EnvironmentInput): Record<string, string> {
  const who = credentials ?? self;
  return { HOME: who.home, USER: who.user, LOGNAME: who.user, SHELL: who.shell };
}
