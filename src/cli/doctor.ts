/** `doctor`: what does this host give, and what does it not? */
import { ask, type Call, printJson, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';
import { table } from './table.ts';

const FINE = { text: 'ok', colour: 'green' } as const;
const NOTE = { text: 'note', colour: 'dim' } as const;
const FAILURE = { text: 'no', colour: 'red' } as const;

/** Exit 1 when something is amiss; a note tells what nobody here needs. */
export async function doctor(call: Call): Promise<Exit> {
  const view = await ask(call, (daemon) => daemon.doctor());
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) printJson(call, view);
  else {
    const columns = ['OK', 'NAME', 'DETAIL'].map((title) => ({ title, align: 'left' as const }));
    const rows = view.checks.flatMap(({ name, ok, level, detail, hint }) => [
      [level === 'note' ? NOTE : ok ? FINE : FAILURE, { text: name }, { text: detail }],
      ...(hint === undefined ? [] : [[{ text: '' }, { text: '' }, { text: hint, colour: 'dim' as const }]]),
    ]);
    printLines(call, table(columns, rows, { width: null, paint: call.paint, header: false }));
  }
  return view.checks.every(({ ok }) => ok) ? 'fine' : 'error';
}
