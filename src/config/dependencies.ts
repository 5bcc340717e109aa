/** Can every service ever get what it waits for? */
import type { ServiceName } from '../model/names.ts';
import { nearest } from '../model/nearest.ts';
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { Defined, Desired, Position, ServiceSpec } from '../model/spec.ts';

type Services = ReadonlyMap<ServiceName, Desired>;

/** What says for which services it waits, whether it can be followed or not. */
export type Waiting = Pick<Defined, 'name' | 'file' | 'positions'> & {
  readonly spec: Pick<ServiceSpec, 'enabled' | 'depends_on'>;
};

/**
 * Problems of one definition among all others. Errors make it one that cannot be followed; a warning is only told.
 * @param names `some`: services may be defined in files that were not looked at
 */
export function dependencyProblems(
  one: Defined,
  services: Services,
  names: 'all' | 'some',
): readonly Problem[] {
  if (Object.keys(one.spec.depends_on).length === 0) return [];
  const problems = unmetDependencies(one, services, names);
  const circle = circleOf(one.name, services);
  if (circle === undefined) return problems;
  const says = `services wait for each other: ${circle.join(' -> ')}`;
  const hint = 'take one of these out of depends_on';
  return [...problems, problemOf(one, circle[1] ?? one.name, { code: 'dependency-cycle', says, hint })];
}

/** The same without circles: a definition that is not followed closes none. */
export function unmetDependencies(
  one: Waiting,
  services: Services,
  names: 'all' | 'some',
): readonly Problem[] {
  const wanted = Object.entries(one.spec.depends_on) as [ServiceName, string][];
  return wanted.flatMap(([name, state]): readonly Problem[] => {
    const other = services.get(name);
    if (other === undefined) return names === 'all' ? [unknown(one, name, services)] : [];
    // That a service waits for itself was told when its own text was read.
    if (other.kind === 'broken' || name === one.name) return [];
    return unfit(one, other, state);
  });
}

/** The shortest way along `depends_on` from a service back to itself, both ends included. */
function circleOf(start: ServiceName, services: Services): readonly ServiceName[] | undefined {
  const cameFrom = new Map<ServiceName, ServiceName>();
  const queue: ServiceName[] = [start];
  for (const name of queue) {
    const service = services.get(name);
    if (service?.kind !== 'defined') continue;
    for (const next of Object.keys(service.spec.depends_on) as ServiceName[]) {
      if (next === start) return wayBack(name, start, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, name);
      queue.push(next);
    }
  }
  return undefined;
}

function wayBack(
  last: ServiceName,
  start: ServiceName,
  cameFrom: ReadonlyMap<ServiceName, ServiceName>,
): readonly ServiceName[] {
  const way: ServiceName[] = [start];
  for (let at: ServiceName | undefined = last; at !== undefined && at !== start; at = cameFrom.get(at)) {
    way.unshift(at);
  }
  return [start, ...way];
}

function unknown(one: Waiting, name: ServiceName, services: Services): Problem {
  const near = nearest(name, [...services.keys()]);
  return problemOf(one, name, {
    code: 'dependency-unknown',
    says: `there is no service ${JSON.stringify(name)}`,
    hint:
      near === undefined ? 'depends_on takes names of services of this directory' : `did you mean ${near}?`,
  });
}

function unfit(one: Waiting, { name, spec }: Defined, state: string): Problem[] {
  if (state === 'completed' && spec.process.type !== 'oneshot') {
    const says = `${name} is never completed, as it is no oneshot`;
    const hint = `wait for ready, or give ${name} type: oneshot`;
    return [problemOf(one, name, { code: 'dependency-unfit', says, hint })];
  }
  if (!one.spec.enabled || (spec.enabled && spec.instances > 0)) return [];
  const says = spec.enabled ? `${name} has no instances` : `${name} is not enabled`;
  const told = `${says}, so ${one.name} waits until that changes`;
  return [{ ...problemOf(one, name, { code: 'dependency-unfit', says: told }), severity: 'warning' }];
}

function problemOf(
  { file, spec, positions, name }: Waiting,
  other: ServiceName,
  { code, says, hint }: { readonly code: ProblemCode; readonly says: string; readonly hint?: string },
): Problem {
  const path = `depends_on.${other}`;
  return {
    code,
    severity: 'error',
    message: `${path}: ${says}`,
    file,
    ...placeOf(other, Object.keys(spec.depends_on), positions),
    path,
    ...(hint === undefined ? {} : { hint }),
    service: name,
  };
}

/** In a map by its name, in a list by its place there. */
function placeOf(
  other: ServiceName,
  names: readonly string[],
  positions: ReadonlyMap<string, Position>,
): Partial<Position> {
  const inMap = positions.get(`depends_on.${other}`);
  if (inMap !== undefined) return inMap;
  // Names that are numbers do not keep their places in an object.
  const inOrder = !names.some((name) => /^\d+$/.test(name));
  const inList = inOrder ? positions.get(`depends_on[${names.indexOf(other)}]`) : undefined;
  return inList ?? positions.get('depends_on') ?? {};
}
