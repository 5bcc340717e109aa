/** In which services and fields do two readings of the directory differ, whatever runs? */
import { createHash } from 'node:crypto';
import type { Change, ChangeKind, FieldChange } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, Desired, DesiredState } from '../model/spec.ts';
import { diffSpecs } from '../reconcile/diff.ts';
import type { Snapshot } from './snapshots.ts';

/** By service; `start` for one that is only in the newer reading, `stop` for one that is only in the older. */
export function changesBetween(older: DesiredState, newer: DesiredState): readonly Change[] {
  const names = [...new Set([...older.services.keys(), ...newer.services.keys()])].sort();
  return names.flatMap((service) => {
    const change = changeBetween(older.services.get(service), newer.services.get(service));
    return change === undefined ? [] : [{ service, ...change }];
  });
}

/** Services whose definitions are not the same in both. */
export function differing(a: DesiredState, b: DesiredState): readonly ServiceName[] {
  const digest = (desired: Desired | undefined): string | undefined =>
    desired?.kind === 'defined' ? desired.digest : desired?.kind;
  const names = new Set([...a.services.keys(), ...b.services.keys()]);
  return [...names].filter((name) => digest(a.services.get(name)) !== digest(b.services.get(name))).sort();
}

/** What keeps texts that were good when they were applied from being so now: a file or a user that they name is gone. */
export function spoiltSince({ files }: Pick<Snapshot, 'files'>, reading: DesiredState): readonly Problem[] {
  const good = new Set(files.filter(({ hash }) => hash !== null).map(({ service }) => service));
  return [...reading.services.values()].flatMap(({ name, problems }) => (good.has(name) ? problems : []));
}

/** Differs whenever a definition of any service does, contents of dotenv files and secrets included. */
export function desiredHash({ services, readable }: DesiredState): string {
  const lines = [...services.values()]
    .map(
      (each) =>
        `${each.name} ${each.kind === 'defined' ? each.digest : 'broken'} ${each.problems.length > 0}`,
    )
    .sort();
  return createHash('sha256')
    .update(`${readable}\n${lines.join('\n')}`)
    .digest('hex')
    .slice(0, 16);
}

function changeBetween(
  older: Desired | undefined,
  newer: Desired | undefined,
): Omit<Change, 'service'> | undefined {
  const [was, is] = [definedOr(older), definedOr(newer)];
  if (was === undefined && is === undefined) return undefined;
  if (was === undefined) return { action: 'start', because: [], reason: 'added', instances: instancesOf(is) };
  if (is === undefined)
    return { action: 'stop', because: [], reason: 'removed', instances: instancesOf(was) };
  if (was.digest === is.digest) return undefined;
  const because = diffSpecs(was.spec, is);
  return { action: weightiest(because), because, reason: 'definition changed', instances: instancesOf(is) };
}

function definedOr(desired: Desired | undefined): Defined | undefined {
  return desired?.kind === 'defined' ? desired : undefined;
}

function instancesOf(desired: Defined | undefined): number {
  return desired === undefined || !desired.spec.enabled ? 0 : desired.spec.instances;
}

const WEIGHTS: readonly ChangeKind[] = ['replace', 'roll', 'reload'];

function weightiest(because: readonly FieldChange[]): ChangeKind {
  return WEIGHTS.find((kind) => because.some((field) => field.class === kind)) ?? 'live';
}
