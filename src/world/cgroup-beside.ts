/** How do commands beside a run live in cgroups? One each, next to those of the runs. */
import type { RunKey, ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { BesideCommands, type BesidePlace } from './beside-commands.ts';
import { besideName, isBesideName } from './beside-name.ts';
import { removeCgroup } from './cgroup-files.ts';
import { seemsUsed, withOom } from './cgroup-history.ts';
import { killCgroup } from './cgroup-signals.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { notGoneYet } from './containment-trouble.ts';
import type { Beside, BesideOutcome, Clock, Launch } from './world.ts';

export class CgroupBeside {
  readonly #tree: CgroupTree;
  readonly #commands: BesideCommands;

  constructor(tree: CgroupTree, clock: Clock, wake: (service: ServiceName) => void) {
    this.#tree = tree;
    this.#commands = new BesideCommands(clock, wake);
  }

  /** See `Containment.runBeside`. */
  run(
    key: RunKey,
    what: string,
    launch: Launch,
    timeout: number,
    done: (outcome: BesideOutcome) => void,
  ): Beside | Problem {
    const { service } = key;
    const name = besideName(what, key.id);
    const directory = `${this.#tree.ofService(service)}/${name}`;
    this.sweep(service, [name]);
    if (this.#commands.has(service, name)) return notGoneYet(key, what);
    const made = this.#tree.make(service, directory);
    if ('code' in made) return made;
    const command = this.#commands.run({
      service,
      name,
      launch,
      timeout,
      done,
      place: placeAt(directory),
      into: { cgroupProcs: `${directory}/cgroup.procs`, joined: () => seemsUsed(directory) },
      judge: (outcome) => withOom(outcome, directory),
    });
    if ('code' in command) made.undo();
    return command;
  }

  /** @param names of all cgroups in that of the service: what an earlier daemon left behind is ended */
  sweep(service: ServiceName, names: readonly string[]): void {
    for (const name of names) {
      if (!isBesideName(name) || this.#commands.has(service, name)) continue;
      this.#commands.sweep(service, name, placeAt(`${this.#tree.ofService(service)}/${name}`));
    }
  }

  /** A command beside one of its runs lives, or is being ended. */
  isBusy(service: ServiceName): boolean {
    return this.#commands.isBusy(service);
  }

  close(): void {
    this.#commands.close();
  }
}

function placeAt(directory: string): BesidePlace {
  return {
    kill: (also) => void killCgroup(directory, also),
    clear: () => removeCgroup(directory) === undefined,
  };
}
