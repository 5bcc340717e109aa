/** Which programs do test services run? Shell commands that tell in the work directory what happens to them. */
import type { Host } from './host.ts';

export const SLEEP = 'exec sleep 1000';

/**
 * Tells `<name>.began` with its pid, and `<name>.ended` when SIGTERM reached it: by a text that is written as a whole,
 * because a child of the shell that has not executed its program yet acts on the signal as the shell does.
 */
export function endsGracefully(host: Host, name: string): string {
  const file = `${host.work}/${name}`;
  return `trap 'echo terminated > ${file}.ended; exit 0' TERM; echo $$ >> ${file}.began; sleep 1000 & wait`;
}

/** Hears SIGTERM and stays. */
export function staysOnTerm(host: Host, name: string): string {
  return `trap 'echo heard >> ${host.work}/${name}.heard' TERM; echo $$ >> ${host.work}/${name}.began; while :; do sleep 1000 & wait; done`;
}
