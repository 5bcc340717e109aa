/** When is a log rotated, and which rotated files go? */
import { NUMBERED, type RotatedName, rotatedName } from './rotation-names.ts';
import { type Frequency, periodEnd, periodLabel } from './rotation-period.ts';
import type { ZoneRules } from './time-zone.ts';

/** Durations in milliseconds, sizes in bytes. */
export interface RotationSpec {
  readonly mode: 'time' | 'size';
  /** Time mode only. */
  readonly frequency: Frequency | 'none';
  /** Time mode only: rotated files that were last modified longer ago go; null: none. */
  readonly max_age: number | null;
  /** Size mode only. */
  readonly size: number;
  /** Size mode only: how many rotated files stay. */
  readonly backups: number;
  readonly compress: boolean;
}

/** The active file. */
export interface ActiveLog {
  readonly size: number;
  /**
   * When its content began: the last time that it was seen empty or was rotated, or else the birth of the file.
   * Milliseconds since 1970.
   */
  readonly since: number;
}

export type RotationVerdict =
  /** `target` is what the name is made of; see `placement`. */
  | { readonly due: true; readonly target: string }
  /** Look again at `wakeAt` if the file is not empty by then; null: only growth can make it due. */
  | { readonly due: false; readonly wakeAt: number | null };

/** A file in the directory of the log. */
export interface FileBeside {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/**
 * An empty file is never due: it would only push others out. A dated file is called after the period in which its
 * content began.
 */
export function judgeRotation(
  spec: RotationSpec,
  log: ActiveLog,
  now: number,
  zone: ZoneRules,
): RotationVerdict {
  if (spec.mode === 'size') {
    return log.size > 0 && log.size >= spec.size
      ? { due: true, target: NUMBERED }
      : { due: false, wakeAt: null };
  }
  if (spec.frequency === 'none') return { due: false, wakeAt: null };
  const end = periodEnd(spec.frequency, log.since, zone);
  if (now < end) return { due: false, wakeAt: end };
  if (log.size === 0) return { due: false, wakeAt: periodEnd(spec.frequency, now, zone) };
  return { due: true, target: periodLabel(spec.frequency, log.since, zone) };
}

/**
 * When the content of a log began: at the last of these times. One that nobody knows (0: not every file system keeps a
 * time of birth) counts for nothing, nor does one that lies ahead: a clock was set back since, or somebody has touched
 * the file.
 * @returns undefined: none of them tells
 */
export function contentBegan(times: readonly number[], now: number): number | undefined {
  const told = times.filter((time) => time > 0 && time <= now);
  return told.length === 0 ? undefined : latest(told);
}

/**
 * The names that go, oldest first. Only files that rotation made are looked at, of both modes alike: in size mode all
 * but the newest `backups`, in time mode those older than `max_age`.
 * @param files everything in the directory of the log
 */
export function pruned(
  spec: RotationSpec,
  base: string,
  files: readonly FileBeside[],
  now: number,
): readonly string[] {
  const ordered = newestFirst(base, files);
  const going =
    spec.mode === 'size'
      ? ordered.slice(spec.backups)
      : ordered.filter(({ modified }) => spec.max_age !== null && now - modified > spec.max_age);
  return going.flatMap(({ names }) => names).reverse();
}

/** When the next file becomes too old; null: never, as far as is known now. */
export function nextPruning(spec: RotationSpec, base: string, files: readonly FileBeside[]): number | null {
  if (spec.mode === 'size' || spec.max_age === null) return null;
  // They are in the order of their times.
  const oldest = newestFirst(base, files).at(-1);
  return oldest === undefined ? null : oldest.modified + spec.max_age + 1;
}

/** Rotated files that are to be compressed, oldest first. */
export function uncompressed(
  spec: RotationSpec,
  base: string,
  files: readonly FileBeside[],
): readonly string[] {
  if (!spec.compress) return [];
  return newestFirst(base, files)
    .flatMap(({ names }) => names.filter((name) => rotatedName(base, name)?.compressed === false))
    .reverse();
}

interface Backup {
  readonly rotated: RotatedName;
  /** Usually one; a plain and a compressed one while (or because) compressing was interrupted. */
  readonly names: readonly string[];
  /** Never less than that of those which are older by name. */
  readonly modified: number;
}

/**
 * Numbers and dates each tell an order of their own; between the two series the time of modification decides. A time
 * that contradicts the names (`touch`) yields to them: no file outlives one that is newer by its name.
 */
function newestFirst(base: string, files: readonly FileBeside[]): readonly Backup[] {
  const backups = new Map<string, Backup>();
  for (const { name, modified } of files) {
    const rotated = rotatedName(base, name);
    if (rotated === null) continue;
    const key = rotated.kind === 'numbered' ? `${rotated.number}` : `${rotated.label}.${rotated.counter}`;
    const known = backups.get(key);
    backups.set(key, {
      rotated,
      names: [...(known?.names ?? []), name],
      modified: Math.max(modified, known?.modified ?? 0),
    });
  }
  const all = [...backups.values()];
  return [
    ...inOrder(all.filter(({ rotated }) => rotated.kind === 'numbered')),
    ...inOrder(all.filter(({ rotated }) => rotated.kind === 'dated')),
  ].sort((a, b) => b.modified - a.modified);
}

function latest(times: readonly number[]): number {
  return times.reduce((found, time) => Math.max(found, time), 0);
}

/** One series, newest first, with times that agree. */
function inOrder(series: readonly Backup[]): readonly Backup[] {
  const oldestFirst = [...series].sort((a, b) => byAge(b.rotated, a.rotated));
  let latest = 0;
  return oldestFirst
    .map((each) => {
      latest = Math.max(latest, each.modified);
      return { ...each, modified: latest };
    })
    .reverse();
}

/** Negative: `a` is the newer one. */
function byAge(a: RotatedName, b: RotatedName): number {
  if (a.kind === 'numbered' || b.kind === 'numbered') {
    return a.kind === 'numbered' && b.kind === 'numbered' ? a.number - b.number : 0;
  }
  if (a.label === b.label) return b.counter - a.counter;
  return a.label < b.label ? 1 : -1;
}
