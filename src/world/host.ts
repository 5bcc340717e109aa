/** What does the program as a process ask of its host: signals, standard output, turns of the event loop, its end? */
import { arch, hostname, platform, release } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { appendToOwn } from './own-log.ts';
import { bootId } from './procfs.ts';

export interface Host {
  readonly pid: number;
  /** PID 1 of a container, or standing in for it: when this program ends, so does everything else there. */
  readonly isInit: boolean;
  readonly hostname: string;
  /** For example `linux 6.18 x64, node v20.20.2`. */
  readonly system: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Changes with each boot of the host; undefined: it could not be read. */
  readonly bootId: string | undefined;
  /** One line to standard output; a closed output is no error. */
  print(line: string): void;
  /** Appends to a file of the daemon's own; the answer is the code of the failure, if any. */
  append(path: string, text: string): string | undefined;
  onSignal(signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM', handler: () => void): void;
  /** Runs `turn` after events that are pending now. */
  soon(turn: () => void): void;
  /** False: the optimizing compiler rests, which otherwise takes the processors from services that are starting. */
  optimize(on: boolean): void;
  exit(code: number): void;
}

/** The launcher, which is PID 1 and stays to reap what ends there, tells us by it; no service inherits it. */
const STANDS_IN = 'PROCESSMASTER_STANDS_IN_FOR_INIT';

export function systemHost(print: Host['print'] = printToStdout()): Host {
  const isInit = process.pid === 1 || process.env[STANDS_IN] === '1';
  delete process.env[STANDS_IN];
  // What a container is told to end with.
  if (isInit) process.on('SIGQUIT', () => process.kill(process.pid, 'SIGTERM'));
  return {
    pid: process.pid,
    isInit,
    hostname: hostname(),
    system: `${platform()} ${release()} ${arch()}, node ${process.version}`,
    environment: process.env,
    bootId: bootOfHost(),
    print,
    append: appendToOwn,
    onSignal: (signal, handler) => {
      process.on(signal, handler);
    },
    soon: (turn) => {
      setImmediate(turn);
    },
    optimize: (on) => {
      setFlagsFromString(on ? '--opt' : '--no-opt');
    },
    exit: (code) => {
      process.exit(code);
    },
  };
}

/** See {@link Host.bootId}. */
export function bootOfHost(): string | undefined {
  try {
    // A host that has none is taken to have booted once.
    return bootId() || 'unknown';
  } catch {
    return undefined;
  }
}

function printToStdout(): Host['print'] {
  process.stdout.on('error', () => {
    // Whoever read the lifecycle lines is gone; the services go on.
  });
  process.stderr.on('error', () => {});
  return (line) => {
    process.stdout.write(`${line}\n`);
  };
}
