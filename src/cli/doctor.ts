/** `doctor`: what does this host give, and what does it not? */
import { ask, type Call, printJson, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';
import { table } from './table.ts';

/** Exit 1 when something is amiss. */
export async function doctor(call: Call): Promise<Exit> {
  const view = await ask(call, (daemon) => daemon.doctor());
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) printJson(call, view);
  else {
    const columns = ['OK', 'NAME', 'DETAIL'].map((title) => ({ title, align: 'left' as const }));
    const rows = view.checks.flatMap(({ name, ok, detail, hint }) => [
      [
        { text: ok ? 'ok' : 'no', colour: ok ? ('green' as const) : ('red' as const) },
        { text: name },
        { text: detail },
      ],
      ...(hint === undefined ? [] : [[{ text: '' }, { text: '' }, { text: hint, colour: 'dim' as const }]]),
    ]);
    printLines(call, table(columns, rows, { width: null, paint: call.paint, header: false }));
  }
  return view.checks.every(({ ok }) => ok) ? 'fine' : 'error';
}
