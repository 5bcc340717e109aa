/** `why`: how did a service come into the state it is in? */
import { ask, type Call, printJson, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, unknownServices } from './refusal.ts';
import { renderWhy } from './render-why.ts';

export async function why(call: Call): Promise<Exit> {
  const [name = ''] = call.words;
  const view = await ask(call, (daemon) => daemon.why(name));
  if (isRefusal(view)) {
    if (view.refused.exit !== 'unknownService') return refuse(call, view);
    const status = await ask(call, (daemon) => daemon.status());
    const known = isRefusal(status) ? [] : status.services.map((service) => service.name);
    return refuse(call, unknownServices([name], known));
  }
  if (call.options.json) printJson(call, view);
  else {
    const onTerminal = call.terminal.screen() !== null;
    printLines(call, renderWhy(view, { now: call.terminal.now(), paint: call.paint, onTerminal }));
  }
  return 'fine';
}
