/** What may a command ask of the place it was typed in: output, keys, time, environment? */
import { userInfo } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/** The twin in the tests collects what is written and has a clock of its own. */
export interface Terminal {
  /** To stdout. */
  write(text: string): void;
  /** The descriptor that `write` writes to; null where there is none. */
  readonly output: number | null;
  /** To stderr. */
  complain(text: string): void;
  /** The size of the terminal behind stdout; null when stdout is a file or a pipe. */
  screen(): Screen | null;
  /** Columns of the terminal behind stderr, where progress is shown; null when it is none. */
  progressColumns(): number | null;
  /**
   * Calls back for each key pressed until the answer is called; Ctrl-C is the key `\u0003` meanwhile. A key that sends
   * a whole sequence is one: `\u001b[A`.
   */
  onKey(listener: (key: string) => void): () => void;
  /** Calls back when the terminal has got another size, until the answer is called. */
  onResize(listener: () => void): () => void;
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends early, without an error, when `cancel` or the user interrupts. */
  sleep(milliseconds: number, cancel?: AbortSignal): Promise<void>;
  readonly interrupted: AbortSignal;
  /** From now on the first interrupt only aborts `interrupted`: the command has something to do before its end. */
  endItself(): void;
  /** From now on the command is over, and well, when nobody reads its output any more. Others come to their own end. */
  endWithReader(): void;
  /** The argv of the daemon that belongs to this pmctl; its last word is a file. */
  readonly daemonProgram: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Who typed the command. */
  readonly user: { readonly name: string; readonly uid: number };
}

/** What the program around knows of itself. */
export type Surroundings = Pick<Terminal, 'interrupted' | 'endItself' | 'endWithReader' | 'daemonProgram'>;

export function processTerminal(surroundings: Surroundings): Terminal {
  const { interrupted } = surroundings;
  const { stdin, stdout, stderr } = process;
  return {
    write: (text) => void stdout.write(text),
    output: stdout.fd,
    complain: (text) => void stderr.write(text),
    screen: () => (stdout.isTTY ? { columns: stdout.columns || 80, rows: stdout.rows || 24 } : null),
    progressColumns: () => (stderr.isTTY ? stderr.columns || 80 : null),
    onKey: (listener) => {
      if (!stdin.isTTY) return () => {};
      const pressed = (data: Buffer): void => {
        for (const key of data.toString().match(KEYS) ?? []) listener(key);
      };
      stdin.setRawMode(true);
      stdin.on('data', pressed);
      return () => {
        stdin.off('data', pressed);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    now: () => Date.now(),
    sleep: async (milliseconds, cancel) => {
      const signal = cancel === undefined ? interrupted : AbortSignal.any([cancel, interrupted]);
      await after(milliseconds, undefined, { signal }).catch(() => undefined);
    },
    ...surroundings,
    environment: process.env,
    directory: currentDirectory(),
    user: whoami(),
  };
}

/** Control sequences (ECMA-48, 5.4), keypad keys in application mode, and single characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is how keys are sent
const KEYS = /\u001b\[[0-?]*[ -/]*[@-~]|\u001bO[A-Za-z]|./gsu;

/** The name behind the user id; the id itself where the host has no name for it (getpwuid(3) found nothing). */
function whoami(): Terminal['user'] {
  const uid = process.getuid?.() ?? -1;
  try {
    return { name: userInfo().username, uid };
  } catch {
    return { name: `uid-${uid}`, uid };
  }
}

/** The root when the directory that the shell stands in is gone (getcwd(3): ENOENT). */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
