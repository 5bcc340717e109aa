/** Which world does this host offer? */
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Approach } from './cgroup-base.ts';
import { openCgroups } from './cgroups.ts';
import { systemClock } from './clock.ts';
import { systemFiles } from './files.ts';
import { takePlace } from './former-place.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { doWithoutLibc } from './libc.ts';
import { whyForked } from './new-process.ts';
import { systemProber } from './prober.ts';
import { openProcessGroups } from './process-groups.ts';
import { systemRandom } from './random.ts';
import { stateFiles } from './state-files.ts';
import { systemUsers } from './users.ts';
import type { Clock, Containment, World } from './world.ts';

export type WorldSettings = Pick<
  Settings,
  | 'containment'
  | 'cgroup_root'
  | 'cgroup_name'
  | 'cgroup_cpu_max'
  | 'cgroup_memory_max'
  | 'cgroup_memory_swap_max'
  | 'state_directory'
>;

/**
 * The real world. `containment: auto` takes cgroups where they can be had and process groups elsewhere; another daemon
 * that rules the same place is never worked around. Moves this process into the `daemon` cgroup where there are cgroups,
 * and closes what it inherited beyond stdin, stdout and stderr.
 * @param guest of a program that somebody else wrote: what that has open stays open, and nothing listens for its signals;
 * `clock` is the one to go by
 * @param approach how far this process has come on its way into the cgroups; see approachBase
 */
export function openWorld(
  settings: WorldSettings,
  guest?: { readonly clock: Clock },
  approach?: Approach,
): { readonly world: World } | { readonly problem: Problem } {
  if (guest === undefined) closeInheritedDescriptors();
  else doWithoutLibc();
  const clock = guest?.clock ?? systemClock();
  const opened = openContainment(settings, clock, approach);
  if ('problem' in opened) return opened;
  const { containment } = opened;
  return {
    world: {
      clock,
      random: systemRandom(),
      files: stateFiles(systemFiles(), settings.state_directory, containment),
      users: systemUsers(),
      containment,
      prober: systemProber(),
      forking: whyForked,
    },
  };
}

function openContainment(
  settings: WorldSettings,
  clock: Clock,
  approach: Approach | undefined,
): { readonly containment: Containment } | { readonly problem: Problem } {
  if (settings.containment === 'process_group') return processGroups(settings, clock, null);
  const cgroups = openCgroups({
    root: settings.cgroup_root,
    name: settings.cgroup_name,
    limits: {
      cpu: settings.cgroup_cpu_max,
      memory: settings.cgroup_memory_max,
      swap: settings.cgroup_memory_swap_max,
    },
    clock,
    exits: exitsOf(settings),
    stateDirectory: settings.state_directory,
    approach,
  });
  if ('containment' in cgroups) return inPlace(cgroups.containment, settings, cgroups.services);
  if ('refused' in cgroups) return { problem: cgroups.refused };
  if (settings.containment === 'auto') return processGroups(settings, clock, cgroups.unavailable.message);
  return {
    problem: { ...cgroups.unavailable, hint: 'containment: auto would fall back to process groups' },
  };
}

function processGroups(settings: WorldSettings, clock: Clock, because: string | null) {
  const { state_directory: stateDirectory } = settings;
  const opened = openProcessGroups({ stateDirectory, clock, because, exits: exitsOf(settings) });
  return 'refused' in opened ? { problem: opened.refused } : inPlace(opened.containment, settings, null);
}

/** @param services the cgroup directory of all services; null: there is none */
function inPlace(
  containment: Containment,
  { state_directory: stateDirectory }: WorldSettings,
  services: string | null,
): { readonly containment: Containment } | { readonly problem: Problem } {
  const problem = takePlace({ stateDirectory, services });
  if (problem === undefined) return { containment };
  containment.close();
  return { problem };
}

/** Where is recorded how programs end whose exit code must survive the daemon. */
function exitsOf(settings: WorldSettings): string {
  return join(settings.state_directory, 'exits');
}
