/** Which definition of each service is followed, once the directory was read again? */
import type { ServiceName } from '../model/names.ts';
import { sentence } from '../model/problem.ts';
import type { Defined, Desired, DesiredState } from '../model/spec.ts';
import type { UserOf } from '../world/world.ts';

/** Before the directory is read first. */
export const NOTHING: DesiredState = { services: new Map(), problems: [], files: 0, readable: true };

/**
 * The new reading for the named services, the old one for all others, and for those whose file is broken now.
 * @param only undefined: all services
 */
export function followed(
  old: DesiredState,
  fresh: DesiredState,
  only: ReadonlySet<string> | undefined,
): DesiredState {
  const services = new Map<ServiceName, Desired>();
  for (const [name, service] of only === undefined ? [] : old.services) {
    if (only?.has(name) !== true) services.set(name, service);
  }
  for (const [name, service] of fresh.services) {
    if (only?.has(name) !== false) services.set(name, unlessBroken(old.services.get(name), service));
  }
  return { ...fresh, services };
}

/**
 * The last good text of a broken file may be one that was read, but never followed: it is not followed now either. And
 * there may be none, where the file was gone for a moment in which others were followed.
 */
function unlessBroken(before: Desired | undefined, now: Desired): Desired {
  const isBroken = now.kind === 'broken' || now.problems.length > 0;
  return isBroken && before?.kind === 'defined' ? { ...before, problems: now.problems } : now;
}

/** Two readings of the directory say the same; definitions of unchanged files are the same objects. */
export function isSameReading(a: DesiredState, b: DesiredState): boolean {
  return (
    a.readable === b.readable &&
    a.files === b.files &&
    a.services.size === b.services.size &&
    a.problems.length === b.problems.length &&
    [...(a.named ?? [])].every((path) => b.named?.has(path)) &&
    a.named?.size === b.named?.size &&
    a.problems.every((problem, at) => sentence(problem) === sentence(b.problems[at] ?? problem)) &&
    [...a.services].every(([name, service]) => b.services.get(name) === service)
  );
}

/** The services that have a definition. */
export function definedIn({ services }: DesiredState): ReadonlyMap<ServiceName, Defined> {
  const defined = [...services].flatMap(([name, each]) =>
    each.kind === 'defined' ? [[name, each] as const] : [],
  );
  return new Map(defined);
}

/** Who a service runs as by its definition; undefined: as the daemon, or nobody knows. */
export function userIn({ services }: DesiredState): UserOf {
  return (name) => {
    const desired = services.get(name);
    return desired?.kind === 'defined' ? desired.credentials?.uid : undefined;
  };
}
