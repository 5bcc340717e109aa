/** How does the state of services look as a table? */
import type { ScaleView } from '../api/changes.ts';
import type { Drift, InstanceView, ServiceView, StatusView } from '../api/contract.ts';
import { sentence } from '../model/problem.ts';
import { safeText } from '../model/terminal-safe.ts';
import { count } from '../model/units.ts';
import { type Colour, type Paint, STATE_COLOURS } from './paint.ts';
import { age, humanBytes, percent, shortDuration } from './quantities.ts';
import { renderFrozen, some } from './render-frozen.ts';
import { type Cell, type Column, table } from './table.ts';
import { fit } from './text-width.ts';

export interface StatusLook {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** null: not a terminal, nothing is cut. */
  readonly width: number | null;
  readonly paint: Paint;
  /** With a row for each instance under its service. */
  readonly instances: boolean;
  /** What is wrong with files is cut to the width too: a screen that is kept has no second line for it. */
  readonly cutsProblems?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'READY', align: 'right', spare: 7 },
  { title: 'STATE', align: 'left' },
  { title: 'GEN', align: 'right', spare: 1 },
  { title: 'RESTARTS', align: 'right', spare: 4 },
  { title: 'CPU', align: 'right', spare: 2 },
  { title: 'MEM', align: 'right', spare: 3 },
  { title: 'DRIFT', align: 'left', spare: 6 },
  { title: 'SINCE', align: 'right', spare: 5 },
  { title: 'REASON', align: 'left', cut: 24 },
];

/** The table, then what is wrong with files, then what the prune guard holds back. */
export function renderStatus(view: StatusView, look: StatusLook): readonly string[] {
  const rows = view.services.flatMap((service) => rowsOf(service, look));
  const lines = rows.length === 0 ? ['no services'] : [...table(COLUMNS, rows, look)];
  const frozen = renderFrozen(view.frozen ?? null, look.paint);
  const width = look.cutsProblems === true ? look.width : null;
  const below = [
    ...renderProblems(view.problems, look.paint, width),
    ...renderPrune(view.prune, look.paint, width),
  ];
  return [...frozen, ...lines, ...(below.length === 0 ? [] : ['', ...below])];
}

export interface StatusPage {
  readonly lines: readonly string[];
  /** The first service that is shown, 0-based; no more than it takes to see the last one. */
  readonly from: number;
}

/**
 * The same in so many lines. Where not all of it fits, what is wrong comes first: the guard and the files, then the
 * services that are not well; and the last line counts those that are not shown, by state.
 * @param wanted the service to begin with, in that order, 0-based
 */
export function renderStatusIn(view: StatusView, look: StatusLook, lines: number, wanted = 0): StatusPage {
  const whole = renderStatus(view, { ...look, cutsProblems: true });
  if (whole.length <= lines) return { lines: whole, from: 0 };
  const problems = renderProblems(view.problems, look.paint, look.width);
  const most = Math.max(1, Math.floor(lines / 3));
  const above = [
    ...renderFrozen(view.frozen ?? null, look.paint),
    ...renderPrune(view.prune, look.paint, look.width),
    ...problems.slice(0, most),
    ...(problems.length > most ? [`${count(problems.length - most, 'more problem')} in files`] : []),
  ];
  const ordered = [...view.services].sort((a, b) => urgencyOf(a) - urgencyOf(b));
  const heights = ordered.map((service) => rowsOf(service, look).length);
  const places = lines - above.length - 1;
  const all = heights.reduce((sum, height) => sum + height, 0);
  // The title, and where some are left out the line that counts them.
  const room = all <= places ? places : places - 1;
  const from = Math.min(wanted, heights.length - fitting(heights.toReversed(), room));
  const to = from + fitting(heights.slice(from), room);
  const rows = ordered.slice(from, to).flatMap((service) => rowsOf(service, look));
  const isWhole = from === 0 && to === ordered.length;
  const more = isWhole ? [] : [moreText(from, ordered.slice(to))];
  return { lines: [...above, ...table(COLUMNS, rows, look), ...more], from };
}

/** How many of them, at least one, stand in so many lines. */
function fitting(heights: readonly number[], room: number): number {
  let used = 0;
  const first = heights.findIndex((height) => {
    used += height;
    return used > room;
  });
  return first === -1 ? heights.length : Math.max(1, first);
}

/** `… 12 above, 91 more: 88 running, 3 completed`. */
function moreText(above: number, hidden: readonly ServiceView[]): string {
  const counts = new Map<string, number>();
  for (const { state } of hidden) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].sort(([, a], [, b]) => b - a).map(([state, number]) => `${number} ${state}`);
  const more = hidden.length === 0 ? [] : [`${hidden.length} more: ${states.join(', ')}`];
  return `… ${[...(above === 0 ? [] : [`${above} above`]), ...more].join(', ')}`;
}

/** The lower, the sooner somebody should see it. */
function urgencyOf({ state, drift, ready, desired }: ServiceView): number {
  if (UNWELL.includes(state) || drift === 'invalid') return 0;
  if (COMING.includes(state) && ready < desired) return 1;
  return drift === 'none' ? 3 : 2;
}

