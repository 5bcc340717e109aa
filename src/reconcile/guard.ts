/** Does a change of the directory look like a mistake? Then nothing is removed until somebody confirms. */
import type { ServiceName } from '../model/names.ts';

export interface GuardInput {
  /** Services that run, whose file is gone, and whose removal nobody has approved yet. */
  readonly removed: readonly ServiceName[];
  /** Number of services whose removal was approved a moment ago, see {@link stillRecent}; none of them in `removed`. */
  readonly recent: number;
  /** Number of services that run and are not being removed already; `removed` is part of it. */
  readonly running: number;
  /** Number of service files in the directory. */
  readonly files: number;
  readonly readable: boolean;
  /** `prune.max_percent`. */
  readonly maxPercent: number;
}

export type GuardAnswer =
  | { readonly say: 'approve'; readonly services: readonly ServiceName[] }
  | { readonly say: 'hold'; readonly services: readonly ServiceName[]; readonly reason: string };

/** Running services whose removal was approved, and when; milliseconds since 1970. */
export type RecentRemovals = ReadonlyMap<ServiceName, number>;

/**
 * Removals within this time of each other are judged as one. A directory that vanishes file by file (a slow `rm -r`,
 * a synchronisation that pauses) takes seconds from one to the next; a person who removes one service and then thinks
 * of another takes minutes. Milliseconds.
 */
const WINDOW = 60_000;

/** The removals that count together with one that is judged now. */
export function stillRecent(approved: RecentRemovals, now: number): RecentRemovals {
  return new Map([...approved].filter(([, at]) => now - at < WINDOW));
}

/**
 * Removing one service is always meant; removing a larger share than allowed, or everything, is more often an
 * unmounted disk, a failed checkout or a wrong path. It is the share of what ran before the removals of the last minute.
 */
export function guardRemovals(input: GuardInput): GuardAnswer {
  const { removed, recent, running, files, readable, maxPercent } = input;
  if (removed.length === 0) return { say: 'approve', services: [] };
  const hold = (reason: string): GuardAnswer => ({ say: 'hold', services: removed, reason });
  if (!readable) return hold('the configuration directory cannot be read');
  if (files === 0) return hold('the configuration directory is empty');
  const [gone, ran] = [recent + removed.length, recent + running];
  const allowed = Math.max(1, Math.floor((ran * maxPercent) / 100));
  if (gone > allowed) {
    const since = recent === 0 ? 'have no file any more' : 'lost their file within a minute';
    return hold(
      `${gone} of ${ran} running services ${since}, more than prune.max_percent (${maxPercent} %) allows`,
    );
  }
  return { say: 'approve', services: removed };
}
