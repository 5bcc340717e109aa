/**
 * How do calls to the kernel fail below the code under test? The synchronous functions of node:fs and the creation of
 * processes are replaced by ones that ask first whether the call is to fail, so that the real handling of the errors
 * is what is tried. Nothing fails outside of the places of a test, and nothing within {@link unharmed}.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** Whose file it is. */
export type Area = 'cgroup' | 'proc' | 'state' | 'config' | 'logs';

export interface Call {
  /** `open`, `read`, `spawn`, … */
  readonly name: string;
  /** null: no file. */
  readonly area: Area | null;
  readonly path: string;
  readonly writes: boolean;
}

/** A code: the call fails with it. A number: it takes so many milliseconds longer. `lost`: nobody is told. */
export type Fate =
  | { readonly code: string }
  | { readonly late: number }
  | { readonly lost: true }
  | undefined;

export interface Weather {
  fateOf(call: Call): Fate;
}

type Function = (...args: unknown[]) => unknown;

let weather: Weather | undefined;
let areas: readonly (readonly [string, Area])[] = [];
let sheltered = 0;
const opened = new Map<number, string>();
const undo: (() => void)[] = [];

/** From now on calls about these places may fail; the answer takes everything back. */
export function breakCalls(places: readonly (readonly [path: string, area: Area])[]): () => void {
  if (undo.length > 0) throw new Error('calls are broken already');
  areas = places;
  const all = fs as unknown as Record<string, Function>;
  for (const [name, writes] of Object.entries(BY_PATH))
    replace(all, name, (real) => byPath(name, writes, real));
  for (const [name, writes] of Object.entries(BY_DESCRIPTOR)) {
    replace(all, name, (real) => byDescriptor(name, writes, real));
  }
  replace(all, 'closeSync', (real) => (fd) => {
    opened.delete(fd as number);
    return real(fd);
  });
  replace(all, 'existsSync', (real) => (path) => {
    try {
      meet('stat', String(path), false);
    } catch {
      // exists(3) does not exist: node asks stat(2), and takes every failure for a no.
      return false;
    }
    return real(path);
  });
  replace(all, 'watch', watching);
  const processes = childProcess as unknown as Record<string, Function>;
  replace(processes, 'spawnSync', (real) => (...args) => {
    const fate = fateOf({ name: 'spawn', area: null, path: String(args[0]), writes: false });
    if (fate === undefined || !('code' in fate)) return real(...args);
    return {
      pid: 0,
      status: null,
      signal: null,
      output: null,
      stdout: '',
      stderr: '',
      error: failure('spawnSync', fate.code, ''),
    };
  });
  replace(childProcess.ChildProcess.prototype as unknown as Record<string, Function>, 'spawn', spawning);
  syncBuiltinESMExports();
  return () => {
    for (const each of undo.splice(0)) each();
    syncBuiltinESMExports();
    opened.clear();
    weather = undefined;
  };
}

/** undefined: nothing fails. */
export function setWeather(next: Weather | undefined): void {
  weather = next;
}

/** What the test itself asks of the kernel does not fail. */
export function unharmed<Answer>(ask: () => Answer): Answer {
  sheltered++;
  try {
    return ask();
  } finally {
    sheltered--;
  }
}

/** Open descriptors of files in the places of the test, as far as they were opened by these functions. */
export function openFiles(): readonly string[] {
  return [...opened.values()];
}

/** By the name in node:fs without `Sync`; true: it changes something on disk. */
const BY_PATH: Readonly<Record<string, boolean>> = {
  openSync: false,
  readFileSync: false,
  readdirSync: false,
  statSync: false,
  lstatSync: false,
  realpathSync: false,
  readlinkSync: false,
  statfsSync: false,
  mkdirSync: true,
  rmdirSync: true,
  renameSync: true,
  unlinkSync: true,
  linkSync: true,
  rmSync: true,
  appendFileSync: true,
  writeFileSync: true,
};

const BY_DESCRIPTOR: Readonly<Record<string, boolean>> = {
  readSync: false,
  fstatSync: false,
  writeSync: true,
  fsyncSync: true,
  fdatasyncSync: true,
  ftruncateSync: true,
  fchmodSync: true,
};

function replace(owner: Record<string, Function>, name: string, make: (real: Function) => Function): void {
  const real = owner[name];
  if (real === undefined) throw new Error(`there is no ${name}`);
  const made = make(real);
  owner[name] = Object.assign(function (this: unknown, ...args: unknown[]) {
    return made.apply(this, args);
  }, real);
  undo.push(() => {
    owner[name] = real;
  });
}

function byPath(name: string, writes: boolean, real: Function): Function {
  return (...args) => {
    const [target, flags] = args;
    const path = typeof target === 'number' ? opened.get(target) : String(target);
    const creates = name === 'openSync' && (typeof flags === 'number' ? (flags & 3) !== 0 : flags !== 'r');
    meet(name.replace(/Sync$/, ''), path, writes || creates);
    const answer = real(...args);
    if (name === 'openSync' && path !== undefined) {
      opened.delete(answer as number);
      if (areaOf(path) !== null) opened.set(answer as number, path);
    }
    return answer;
  };
}

function byDescriptor(name: string, writes: boolean, real: Function): Function {
  return (...args) => {
    meet(name.replace(/Sync$/, ''), opened.get(args[0] as number), writes);
    return real(...args);
  };
}

/** inotify(7): a watch may be refused, and an event may get lost. */
function watching(real: Function): Function {
  return (path, ...args) => {
    meet('watch', String(path), false);
    const told = args.at(-1);
    if (typeof told !== 'function') return real(path, ...args);
    const tell = (...event: unknown[]): void => {
      const fate = fateOf({ name: 'event', area: areaOf(String(path)), path: String(path), writes: false });
      if (fate === undefined || !('lost' in fate)) told(...event);
    };
    return real(path, ...args.slice(0, -1), tell);
  };
}

/** Node makes the pipes, asks libuv, and tells the failure in its own ways: only the answer of libuv is replaced. */
function spawning(real: Function): Function {
  return function (this: unknown, options) {
    const fate = fateOf({ name: 'spawn', area: null, path: '', writes: false });
    const child = this as { _handle: { spawn?: Function } };
    if (fate !== undefined && 'code' in fate) child._handle.spawn = () => -numberOf(fate.code);
    return real.call(this, options);
  };
}

function meet(name: string, path: string | undefined, writes: boolean): void {
  if (path === undefined) return;
  const area = areaOf(path);
  if (area === null) return;
  const fate = fateOf({ name, area, path, writes });
  if (fate === undefined) return;
  if ('code' in fate) throw failure(name, fate.code, path);
  if ('late' in fate) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fate.late);
}

function fateOf(call: Call): Fate {
  return sheltered > 0 ? undefined : weather?.fateOf(call);
}

function areaOf(path: string): Area | null {
  return areas.find(([place]) => path === place || path.startsWith(`${place}/`))?.[1] ?? null;
}

function failure(name: string, code: string, path: string): Error {
  // As node tells it: of what libuv has no name for, the number only.
  const told = getSystemErrorMap().has(-numberOf(code)) ? code : `Unknown system error -${numberOf(code)}`;
  const text = `${told}: planned by the test, ${name} '${path}'`;
  return Object.assign(new Error(text), { code: told, errno: -numberOf(code), syscall: name, path });
}

function numberOf(code: string): number {
  const number = (os.constants.errno as Readonly<Record<string, number>>)[code];
  if (number === undefined) throw new Error(`${code} is no error of this system`);
  return number;
}