const UNWELL: readonly ServiceView['state'][] = ['failed', 'unknown', 'backoff'];
const COMING: readonly ServiceView['state'][] = ['running', 'starting', 'waiting', 'stopping'];

function rowsOf(service: ServiceView, { now, instances }: StatusLook): readonly (readonly Cell[])[] {
  const own = instances ? service.instances.map((instance) => instanceRow(instance, now)) : [];
  return [serviceRow(service, now), ...own];
}

/**
 * One line each: `error  file:line:col  sentence; hint`.
 * @param width to which each is cut; null: it is not
 */
export function renderProblems(
  problems: StatusView['problems'],
  paint: Paint,
  width: number | null = null,
): readonly string[] {
  return problems.map((problem) => {
    const colour: Colour = problem.severity === 'error' ? 'red' : 'yellow';
    return headed(paint(colour, safeText(problem.severity).padEnd(HEAD)), sentence(problem), width);
  });
}

/** Columns of the word before such a line. */
const HEAD = 7;

function headed(head: string, text: string, width: number | null): string {
  const safe = safeText(text);
  return `${head}  ${width === null ? safe : fit(safe, Math.max(1, width - HEAD - 2))}`;
}

/** What the guard holds back, why, and how to confirm it. */
export function renderPrune(
  prune: StatusView['prune'],
  paint: Paint,
  width: number | null = null,
): readonly string[] {
  if (prune === null) return [];
  return [
    headed(
      paint('red', 'guard'.padEnd(HEAD)),
      `not removed: ${some(prune.services)}: ${prune.reason}`,
      width,
    ),
    headed(' '.repeat(HEAD), 'confirm the removal with: pmctl update --prune', width),
  ];
}

/** `scaled to 4 by root; the file says 2`. */
export function scaledText({ instances, by, file }: Pick<ScaleView, 'instances' | 'by' | 'file'>): string {
  return `scaled to ${instances} by ${by}; the file says ${file}`;
}

function serviceRow(service: ServiceView, now: number): readonly Cell[] {
  const ready = `${service.ready}/${service.desired}`;
  return [
    { text: service.name },
    { text: ready, ...(service.ready < service.desired ? { colour: 'yellow' as const } : {}) },
    { text: service.state, colour: STATE_COLOURS[service.state] },
    { text: String(generationOf(service)) },
    { text: String(service.restarts) },
    { text: percent(sum(service.instances.map(({ cpu_percent }) => cpu_percent))) },
    { text: humanBytes(sum(service.instances.map(({ memory_bytes }) => memory_bytes))) },
    driftCell(service.drift),
    { text: age(since(service), now) },
    { text: reasonOf(service, now) },
  ];
}

/** The one that runs, which is not the newest where that was rejected; while two of them run, the newest. */
function generationOf({ instances, generation }: ServiceView): number {
  const running = new Set(instances.flatMap((each) => each.generation ?? []));
  const [only = generation] = running;
  return running.size === 1 ? only : generation;
}

/** Of a service that waits for its time, also when that is; of one that was scaled, by whom. */
function reasonOf({ reason, schedule, state, scaled }: ServiceView, now: number): string {
  if (reason === '' && scaled !== undefined) return scaledText(scaled);
  if (schedule === null || state !== 'scheduled') return reason;
  const next =
    schedule.next_at === null
      ? 'no further time'
      : `next run in ${shortDuration(Date.parse(schedule.next_at) - now)}`;
  return reason === '' ? next : `${reason}; ${next}`;
}

function instanceRow(instance: InstanceView, now: number): readonly Cell[] {
  const pids = instance.pids.length > 0 ? instance.pids : instance.pid === null ? [] : [instance.pid];
  const shown =
    pids.length > 3 ? `${pids.slice(0, 3).join(' ')} and ${pids.length - 3} more` : pids.join(' ');
  const pidText = pids.length === 0 ? '' : `pid ${shown}${instance.adopted ? ', adopted' : ''}`;
  const portText = instance.port === null ? '' : `port ${instance.port}`;
  return [
    { text: `  ${instance.instance}`, colour: 'dim' },
    { text: '' },
    { text: instance.state, colour: STATE_COLOURS[instance.state] },
    { text: instance.generation === null ? '-' : String(instance.generation) },
    { text: String(instance.restarts) },
    { text: percent(instance.cpu_percent) },
    { text: humanBytes(instance.memory_bytes) },
    { text: '' },
    { text: age(instance.started_at, now) },
    { text: [pidText, portText, instance.reason].filter((text) => text !== '').join('; ') },
  ];
}

function driftCell(drift: Drift): Cell {
  if (drift === 'none') return { text: '-', colour: 'dim' };
  return { text: drift, colour: drift === 'invalid' ? 'red' : 'yellow' };
}

/** Since when it is as it is: the youngest run of those that live, else the last exit. */
function since(service: ServiceView): string | null {
  const starts = service.instances.flatMap(({ started_at }) => (started_at === null ? [] : [started_at]));
  return starts.sort().at(-1) ?? service.last_exit?.at ?? null;
}

/** null when nothing is known of any. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
