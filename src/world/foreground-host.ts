/** What is different for a program that shares its standard output and its end with its services? */
import { isatty } from 'node:tty';
import type { Credentials } from '../model/spec.ts';
import { type Host, systemHost } from './host.ts';
import { closeLog, openLog } from './safe-open.ts';
import { sharedOutput } from './shared-output.ts';

/** Paths of logs that stand for our own standard output and error. */
export const OWN_STDOUT = '/dev/stdout';
export const OWN_STDERR = '/dev/stderr';

export interface ForegroundHost {
  /** Its environment is what services may inherit. */
  readonly host: Host;
  /** The whole environment of this program. */
  readonly environment: Host['environment'];
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
  /** Calls back at the end of the program, however it ends; the last one first. */
  readonly atEnd: (task: () => void) => void;
}

/** @param withheld names of variables that no service is to inherit */
export function foregroundHost(withheld: readonly string[]): ForegroundHost {
  const output = sharedOutput(1);
  const tasks: (() => void)[] = [output.drain];
  process.on('exit', () => {
    for (const task of tasks.reverse()) task();
  });
  const host = systemHost(output.print);
  const environment = { ...host.environment };
  for (const name of withheld) delete environment[name];
  return {
    host: { ...host, environment },
    environment: host.environment,
    terminal: isatty(2),
    atEnd: (task) => {
      tasks.push(task);
    },
  };
}

/** {@link openLog}; our own standard output and error are handed on as they are. */
export function openForegroundLog(
  path: string,
  credentials: Credentials | null,
  expected?: string,
): ReturnType<typeof openLog> {
  if (path === OWN_STDOUT) return { fd: 1 };
  return path === OWN_STDERR ? { fd: 2 } : openLog(path, credentials, expected);
}

export function closeForegroundLog(fd: number): void {
  if (fd > 2) closeLog(fd);
}
