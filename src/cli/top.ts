/** `top`: which services use most, as long as somebody looks? */
import type { StatsView } from '../api/stats.ts';
import { safeText } from '../model/terminal-safe.ts';
import { count } from '../model/units.ts';
import { type Call, cancelled, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { keepOnScreen, type Picture } from './full-screen.ts';
import { humanBytes, localTime, percent } from './quantities.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import { renderStats } from './render-stats.ts';
import { printStats, selectedStats } from './stats.ts';
import { chosen } from './stats-order.ts';
import type { Screen } from './terminal.ts';
import { fit } from './text-width.ts';
import { afterKey, firstView, type TopView } from './top-view.ts';

/** Live on a terminal until q; otherwise, or as JSON, one table. */
export async function top(call: Call): Promise<Exit> {
  const by = call.options.sort ?? 'cpu';
  if (call.terminal.screen() === null || call.options.json) return printStats(call, by);
  // Whoever mistyped a name is told so on the screen that stays.
  const first = await selectedStats(call);
  return isRefusal(first) ? refuse(call, first) : keepOnScreen(call, topPicture(call, first, firstView(by)));
}

/** Lines above the rows: the sums, an empty one, the titles; and one below. */
const AROUND = 4;

function topPicture(call: Call, first: StatsView, start: TopView): Picture {
  let stats: StatsView | Refusal = first;
  let view = start;
  return {
    look: async (cancel) => {
      stats = await selectedStats(cancelled(call, cancel));
    },
    lines: (screen) => {
      if (isRefusal(stats)) return missing(call, stats, screen);
      const rows = chosen(stats.services, view);
      const room = Math.max(1, screen.rows - AROUND);
      // Rows may have become fewer since the last key.
      view = { ...view, from: Math.max(0, Math.min(view.from, rows.length - room)) };
      const shown = rows.slice(view.from, view.from + room);
      const body = renderStats(shown, { width: screen.columns, paint: call.paint, sorted: view });
      const cut = rows.length > room ? `${view.from + 1}-${view.from + shown.length} of ${rows.length}` : '';
      return [
        fit(headOf(call, stats), screen.columns),
        call.paint('dim', fit(keysOf(view, cut), screen.columns)),
        '',
        ...(rows.length === 0 ? [nothingOf(view)] : body),
      ];
    },
    pressed: (key) => {
      const room = Math.max(1, (call.terminal.screen()?.rows ?? 24) - AROUND);
      const next = afterKey(view, key, room);
      if (next === 'end' || next === view) return next === 'end' ? 'end' : 'nothing';
      view = next;
      return 'draw';
    },
  };
}

function headOf(call: Call, { services }: StatsView): string {
  const running = services.filter(({ status }) => status === 'running').length;
  const total = (of: (row: StatsView['services'][number]) => number | null): number =>
    services.reduce((sum, row) => sum + (of(row) ?? 0), 0);
  return [
    `${count(services.length, 'service')}, ${running} running`,
    `cpu ${percent(total(({ cpu }) => cpu))}`,
    `rss ${humanBytes(total(({ memoryRss }) => memoryRss))}`,
    localTime(call.terminal.now()),
  ].join('   ');
}

function keysOf({ filter, typing }: TopView, cut: string): string {
  const place = cut === '' ? '' : `   ${cut}`;
  if (typing) return `filter: ${safeText(filter)}_   Enter keeps it, Esc drops it${place}`;
  const told = filter === '' ? '/ filters' : `filter: ${safeText(filter)} (Esc drops it)`;
  return `q ends   ${told}${place}   sort: c cpu, m memory, n name, r restarts`;
}

function nothingOf({ filter }: TopView): string {
  return filter === '' ? 'no services' : `no service has ${JSON.stringify(filter)} in its name or state`;
}

/** A daemon that is away for a while is told, not an end. */
function missing(call: Call, { refused }: Refusal, { columns }: Screen): readonly string[] {
  const head = `${localTime(call.terminal.now())}   q ends`;
  return [fit(head, columns), '', call.paint('red', fit(safeText(refused.message), columns))];
}
