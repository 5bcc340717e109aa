/** Which file speaks for which service, and what holds when more than one does, or none that can be read? */
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, Desired, Position } from '../model/spec.ts';
import { logsToKeep, rotationSpec } from '../policy/logs-to-keep.ts';
import type { Claim } from './definition.ts';
import { dependencyProblems, unmetDependencies, type Waiting } from './dependencies.ts';

/** What one file says. */
export type FileResult =
  | {
      readonly kind: 'good';
      readonly path: string;
      readonly desired: Defined;
      readonly warnings: readonly Problem[];
    }
  | {
      readonly kind: 'bad';
      readonly path: string;
      readonly shown: string;
      readonly problems: readonly Problem[];
      readonly claim: Claim;
      /** What the file says besides what is wrong in it: only to tell what else is. */
      readonly besides?: Waiting | undefined;
    };

type GoodFile = Extract<FileResult, { kind: 'good' }>;

export interface Claims {
  readonly services: ReadonlyMap<ServiceName, Desired>;
  readonly problems: readonly Problem[];
  /** The other files that have a part in a problem, as shown to people. */
  readonly shared: ReadonlyMap<Problem, readonly string[]>;
  /** Files whose definition is in force as they stand. */
  readonly followed: readonly GoodFile[];
}

/**
 * @param lastGood the last good definition of a service, if there is one
 * @param files `some`: there are further files, which may define what these depend on
 */
export function settleClaims(
  results: readonly FileResult[],
  lastGood: (name: ServiceName) => Defined | undefined,
  files: 'all' | 'some',
): Claims {
  const services = new Map<ServiceName, Desired>();
  const followed: GoodFile[] = [];
  const problems = results.flatMap((result) => (result.kind === 'good' ? result.warnings : result.problems));
  for (const [name, claimed] of byName(results)) {
    const [first] = claimed;
    if (first === undefined) continue;
    if (claimed.length === 1 && first.kind === 'good') {
      services.set(name, first.desired);
      followed.push(first);
      continue;
    }
    const duplicates = claimed.length === 1 ? [] : duplicateProblems(name, claimed);
    problems.push(...duplicates);
    const own = [...claimed.flatMap((file) => (file.kind === 'bad' ? file.problems : [])), ...duplicates];
    services.set(name, standIn(name, shownOf(first), own, lastGood(name)));
  }
  problems.push(...unmetBesides(results, services, followed, files));
  const waiting = settleDependencies(services, followed, lastGood, files);
  const quarrels = [...sharedPorts(waiting.followed), ...logQuarrels(waiting.followed)];
  const unfit = waiting.problems.flatMap((problem) => partOfOther(problem, services));
  return {
    services: sorted(services),
    problems: [...problems, ...waiting.problems, ...quarrels.map(({ problem }) => problem)],
    shared: new Map([...unfit, ...quarrels].map(({ problem, others }) => [problem, others])),
    followed: waiting.followed,
  };
}

/** One mistake must not hide another: what files that are not followed wait for and can never get, in `services` too. */
function unmetBesides(
  results: readonly FileResult[],
  services: Map<ServiceName, Desired>,
  followed: readonly GoodFile[],
  files: 'all' | 'some',
): readonly Problem[] {
  return results.flatMap((result): readonly Problem[] => {
    if (result.kind === 'good' && followed.includes(result)) return [];
    const besides = result.kind === 'good' ? result.desired : result.besides;
    if (besides === undefined) return [];
    const told = new Set(result.kind === 'good' ? [] : result.problems.map(({ path }) => path));
    const unmet = unmetDependencies(besides, services, files).filter(
      ({ severity, path }) => severity === 'error' && !told.has(path),
    );
    const service = services.get(besides.name);
    // The name may be no name, or belong to a file that says it, where this one only lends its own.
    const isIts = service?.problems.some(({ file }) => file === besides.file) === true;
    if (service === undefined || !isIts) return unmet.map(({ service: _, ...problem }) => problem);
    services.set(besides.name, { ...service, problems: [...service.problems, ...unmet] });
    return unmet;
  });
}

interface Shared {
  readonly problem: Problem;
  readonly others: readonly string[];
}

/** Who cannot become what others wait for has a part in it. */
function partOfOther(problem: Problem, services: ReadonlyMap<string, Desired>): readonly Shared[] {
  if (problem.code !== 'dependency-unfit') return [];
  const other = services.get(problem.path?.slice('depends_on.'.length) ?? '');
  return other === undefined ? [] : [{ problem, others: [other.file] }];
}

/**
 * Whoever waits for what can never be stands back, in `services` too. What then stands in for it may be wrong for
 * others: they are asked again, until all who are left agree.
 */
function settleDependencies(
  services: Map<ServiceName, Desired>,
  followed: readonly GoodFile[],
  lastGood: (name: ServiceName) => Defined | undefined,
  files: 'all' | 'some',
): { readonly followed: readonly GoodFile[]; readonly problems: readonly Problem[] } {
  const found = followed.map((file) => ({ file, own: dependencyProblems(file.desired, services, files) }));
  const wrong = found.filter(({ own }) => own.some(({ severity }) => severity === 'error'));
  if (wrong.length === 0) return { followed, problems: found.flatMap(({ own }) => own) };
  for (const { file, own } of wrong) {
    const { name, file: shown } = file.desired;
    services.set(name, standIn(name, shown, own, lastGood(name)));
  }
  const left = followed.filter((file) => !wrong.some((each) => each.file === file));
  const others = settleDependencies(services, left, lastGood, files);
  return { followed: others.followed, problems: [...wrong.flatMap(({ own }) => own), ...others.problems] };
}

