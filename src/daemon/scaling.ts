/** Of which services does a command say how many instances run, and not the file? */
import type { ScaleView } from '../api/changes.ts';
import type { Intent } from '../model/memory.ts';
import type { Desired, ServiceSpec } from '../model/spec.ts';

type Scale = NonNullable<Intent['scale']>;

/** undefined: the number is the file's. */
export function scaleOf(
  desired: Desired | undefined,
  { scale }: Pick<Intent, 'scale'>,
): ScaleView | undefined {
  if (desired?.kind !== 'defined' || scale === undefined || isOutlived(scale, desired.spec)) return undefined;
  // There is one run for each time, whatever was asked for before it had a schedule.
  if (desired.spec.process.schedule !== null) return undefined;
  return { instances: scale.instances, file: scale.file, by: scale.by, at: new Date(scale.at).toISOString() };
}

/** The file agrees now, or was edited since: either way it has the last word. */
export function isOutlived(scale: Scale, { instances }: Pick<ServiceSpec, 'instances'>): boolean {
  return instances !== scale.file || instances === scale.instances;
}
