/** May services be left running when the daemon ends? */
import type { Host } from '../world/host.ts';
import type { Foreground } from './foreground.ts';

/**
 * Whether somebody could adopt what is left running. The kernel kills all that is left of a container when its process 1
 * ends (pid_namespaces(7)).
 */
export function mayLeaveServices({
  host,
  foreground,
}: {
  readonly host: Pick<Host, 'isInit'>;
  readonly foreground?: Pick<Foreground, 'canLeave'>;
}): boolean {
  return !host.isInit && foreground?.canLeave !== false;
}
