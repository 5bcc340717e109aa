/** How did a process end that this program created without node? node waits only for those that it created itself. */
import type { Libc } from './libc.ts';

export interface ProcessEnd {
  /** null: ended by a signal. */
  readonly code: number | null;
  /** By its number; null: it has exited. */
  readonly signal: number | null;
}

/** <sys/wait.h> and <bits/waitflags.h>: the same for every processor. */
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const CLD_EXITED = 1;

/** siginfo_t where pointers have 64 bits: three ints, then, aligned to 8 bytes, pid, uid and status (sigaction(2)). */
const SIGINFO = 128;
const SI_CODE = 8;
const SI_PID = 16;
const SI_STATUS = 24;

type Ended = (end: ProcessEnd) => void;

/** One for the whole program: it listens for SIGCHLD from then on, which keeps nothing running. */
export class Children {
  readonly #libc: Libc;
  readonly #info = Buffer.alloc(SIGINFO);
  readonly #listeners = new Map<number, Ended>();

  constructor(libc: Libc) {
    this.#libc = libc;
    process.on('SIGCHLD', () => this.#reap());
  }

  /** @param ended is called once, in a later turn of the event loop than the one in which the process was created */
  add(pid: number, ended: Ended): void {
    this.#listeners.set(pid, ended);
  }

  /** One signal may stand for many ends. */
  #reap(): void {
    for (;;) {
      const pid = this.#ended(P_ALL, 0, WNOWAIT);
      if (pid === 0) return;
      if (this.#take(pid)) continue;
      // One of node's own, which it is about to take: behind it there may be others of ours.
      for (const own of [...this.#listeners.keys()]) this.#take(own);
      return;
    }
  }

  /** @returns false: it is not one of ours, or lives */
  #take(pid: number): boolean {
    const ended = this.#listeners.get(pid);
    if (ended === undefined || this.#ended(P_PID, pid, 0) !== pid) return false;
    this.#listeners.delete(pid);
    const status = this.#info.readInt32LE(SI_STATUS);
    const hasExited = this.#info.readInt32LE(SI_CODE) === CLD_EXITED;
    ended(hasExited ? { code: status, signal: null } : { code: null, signal: status });
    return true;
  }

  /** @returns the pid of one that has ended, about which all is in the buffer; 0: there is none */
  #ended(type: number, id: number, more: number): number {
    // Where there is nothing to tell, a kernel may leave the buffer as it was (waitid(2), NOTES).
    this.#info.fill(0);
    if (this.#libc.waitid(type, id, this.#info, WEXITED | WNOHANG | more) !== 0) return 0;
    return this.#info.readInt32LE(SI_PID);
  }
}
