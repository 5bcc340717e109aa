/** Where in the tree of cgroups is what, and how does it get there? */
import fs from 'node:fs';
import {
  isServiceName,
  parseRunDirectory,
  type RunKey,
  runDirectory,
  type ServiceName,
} from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { childCgroups, isGone, isPopulated, removeCgroup } from './cgroup-files.ts';
import { everUsed } from './cgroup-history.ts';
import { enableControllers, isEnabled } from './cgroup-limits.ts';
import { unreadable } from './containment-trouble.ts';
import { codeOf, inWords, passing } from './errno.ts';
import { makeDirectories } from './make-directories.ts';

/** `<root>/<service>/<run directory>`, and commands beside runs next to these. */
export class CgroupTree {
  readonly #root: string;
  /** Memory is counted for each run where the kernel can, to tell OOM kills apart. */
  readonly #countsMemory: boolean;

  constructor(root: string) {
    this.#root = root;
    this.#countsMemory = isEnabled(root, 'memory');
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    try {
      return childCgroups(this.#root).filter(isServiceName);
    } catch (error) {
      return { unseen: unreadable(this.#root, error) };
    }
  }

  /** Of all services; undefined when they cannot be seen. */
  runs(): readonly RunKey[] | undefined {
    const services = this.services();
    if ('unseen' in services) return undefined;
    const runs = services.map((service) => this.runsOf(service));
    return runs.every((each) => each !== undefined) ? runs.flat() : undefined;
  }

  /** undefined when they cannot be seen. */
  runsOf(service: ServiceName): readonly RunKey[] | undefined {
    try {
      const names = childCgroups(this.ofService(service));
      return names.flatMap((name) => parseRunDirectory(service, name) ?? []);
    } catch {
      return undefined;
    }
  }

  ofService(service: ServiceName): string {
    return `${this.#root}/${service}`;
  }

  ofRun(key: RunKey): string {
    return `${this.#root}/${key.service}/${runDirectory(key)}`;
  }

  /** True if it was not there before. Throws what the kernel answers. */
  makeService(service: ServiceName): boolean {
    const directory = this.ofService(service);
    if (fs.existsSync(directory)) return false;
    makeDirectories(directory);
    if (this.#countsMemory) enableControllers(directory, ['memory']);
    return true;
  }

  /** Makes a cgroup in that of the service, which is made too where it is missing; `undo` takes both back. */
  make(service: ServiceName, directory: string): Problem | { readonly undo: () => void } {
    const parent = this.ofService(service);
    let fresh = false;
    try {
      fresh = this.makeService(service);
      makeAfresh(directory);
    } catch (error) {
      if (fresh) removeCgroup(parent);
      const message = `${directory} cannot be made: ${inWords(error)}`;
      // No definition can mend that somebody is there: another look will tell who.
      const isTaken = codeOf(error) === 'EEXIST' ? ({ passing: true } as const) : {};
      return { code: 'start-failed', severity: 'error', message, ...passing(error), ...isTaken };
    }
    const undo = () => {
      removeCgroup(directory);
      if (fresh) removeCgroup(parent);
    };
    return { undo };
  }

  /** Removes the cgroup of a service if nothing is in it; answers the error of the kernel where it is still there. */
  forget(service: ServiceName): unknown {
    try {
      fs.rmdirSync(this.ofService(service));
      return undefined;
    } catch (error) {
      return isGone(error) ? undefined : error;
    }
  }
}

/**
 * One in which nobody has ever been is what a start left that failed and could not be taken back. Where somebody was, the
 * run has been: it must not be a second time.
 */
function makeAfresh(cgroup: string): void {
  try {
    fs.mkdirSync(cgroup);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || isPopulated(cgroup) || everUsed(cgroup)) throw error;
  }
}
