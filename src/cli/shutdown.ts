/** `shutdown`: end the daemon, and know that it has ended and what has become of the services. */
import type { ShutdownView } from '../api/contract.ts';
import { printDuration } from '../model/units.ts';
import { type Call, printJson, printLines, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { progressLine } from './progress.ts';
import { shortDuration } from './quantities.ts';
import { isRefusal, refusal } from './refusal.ts';

const DEFAULT_TIMEOUT = 60_000;
const EVERY = 100;

export async function shutdown(call: Call): Promise<Exit> {
  const { options } = call;
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const version = await daemon.version();
  if (isRefusal(version)) return refuse(call, version);
  const stopServices = options.stopServices === true;
  const accepted = await daemon.shutdown({ stopServices });
  if (isRefusal(accepted)) return refuse(call, accepted);
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const ended =
    options.wait === false ? 'pending' : await hasEnded(call, daemon, { pid: version.pid, timeout });
  if (ended === 'no') {
    const message = `the daemon (pid ${version.pid}) has not ended after ${printDuration(timeout)}`;
    return refuse(call, refusal('error', 'timeout', message));
  }
  const stops = accepted.stopServices ?? stopServices;
  const isOver = ended === 'yes';
  const why = whyOtherwise({ ...accepted, stopServices: stops }, stopServices);
  if (options.json) {
    const services = stops ? 'stopped' : 'left';
    printJson(call, { result: isOver ? 'done' : 'pending', pid: version.pid, services });
  } else {
    const services = stops ? `services are ${isOver ? '' : 'being '}stopped` : 'services keep running';
    const daemonIs = `the daemon (pid ${version.pid}) ${isOver ? 'has ended' : 'is ending'}`;
    printLines(call, [`${daemonIs}; ${services}${why}`]);
  }
  return stopServices && !stops ? 'error' : 'fine';
}

/** Why it is not what was asked. */
function whyOtherwise({ stopServices, isUnderWay }: Partial<ShutdownView>, asked: boolean): string {
  if (stopServices === asked) return '';
  if (isUnderWay === true) return ', as was asked for before';
  return stopServices ? ', since no daemon could adopt them' : '';
}

/** Ended is when nobody answers at the socket, or somebody else does. */
async function hasEnded(
  call: Call,
  daemon: Daemon,
  { pid, timeout }: { readonly pid: number; readonly timeout: number },
): Promise<'yes' | 'no'> {
  const { terminal } = call;
  const from = terminal.now();
  const line = progressLine(call);
  try {
    while (!terminal.interrupted.aborted && terminal.now() - from < timeout) {
      const answer = await daemon.version();
      if (isRefusal(answer) ? answer.refused.exit === 'noDaemon' : answer.pid !== pid) return 'yes';
      await terminal.sleep(EVERY);
      line?.show(
        `waiting for pid ${pid} (${shortDuration(terminal.now() - from)}/${printDuration(timeout)})`,
      );
    }
    return 'no';
  } finally {
    line?.clear();
  }
}
