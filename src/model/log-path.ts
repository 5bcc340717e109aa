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
  if (!isPerInstance(template)) return logPathOf(template, 0);
  // No path can contain a NUL.
  return fillIn(template.replaceAll('${instance}', '\0'), { instance: 0, generation: 0 }).replaceAll(
    '\0',
    '*',
  );
}
