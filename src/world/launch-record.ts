/** How does a shell that stays write down how a program ended? */
import type { Outcome } from '../model/observed.ts';
import { SIGNALS, type Signal } from '../model/signals.ts';
import type { LauncherDescriptors } from './launch-descriptors.ts';

/**
 * Every signal that can be caught and would end, stop or core-dump the shell (signal(7)), by number: they are sent to
 * the whole run, and the shell has to outlive the program. Caught, not ignored: whatever is ignored would stay ignored
 * in the program.
 */
const CAUGHT = '1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 20 21 22 24 25 26 27 29 30 31';

/** $? is 128 + n after a signal n (POSIX leaves it open, all shells that serve as `sh` do so). */
const SIGNAL_CODE = 128;

/** Shells say nothing of a child that was ended by these. */
const SILENT = [SIGNALS.SIGINT, SIGNALS.SIGPIPE] as const;

/**
 * The end of a launcher's script, instead of `exec "$@"`. A shell writes a message when its child was ended by a signal
 * and none when it exited with the code that looks alike: so its stderr is the record, and whether that has grown tells
 * the two apart. bash does so only outside of its POSIX mode, which a shell without that mode cannot be asked to leave
 * except by `command`. The shell then ends in the same way as the program did, for a parent that listens.
 * @param launched the word that says to the daemon that all went well; without it a failed fork would look like an exit.
 *   null: nobody listens, and 2 is the log for errors. A shell that cannot fork gives up its script: then the record has
 *   its message and no end.
 */
export function recordScript(
  launched: string | null,
  { stderr, cgroup, record, ear }: LauncherDescriptors,
): string {
  const program =
    launched === null
      ? `(exec "$@" 2>&${ear} ${cgroup}>&- ${record}>&- ${ear}>&-)`
      : [
          `(trap '' PIPE; echo ${launched} 2> /dev/null >&${ear}; trap - PIPE`,
          `exec "$@" 2>&${stderr} ${stderr}>&- ${cgroup}>&- ${record}>&- ${ear}>&-)`,
        ].join('\n');
  const silent = SILENT.map((signal) => `[ $code -eq ${SIGNAL_CODE + signal} ]`).join(' || ');
  return [
    'command set +o posix 2> /dev/null',
    `trap : ${CAUGHT}`,
    `exec ${ear}>&2 2>&${record}`,
    program,
    'code=$?; how=exited',
    `if [ $code -gt ${SIGNAL_CODE} ] && { ${silent} || [ -s /proc/self/fd/${record} ]; }; then`,
    `how=signaled; code=$((code - ${SIGNAL_CODE})); fi`,
    `echo "$how $code" >&${record}`,
    `[ $how = exited ] && exit $code`,
    'ulimit -c 0; command trap - $code; kill -$code $$',
    `exit $((code + ${SIGNAL_CODE}))`,
  ].join('\n');
}

/**
 * @param text what the script has written so far
 * @returns undefined while the program has not ended, or the shell was ended before it could write that
 */
export function parseExitRecord(text: string): Outcome | undefined {
  const [, how, digits] = /(?:^|\n)(exited|signaled) (\d{1,3})\n$/.exec(text) ?? [];
  if (how === undefined) return undefined;
  const number = Number(digits);
  if (how === 'exited') return { kind: 'exited', code: number };
  for (const [name, own] of Object.entries(SIGNALS)) {
    if (own === number) return { kind: 'signaled', signal: name as Signal, oom: false };
  }
  return { kind: 'unknown', oom: false };
}
