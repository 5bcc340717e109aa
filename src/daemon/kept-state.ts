/** What did an earlier daemon leave in the state directory, and what of that is lost? */
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Files } from '../world/world.ts';
import { Freeze } from './freeze.ts';
import type { Lost } from './state-trouble.ts';
import { Store } from './store.ts';
import { Unfinished } from './unfinished.ts';

export interface KeptState {
  readonly store: Store;
  readonly freeze: Freeze;
  readonly unfinished: Unfinished;
  /** Why nothing may be decided. */
  readonly unknown: Problem | undefined;
  readonly lost: readonly Lost[];
}

/** @param bootId of the host; undefined: it could not be read */
export function readKeptState(
  files: Files,
  { state_directory, config_directory }: Pick<Settings, 'state_directory' | 'config_directory'>,
  bootId: string | undefined,
): KeptState {
  const store = new Store(files, state_directory, bootId);
  const freeze = new Freeze(files, state_directory, config_directory);
  const unfinished = new Unfinished(files, state_directory);
  const unknown = store.load() ?? freeze.load() ?? unfinished.load();
  const lost = [
    ...store.problems.map((problem) => ({ problem, lasts: () => store.lasts(problem) })),
    ...freeze.problems.map((problem) => ({ problem, lasts: () => freeze.state?.texts === null })),
  ];
  return { store, freeze, unfinished, unknown, lost };
}
