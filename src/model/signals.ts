/** Which signals may be named, and by which number does the kernel know them? */

/**
 * Linux signal numbers for the generic ABI (signal(7), "Signal numbering for standard signals",
 * x86/ARM column).
 */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type Signal = keyof typeof SIGNALS;

/** `TERM`, `SIGTERM` and `15` are the same signal; undefined for anything else. */
export function parseSignal(value: string | number): Signal | undefined {
  const text = String(value).trim().toUpperCase();
  for (const [name, number] of Object.entries(SIGNALS)) {
    if (text === name || `SIG${text}` === name || text === String(number)) return name as Signal;
  }
  return undefined;
}
