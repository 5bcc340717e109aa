/** `history` and `show`: which states were applied, and what did their files say? */
import { safeText } from '../model/terminal-safe.ts';
import { ask, type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, wrongUsage } from './refusal.ts';
import { renderHistory, renderSnapshot } from './render-history.ts';

const DEFAULT_COUNT = 20;

export async function history(call: Call): Promise<Exit> {
  const { lines = DEFAULT_COUNT } = call.options;
  if (lines === 0) return refuse(call, wrongUsage('-n tells how many states are shown: 1 or more'));
  const view = await ask(call, (daemon) => daemon.history(lines));
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) printJson(call, view);
  else printLines(call, renderHistory(view, { width: widthOf(call), paint: call.paint }));
  return 'fine';
}

export async function show(call: Call): Promise<Exit> {
  const [id = 'latest', service] = call.words;
  if (service === undefined) {
    const view = await ask(call, (daemon) => daemon.snapshot(id));
    if (isRefusal(view)) return refuse(call, view);
    if (call.options.json) printJson(call, view);
    else printLines(call, renderSnapshot(view, { width: widthOf(call), paint: call.paint }));
    return 'fine';
  }
  const found = await ask(call, (daemon) => daemon.snapshotText(id, service));
  if (isRefusal(found)) return refuse(call, found);
  if (call.options.json) printJson(call, found);
  // Byte for byte where it goes into a file; a terminal is not to be steered by it.
  else if (widthOf(call) === null) call.terminal.write(found.text);
  else printLines(call, found.text.replace(/\n$/, '').split('\n').map(safeText));
  return 'fine';
}
