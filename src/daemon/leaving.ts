/** What does the end of the daemon mean for its services? */
import type { ShutdownView } from '../api/contract.ts';
import { firstOf } from '../model/shown-words.ts';
import { count } from '../model/units.ts';
import type { Host } from '../world/host.ts';
import type { Foreground } from './foreground.ts';
import type { Loop } from './loop.ts';
import type { Log } from './reports.ts';

export type Ending = 'no' | 'leaving' | 'stopping';

export interface Surroundings {
  readonly host: Pick<Host, 'isInit'>;
  readonly foreground?: Pick<Foreground, 'canLeave'>;
}

/**
 * What nobody could adopt is stopped unasked: the kernel kills all that is left of a container when its process 1 ends
 * (pid_namespaces(7)).
 * @param ending what is under way already, and counts then
 * @param asked whether the services are to be stopped
 */
export function endOf(ending: Ending, asked: boolean, { host, foreground }: Surroundings): ShutdownView {
  if (ending !== 'no') return { stopServices: ending === 'stopping', isUnderWay: true };
  const mayLeave = !host.isInit && foreground?.canLeave !== false;
  return { stopServices: asked || !mayLeave, isUnderWay: false };
}

/** Whoever ends the daemon in a terminal sees nothing else that tells of what goes on. */
export function tellLeft(loop: Pick<Loop, 'names' | 'glance'>, log: Pick<Log, 'info'>): void {
  const left = loop.names().filter((name) => Object.keys(loop.glance(name).memory.runs).length > 0);
  if (left.length === 0) return;
  const [go, them] = left.length === 1 ? ['goes', 'it'] : ['go', 'them'];
  const what = `${count(left.length, 'service')} (${firstOf(left, 5)}) ${go} on, and the next daemon adopts ${them}`;
  log.info({}, `${what}; pmctl shutdown --stop-services would have stopped ${them} first`);
}
