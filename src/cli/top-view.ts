/** What does a key change in the live table? */
import type { Order, StatsChoice } from './stats-order.ts';

export interface TopView extends StatsChoice {
  /** Keys are letters of the filter. */
  readonly typing: boolean;
  /** The first row that is shown; 0-based. */
  readonly from: number;
}

export function firstView(by: Order): TopView {
  return { by, reversed: false, filter: '', typing: false, from: 0 };
}

const ORDER_KEYS: Readonly<Record<string, Order>> = { c: 'cpu', m: 'mem', n: 'name', r: 'restarts' };

/** Keys as xterm sends them (ctlseqs, "PC-Style Function Keys"). */
const UP = ['\u001b[A', '\u001bOA', 'k'];
const DOWN = ['\u001b[B', '\u001bOB', 'j'];
const PAGE_UP = ['\u001b[5~', '\u0002'];
const PAGE_DOWN = ['\u001b[6~', '\u0006', ' '];
const ESCAPE = '\u001b';
const ENTER = ['\r', '\n'];
const BACKSPACE = ['\u007f', '\b'];
const CTRL_U = '\u0015';

/**
 * @param room rows that a page has
 * @returns the same view when the key means nothing
 */
export function afterKey(view: TopView, key: string, room: number): TopView | 'end' {
  if (key === ESCAPE || key === CTRL_U) return { ...view, filter: '', typing: false, from: 0 };
  const moved = afterMove(view, key, room);
  if (moved !== undefined) return moved;
  if (view.typing) return afterLetter(view, key);
  if (key === 'q' || key === 'Q') return 'end';
  if (key === '/') return { ...view, typing: true };
  const by = ORDER_KEYS[key];
  if (by === undefined) return view;
  return { ...view, by, reversed: by === view.by && !view.reversed, from: 0 };
}

/** Letters move only where they are not typed. */
function afterMove(view: TopView, key: string, room: number): TopView | undefined {
  const step = view.typing && key.length === 1 ? 0 : stepOf(key, room);
  return step === 0 ? undefined : { ...view, from: Math.max(0, view.from + step) };
}

/**
 * How many rows a key scrolls, negative upwards; 0: it does not scroll.
 * @param room rows that a page has
 */
export function stepOf(key: string, room: number): number {
  if (UP.includes(key)) return -1;
  if (DOWN.includes(key)) return 1;
  if (PAGE_UP.includes(key)) return -room;
  return PAGE_DOWN.includes(key) ? room : 0;
}

function afterLetter(view: TopView, key: string): TopView {
  if (ENTER.includes(key)) return { ...view, typing: false };
  if (BACKSPACE.includes(key)) return { ...view, filter: [...view.filter].slice(0, -1).join(''), from: 0 };
  // Names and states have only these; function keys and controls are none.
  return /^[\x20-\x7e]$/.test(key) ? { ...view, filter: view.filter + key, from: 0 } : view;
}
