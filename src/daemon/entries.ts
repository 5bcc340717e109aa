/** What does an entry of the history say of files as they were followed? */
import { createHash } from 'node:crypto';
import type { Desired, EnvFile } from '../model/spec.ts';
import { type Snapshot, type SnapshotFile, snapshotId } from './snapshots.ts';

/** One file as it was followed, before anything of it was worked out. */
export interface Seen {
  readonly path: string;
  readonly text: string;
  readonly desired: Desired;
}

export function isSame(a: readonly Seen[], b: readonly Seen[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ path, text, desired }, at) => {
    const other = b[at];
    return other?.path === path && other.text === text && digestOf(other.desired) === digestOf(desired);
  });
}

/** The same texts, and they mean the same. */
export function isSameState(before: Snapshot, next: Snapshot): boolean {
  const nothing = next.added.length + next.changed.length + next.removed.length === 0;
  return before.id === next.id && nothing;
}

export function snapshotOf(
  files: readonly SnapshotFile[],
  before: Snapshot | undefined,
  about: Pick<Snapshot, 'at' | 'number' | 'trigger' | 'by'>,
): Snapshot {
  const old = new Map((before?.files ?? []).map((file) => [file.service, file]));
  const names = new Set(files.map(({ service }) => service));
  const added = files.filter(({ service }) => !old.has(service)).map(({ service }) => service);
  const changed = files.flatMap(({ service, blob, digest }) => {
    const was = old.get(service);
    return was === undefined || (was.blob === blob && was.digest === digest) ? [] : [service];
  });
  const removed = [...old.keys()].filter((service) => !names.has(service));
  const touched = [...added, ...changed, ...removed];
  // What had not come up before is told by the entry that brought it: one broken service spoils no other entry.
  const results = touched.map((service) => [service, 'pending'] as const);
  return {
    ...about,
    id: snapshotId(files),
    commit: null,
    files,
    added,
    changed,
    removed,
    results: Object.fromEntries(results),
  };
}

export function fileOf({ path, desired }: Seen, blob: string): SnapshotFile {
  const good = desired.kind === 'defined' ? desired : undefined;
  const env_files = (good?.spec.process.env_files ?? []).map((file) => [file.path, envDigest(file)] as const);
  return {
    path,
    blob,
    service: desired.name,
    hash: good?.hash ?? null,
    digest: good?.digest ?? null,
    env_files: Object.fromEntries(env_files),
  };
}

/** Of a dotenv file, which holds digests in the place of its values already. */
export function envDigest({ values }: Pick<EnvFile, 'values'>): string {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(values).sort()))
    .digest('hex')
    .slice(0, 12);
}

function digestOf(desired: Desired): string | null {
  return desired.kind === 'defined' ? desired.digest : null;
}
