/** `diff A B`: in which fields does one applied state differ from another, or from what is in force? */
import { ask, type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';
import { renderDiff } from './render-diff.ts';

/** Exit 2 when they differ. */
export async function compare(call: Call, from: string, to: string | undefined): Promise<Exit> {
  const view = await ask(call, (daemon) => daemon.compare(from, to));
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) printJson(call, view);
  else printLines(call, renderDiff(view, { width: widthOf(call), paint: call.paint, meaning: false }));
  return view.changes.length > 0 ? 'changes' : 'fine';
}
