/** What belongs together so that applied states are kept, and can be gone back to? */
import type { Commit } from '../api/deploys.ts';
import type { Event } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Desired, DesiredState } from '../model/spec.ts';
import type { Host } from '../world/host.ts';
import type { World } from '../world/world.ts';
import type { DeployTools } from './deploys.ts';
import type { Freeze } from './freeze.ts';
import { History } from './history.ts';
import type { Loop } from './loop.ts';
import { Snapshots } from './snapshots.ts';

interface Text {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/** What only somebody can tell who reads the directory. */
export interface DirectoryTools {
  /** What the files say, or would say with these texts; nothing is kept of it. */
  readonly peek: (texts?: readonly Text[]) => DesiredState;
  /** The text that a definition in force was read from. */
  readonly textOf: (desired: Desired) => Text | undefined;
  /** The commit that the directory is of. Never rejects. */
  readonly commit: () => Promise<Commit | null>;
}

export interface DeploymentTools {
  readonly world: World;
  readonly host: Pick<Host, 'soon'>;
  readonly settings: Settings;
  readonly directory?: DirectoryTools | undefined;
}

/** undefined where no directory is followed. */
export function deploymentOf(
  { world, host, settings, directory }: DeploymentTools,
  loop: Loop,
  freeze: Freeze,
  tell: {
    readonly complain: (problem: Problem) => void;
    readonly wrote: (problem: Problem | undefined) => void;
    readonly manager: (name: string, fields: Event['fields']) => void;
  },
): DeployTools | undefined {
  if (directory === undefined) return undefined;
  const soon = (): Promise<void> => new Promise((resolve) => host.soon(resolve));
  const snapshots = new Snapshots(world.files, settings.state_directory, soon);
  const history = new History({
    ...{ snapshots, loop, soon, clock: world.clock, wrote: tell.wrote },
    directory: settings.config_directory,
    most: settings.history.max_snapshots,
    textOf: directory.textOf,
    commit: directory.commit,
  });
  return {
    ...{ clock: world.clock, loop, freeze, history, snapshots, ...tell },
    directory: settings.config_directory,
    peek: directory.peek,
  };
}
