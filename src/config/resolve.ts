/** What do the files and users that a definition names say at this moment? */
import type { Problem } from '../model/problem.ts';
import type { Defined, ServiceSpec } from '../model/spec.ts';
import { type Files, isFailure, type Users } from '../world/world.ts';
import type { Definition } from './definition.ts';
import { filesOf, readEnvironment } from './environment.ts';
import { identityOf } from './hash.ts';
import { whoRuns } from './who.ts';

export type Resolved =
  | { readonly kind: 'good'; readonly desired: Defined }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

/** Changes whenever {@link resolveDefinition} might answer otherwise. */
export function fingerprint({ draft, who }: Definition, files: Files, users: Users): string {
  const versions = filesOf(draft.environment).map((path) => {
    const status = files.status(path);
    return isFailure(status) ? status.failed : status.version;
  });
  if (versions.length === 0 && Object.keys(who).length === 0) return '';
  const user = who.user === undefined ? undefined : users.user(who.user);
  const groups = [who.group, ...(who.supplementary_groups ?? [])].map((name) => {
    return name === undefined ? undefined : users.group(name);
  });
  return JSON.stringify([versions, user ?? null, groups]);
}

export function resolveDefinition(definition: Definition, files: Files, users: Users): Resolved {
  const { draft, source, name, who } = definition;
  const environment = readEnvironment(draft.environment, files, source);
  const running = whoRuns(who, users, source);
  const problems = [
    ...('problems' in environment ? environment.problems : []),
    ...('problems' in running ? running.problems : []),
  ];
  if ('problems' in environment || 'problems' in running) {
    return { kind: 'bad', problems: problems.map((problem) => ({ ...problem, service: name })) };
  }
  const { env, env_files, secrets } = environment;
  const spec: ServiceSpec = { ...draft.spec, process: { ...draft.spec.process, env, env_files } };
  const desired: Defined = {
    kind: 'defined',
    name,
    file: source.file,
    spec,
    ...identityOf(spec),
    secrets,
    credentials: running.credentials,
    positions: source.positions(),
    problems: [],
  };
  return { kind: 'good', desired };
}
