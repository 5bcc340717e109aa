/** `logs` of another host: its files are not here, so the daemon sends the lines. Loaded on demand. */
import type { LogsRequest } from '../api/contract.ts';
import { type Call, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { complainAbout, sayingOnce } from './logs.ts';
import { isRefusal, wrongUsage } from './refusal.ts';
import { logPrinter } from './render-logs.ts';

export async function remoteLogs(
  call: Call,
  daemon: Pick<Daemon, 'logs'>,
  request: LogsRequest,
): Promise<Exit> {
  if (call.options.follow === true) {
    return refuse(call, wrongUsage('-f reads the files themselves: it works on the host where they are'));
  }
  const view = await daemon.logs(request);
  if (isRefusal(view)) return refuse(call, view);
  logPrinter(call, [])(view.logs);
  complainAbout(sayingOnce(call), view);
  return 'fine';
}
