/** How does what services use look as a table? */
import type { ServiceStats } from '../api/stats.ts';
import { type Paint, STATE_COLOURS } from './paint.ts';
import { humanBytes, percent, shortDuration } from './quantities.ts';
import type { Order } from './stats-order.ts';
import { type Cell, type Column, table } from './table.ts';

export interface StatsLook {
  /** null: not a terminal, nothing is cut. */
  readonly width: number | null;
  readonly paint: Paint;
  /** The column that the rows are sorted by, and which way; undefined: it is not told. */
  readonly sorted?: { readonly by: Order; readonly reversed: boolean };
}

/** The header is the first line. */
export function renderStats(rows: readonly ServiceStats[], look: StatsLook): readonly string[] {
  // Most tell nothing of their heap: then it takes no room.
  const isTold = rows.some(({ memoryHeap }) => memoryHeap !== null);
  const shown = (_: unknown, index: number): boolean => isTold || index !== HEAP;
  return table(
    COLUMNS.filter(shown).map(({ order, ...column }) => ({
      ...column,
      title: column.title + arrow(order, look),
    })),
    rows.map((row) => cellsOf(row).filter(shown)),
    look,
  );
}

const COLUMNS: readonly (Column & { readonly order?: Order })[] = [
  { title: 'NAME', align: 'left', order: 'name' },
  { title: 'STATUS', align: 'left' },
  { title: 'PID', align: 'right', spare: 7 },
  { title: 'UPTIME', align: 'right', spare: 6 },
  { title: 'RESTARTS', align: 'right', spare: 8, order: 'restarts' },
  { title: 'CPU', align: 'right', order: 'cpu' },
  { title: 'RSS', align: 'right', order: 'mem' },
  { title: 'HEAP', align: 'right', spare: 4 },
  { title: 'MODE', align: 'left', spare: 3 },
  { title: 'INSTANCES', align: 'right', spare: 5 },
  { title: 'PROCS', align: 'right', spare: 4 },
  { title: 'READ', align: 'right', spare: 1 },
  { title: 'WRITTEN', align: 'right', spare: 2 },
];

const HEAP = COLUMNS.findIndex(({ title }) => title === 'HEAP');

function cellsOf(row: ServiceStats): readonly Cell[] {
  const short = row.running < row.instances;
  return [
    { text: row.name },
    { text: row.status, colour: STATE_COLOURS[row.status] },
    { text: row.pid === null ? '-' : String(row.pid) },
    { text: row.uptime === null ? '-' : shortDuration(row.uptime) },
    { text: String(row.restartCount), ...(row.restartCount > 0 ? { colour: 'yellow' as const } : {}) },
    { text: percent(row.cpu) },
    { text: humanBytes(row.memoryRss) },
    { text: humanBytes(row.memoryHeap) },
    { text: row.mode },
    { text: `${row.running}/${row.instances}`, ...(short ? { colour: 'yellow' as const } : {}) },
    { text: String(row.processes) },
    { text: humanBytes(row.ioRead) },
    { text: humanBytes(row.ioWritten) },
  ];
}

/** Down: the most first, or A to Z. */
function arrow(order: Order | undefined, { sorted }: StatsLook): string {
  if (order === undefined || sorted?.by !== order) return '';
  return sorted.reversed ? '↑' : '↓';
}
