/** What do the parts of pmctl get here that they get from a terminal otherwise? */
import { fileURLToPath } from 'node:url';
import { DAEMON_FLAGS } from '../cli/daemon-flags.ts';
import type { Terminal } from '../cli/terminal.ts';
import { systemClock } from '../world/clock.ts';
import { thisProgram } from '../world/host-program.ts';

/**
 * Nothing is written anywhere: standard streams belong to the program around.
 * @param token for a daemon that is asked over TCP
 * @param cancel ends what is waited for
 */
export function surroundings(token: string | undefined, cancel: AbortSignal): Terminal {
  const program = thisProgram();
  return {
    write: () => undefined,
    output: null,
    complain: () => undefined,
    screen: () => null,
    progressColumns: () => null,
    onKey: () => () => undefined,
    onResize: () => () => undefined,
    now: () => systemClock().now(),
    sleep: (milliseconds, also) =>
      pause(milliseconds, also === undefined ? cancel : AbortSignal.any([also, cancel])),
    interrupted: cancel,
    endItself: () => undefined,
    endWithReader: () => undefined,
    daemonProgram: [program.node, ...DAEMON_FLAGS, DAEMON_PROGRAM],
    environment: token === undefined ? program.environment : { ...program.environment, PMCTL_TOKEN: token },
    directory: program.directory,
    user: program.user,
  };
}

/** Beside the directory of the library, where the build puts it. */
const DAEMON_PROGRAM = fileURLToPath(new URL('../processmaster.js', import.meta.url));

/** Ends early, without an error, when it is cancelled. */
export function pause(milliseconds: number, cancel: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (cancel.aborted) return resolve();
    const end = (): void => {
      stop();
      cancel.removeEventListener('abort', end);
      resolve();
    };
    const stop = systemClock().after(milliseconds, end);
    cancel.addEventListener('abort', end);
  });
}
