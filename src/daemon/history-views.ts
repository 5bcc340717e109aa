/** How does an applied state look to a person or program that asks, and which one is meant by a word? */
import type { HistoryEntry, Unfit } from '../api/deploys.ts';
import { resultOf, type Snapshot } from './snapshots.ts';
import { iso } from './views.ts';

export interface Marks {
  /** Id of what is in force. */
  readonly current: string | null;
  /** Number of its entry. */
  readonly newest: number;
  /** The files are not followed. */
  readonly frozen: boolean;
}

export function entryView(snapshot: Snapshot, marks: Marks): HistoryEntry {
  const { number, id, at, trigger, by, commit, added, changed, removed, results } = snapshot;
  const isCurrent = number === marks.newest;
  const result = resultOf(snapshot);
  return {
    ...{ number, id, at: iso(at), trigger, by, commit, added, changed, removed, results },
    result: result === 'pending' && !isCurrent ? 'superseded' : result,
    mark: !isCurrent ? null : marks.frozen ? 'frozen' : 'current',
  };
}

/**
 * Where one goes back to: the newest other state that converged or, where none has, the newest that failed because of
 * something that is the same now. Everything that would be changed on the way must have come up there: what is mended
 * is not broken again.
 * @param all newest first
 * @param current what is in force; undefined: nothing is known of it
 */
export function lastGood(all: readonly Snapshot[], current: Snapshot | undefined): Snapshot | undefined {
  const others = all.flatMap((each, at) => (each.id === current?.id ? [] : [{ each, past: all.slice(at) }]));
  const safe = ({ each, past }: (typeof others)[number]): boolean => hasComeUp(each, past, current);
  const converged = others.filter(({ each }) => resultOf(each) === 'converged').find(safe);
  return (converged ?? others.filter(({ each }) => resultOf(each) === 'failed').find(safe))?.each;
}

/** @param past the state and those before it, newest first */
function hasComeUp(state: Snapshot, past: readonly Snapshot[], current: Snapshot | undefined): boolean {
  const now = new Map((current?.files ?? []).map((file) => [file.service, file]));
  return state.files.every(({ service, blob, digest }) => {
    const file = now.get(service);
    if (file?.blob === blob && file.digest === digest) return true;
    const known = past.find(({ results }) => results[service] !== undefined)?.results[service];
    // Of what came up so long ago that its entry is gone, nothing bad is known.
    return known === undefined || known === 'converged';
  });
}

/**
 * @param word an id, the beginning of one, `latest`, or `previous`: what was in force before the latest
 * @param all newest first
 */
export function selected(word: string, all: readonly Snapshot[]): Snapshot | Unfit {
  const [latest] = all;
  if (latest === undefined) return unknown('no state has been written down yet');
  if (word === 'latest') return latest;
  if (word === 'previous') {
    return all.find(({ id }) => id !== latest.id) ?? unknown('there is no other state than the latest');
  }
  const found = all.filter(({ id }) => id.startsWith(word));
  const [first] = found;
  if (first === undefined)
    return unknown(`no snapshot begins with ${JSON.stringify(word)}; pmctl history lists them`);
  const ids = new Set(found.map(({ id }) => id));
  if (ids.size === 1) return first;
  return unknown(`${JSON.stringify(word)} could be ${[...ids].slice(0, 5).join(', ')}; write more of it`);
}

function unknown(message: string): Unfit {
  return { unfit: { code: 'unknown_snapshot', message } };
}
