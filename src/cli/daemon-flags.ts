/** How is node told to run the daemon, wherever this program starts one itself? */

/**
 * A small young generation (two halves of this many MiB), a heap that is collected before it grows much, and one thread
 * that helps V8 (each keeps what it ever took from malloc, and every start of a process copies the page tables of that):
 * the daemon lives long and makes little. bin/processmaster gives the same, and the build: V8 takes kept code only with
 * the flags that it was made with.
 */
export const DAEMON_FLAGS = ['--max-semi-space-size=2', '--optimize-for-size', '--v8-pool-size=1'];
