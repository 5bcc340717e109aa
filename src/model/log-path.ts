/** Which files do the instances of a service write to? */
import type { LogsSpec } from './spec.ts';
import { fillIn, needsStart } from './template.ts';

/** The file of one instance: `logs.stdout` and `logs.stderr` may name `${instance}`. */
export function logPathOf(template: string, instance: number): string {
  return fillIn(template, { instance, generation: 0 });
}

/** True when each instance has a file of its own. */
export function isPerInstance(template: string): boolean {
  return needsStart(template);
}

export interface WrittenLog {
  readonly stream: 'stdout' | 'stderr';
  readonly path: string;
  /** null: all instances share the file. */
  readonly instance: number | null;
}

/** The files of instances 0 to `instances` - 1, both streams of each instance together. */
export function writtenLogs({ stdout, stderr }: LogsSpec, instances: number): readonly WrittenLog[] {
  const of = (stream: WrittenLog['stream'], template: string, instance: number): readonly WrittenLog[] => {
    const own = isPerInstance(template);
    if (!own && instance > 0) return [];
    return [{ stream, path: logPathOf(template, instance), instance: own ? instance : null }];
  };
  return Array.from({ length: Math.max(1, instances) }, (_, instance) => [
    ...of('stdout', stdout, instance),
    ...of('stderr', stderr, instance),
  ]).flat();
}

/** A pattern that matches the file of every instance. */
export function logPattern(template: string): string {
  return fillIn(template, ANY).replaceAll(`${ANY.instance}`, '*');
}

/** The directory that has an entry for each instance, and what that tells of a log. */
export interface InstancePlace {
  readonly directory: string;
  /** The instance that an entry belongs to; undefined: none. */
  readonly instanceOf: (name: string) => number | undefined;
}

/** undefined when all instances share the file. */
export function instancePlace(template: string): InstancePlace | undefined {
  const path = fillIn(template, ANY);
  const variable = path.indexOf(`${ANY.instance}`);
  if (variable < 0) return undefined;
  const start = path.lastIndexOf('/', variable) + 1;
  const [entry = ''] = path.slice(start).split('/', 1);
  const before = path.slice(start, variable);
  return {
    directory: path.slice(0, start),
    instanceOf: (name) => {
      if (!name.startsWith(before)) return undefined;
      // There are never more than 1000 instances; what follows the number may begin with a digit, too.
      for (let end = 1; end <= 3; end++) {
        const number = Number(name.slice(before.length, before.length + end));
        if (entry.replaceAll(`${ANY.instance}`, `${number}`) === name) return number;
      }
      return undefined;
    },
  };
}

/** In the place of a number: no instance has this one. */
const ANY = { instance: Number.MAX_SAFE_INTEGER, generation: 0 };
