/** What is different for a manager that lives inside of a program that somebody else wrote? */
import { arch, hostname, platform, release, userInfo } from 'node:os';
import { bootOfHost, type Host } from './host.ts';
import { appendToOwn } from './own-log.ts';
import type { Clock } from './world.ts';

/** What a library may know of the program that it is a part of. */
export interface ThisProgram {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The root when the directory is gone (getcwd(3): ENOENT). */
  readonly directory: string;
  /** The node that runs it. */
  readonly node: string;
  readonly user: { readonly name: string; readonly uid: number };
  readonly hostname: string;
}

export function thisProgram(): ThisProgram {
  const uid = process.getuid?.() ?? -1;
  return {
    environment: process.env,
    directory: directory(),
    node: process.execPath,
    user: userOf(uid),
    hostname: hostname(),
  };
}

/**
 * A host for whom the manager is a guest: no signal is caught, nothing is printed, no flag of V8 is set, and the end of
 * the manager is told to `ended` instead of being the end of the process.
 * @param environment what services may inherit
 */
export function hostProgram(environment: Host['environment'], ended: (code: number) => void): Host {
  return {
    pid: process.pid,
    isInit: false,
    hostname: hostname(),
    system: `${platform()} ${release()} ${arch()}, node ${process.version}`,
    environment,
    bootId: bootOfHost(),
    print: () => undefined,
    append: appendToOwn,
    onSignal: () => undefined,
    soon: (turn) => {
      setImmediate(turn);
    },
    optimize: () => undefined,
    exit: ended,
  };
}

/** A clock that a guest can leave behind: once it is closed, nothing wakes any more and nothing keeps node running. */
export function closableClock(clock: Clock): { readonly clock: Clock; readonly close: () => void } {
  const pending = new Set<() => void>();
  let open = true;
  const after: Clock['after'] = (delay, wake) => {
    if (!open) return () => undefined;
    const cancel = clock.after(delay, () => {
      pending.delete(cancel);
      wake();
    });
    pending.add(cancel);
    return () => {
      pending.delete(cancel);
      cancel();
    };
  };
  return {
    clock: { ...clock, after },
    close: () => {
      open = false;
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}

function directory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** The id itself where the host has no name for it (getpwuid(3) found nothing). */
function userOf(uid: number): ThisProgram['user'] {
  try {
    return { name: userInfo().username, uid };
  } catch {
    return { name: `uid-${uid}`, uid };
  }
}
