/** Does a change of the directory look like a mistake? Then nothing is removed until somebody confirms. */
import type { ServiceName } from '../model/names.ts';

export interface GuardInput {
  /** Services that run, whose file is gone, and whose removal nobody has approved yet. */
  readonly removed: readonly ServiceName[];
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

/**
 * Removing one service is always meant; removing a larger share than allowed, or everything, is more often an
 * unmounted disk, a failed checkout or a wrong path.
 */
export function guardRemovals(input: GuardInput): GuardAnswer {
  const { removed, running, files, readable, maxPercent } = input;
  if (removed.length === 0) return { say: 'approve', services: [] };
  const hold = (reason: string): GuardAnswer => ({ say: 'hold', services: removed, reason });
  if (!readable) return hold('the configuration directory cannot be read');
  if (files === 0) return hold('the configuration directory is empty');
  const allowed = Math.max(1, Math.floor((running * maxPercent) / 100));
  if (removed.length > allowed) {
    return hold(
      `${removed.length} of ${running} running services have no file any more, more than prune.max_percent (${maxPercent} %) allows`,
    );
  }
  return { say: 'approve', services: removed };
}
