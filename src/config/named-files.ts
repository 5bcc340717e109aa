/** What is told of files that somebody has named, and how much can be judged of each? */
import { basename, dirname, join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { type Files, isFailure } from '../world/world.ts';
import type { Claims } from './claims.ts';

/** A file whose dependencies are perhaps services of files that were not looked at. */
export interface Unchecked {
  /** As shown to people. */
  readonly file: string;
  /** Names of services, in the order of the file. */
  readonly depends_on: readonly string[];
}

/** Absolute paths, each file once. */
export interface NamedPlaces {
  readonly all: ReadonlySet<string>;
  /** Those of the configuration directory, also when they were named by a link to that directory. */
  readonly inside: ReadonlySet<string>;
}

/** @param paths absolute */
export function namedPlaces(
  paths: readonly string[],
  directory: string,
  files: Pick<Files, 'status'>,
): NamedPlaces {
  const own = files.status(directory);
  const leadsThere = (parent: string): boolean => {
    if (parent === directory) return true;
    const status = files.status(parent);
    return !isFailure(own) && !isFailure(status) && own.version === status.version;
  };
  const places = paths.map((path) =>
    leadsThere(dirname(path)) ? { path: join(directory, basename(path)), isInside: true } : { path },
  );
  return {
    all: new Set(places.map(({ path }) => path)),
    inside: new Set(places.flatMap(({ path, isInside }) => (isInside === true ? [path] : []))),
  };
}

/** @param shown the files that were named, as they are shown to people */
export function concerning(
  { problems, shared }: Pick<Claims, 'problems' | 'shared'>,
  shown: ReadonlySet<string>,
): readonly Problem[] {
  return problems.filter((problem) => {
    const concerned = [problem.file, ...(shared.get(problem) ?? [])];
    return concerned.some((file) => file !== undefined && shown.has(file));
  });
}

/** What is depended on and defined nowhere; with `all` files looked at that is an error, and no open question. */
export function absentNames(
  { services, followed }: Pick<Claims, 'services' | 'followed'>,
  files: 'all' | 'some',
): readonly Unchecked[] {
  if (files === 'all') return [];
  const known: ReadonlySet<string> = new Set(services.keys());
  return followed.flatMap(({ desired: { file, spec } }) => {
    const depends_on = Object.keys(spec.depends_on).filter((name) => !known.has(name));
    return depends_on.length === 0 ? [] : [{ file, depends_on }];
  });
}