/** A file that only lends its file name gives way to one that says the name. */
function byName(results: readonly FileResult[]): ReadonlyMap<ServiceName, readonly FileResult[]> {
  const claims = new Map<ServiceName, FileResult[]>();
  const weak: { readonly name: ServiceName; readonly result: FileResult }[] = [];
  for (const result of results) {
    const claim = result.kind === 'good' ? { name: result.desired.name, sure: true } : result.claim;
    if (claim.name === undefined) continue;
    if (!claim.sure) weak.push({ name: claim.name, result });
    else claims.set(claim.name, [...(claims.get(claim.name) ?? []), result]);
  }
  for (const { name, result } of weak) if (!claims.has(name)) claims.set(name, [result]);
  return claims;
}

function standIn(
  name: ServiceName,
  file: string,
  problems: readonly Problem[],
  good: Defined | undefined,
): Desired {
  return good === undefined ? { kind: 'broken', name, file, problems } : { ...good, problems };
}

function duplicateProblems(name: ServiceName, files: readonly FileResult[]): readonly Problem[] {
  return files.map((file) => {
    const others = files.filter((other) => other !== file).map((other) => placeText(other));
    return {
      code: 'name-duplicate',
      severity: 'error',
      message: `service ${JSON.stringify(name)} is also defined in ${others.join(', ')}`,
      file: shownOf(file),
      ...linePlace(file),
      path: 'name',
      hint: 'keep one of them, or give one another name',
      service: name,
    };
  });
}

/** Two services on one port are possible (SO_REUSEPORT), but rarely meant. */
function sharedPorts(followed: readonly GoodFile[]): readonly Shared[] {
  const byPort = new Map<number, Defined>();
  return followed.flatMap(({ desired }) => {
    const { port } = desired.spec;
    if (typeof port !== 'number' || !desired.spec.enabled) return [];
    const other = byPort.get(port);
    byPort.set(port, other ?? desired);
    if (other === undefined) return [];
    const problem: Problem = {
      code: 'port-shared',
      severity: 'warning',
      message: `port: ${port} is the port of ${other.name} (${other.file}) too`,
      file: desired.file,
      ...desired.positions.get('port'),
      path: 'port',
      service: desired.name,
    };
    return [{ problem, others: [other.file] }];
  });
}

/** Two services may write to one file, but only one can say how it is rotated; and no log may look like a rotated one. */
function logQuarrels(followed: readonly GoodFile[]): readonly Shared[] {
  const services = new Map(followed.map(({ desired }) => [desired.name, desired]));
  const kept = logsToKeep(services, (path) => path);
  const unsaid = new Set<Defined>();
  return [...kept.values()].flatMap(({ path, spec, clash, ...log }) => {
    const [first, ...others] = log.services.flatMap((name) => services.get(name) ?? []);
    if (first === undefined) return [];
    const at = (desired: Defined) => ({
      file: desired.file,
      ...(desired.positions.get('logs') ?? { line: 1, column: 1 }),
      path: 'logs',
      service: desired.name,
    });
    const differing = others.filter((each) => !isDeepStrictEqual(rotationSpec(each.spec.logs), spec));
    const problems: Shared[] = differing.map(
      (each): Shared => ({
        problem: {
          code: 'log-shared',
          severity: 'warning',
          message: `logs: ${path} is shared with ${first.name} (${first.file}), which says how it is rotated; what is said here is ignored`,
          ...at(each),
        },
        others: [first.file],
      }),
    );
    for (const each of others) {
      // Both streams are shared mostly: one warning is enough.
      if (differing.includes(each) || unsaid.has(each) || ![first, each].every(fellBackTo(path))) continue;
      unsaid.add(each);
      const message = `logs: ${path} is the log of ${first.name} (${first.file}) too: both work in one directory, and neither names its logs`;
      const hint = 'name logs.stdout and logs.stderr in each; the same file in both, where that is meant';
      const problem = { code: 'log-shared', severity: 'warning', message, hint, ...at(each) } as const;
      problems.push({ problem, others: [first.file] });
    }
    if (clash === null) return problems;
    const writers = kept.get(clash)?.services.flatMap((name) => services.get(name)?.file ?? []) ?? [];
    const message = `logs: ${path} cannot be rotated, because ${clash} has a name that one of its rotated files would get`;
    const hint = 'give one of the two another name';
    const problem = { code: 'log-not-rotated', severity: 'warning', message, hint, ...at(first) } as const;
    return [...problems, { problem, others: [...others.map(({ file }) => file), ...writers] }];
  });
}

/** Is it the log of the service only because its file names none? */
function fellBackTo(path: string): (service: Defined) => boolean {
  return ({ spec, positions }) =>
    (['stdout', 'stderr'] as const).some(
      (stream) =>
        path === spec.logs[stream] && basename(path) === `${stream}.log` && !positions.has(`logs.${stream}`),
    );
}

function placeText(result: FileResult): string {
  return `${shownOf(result)}:${linePlace(result).line}`;
}

/** Of the key `name`; a file that is named only by its file name is meant from its first line on. */
function linePlace(result: FileResult): Position {
  const found = result.kind === 'good' ? result.desired.positions.get('name') : undefined;
  return found ?? { line: 1, column: 1 };
}

function shownOf(result: FileResult): string {
  return result.kind === 'good' ? result.desired.file : result.shown;
}

function sorted(services: ReadonlyMap<ServiceName, Desired>): ReadonlyMap<ServiceName, Desired> {
  return new Map([...services].sort(([a], [b]) => (a < b ? -1 : 1)));
}
