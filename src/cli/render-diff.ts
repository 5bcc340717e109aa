/** How do the differences between the files and what runs look, and what they mean for processes? */
import type { FailureView, HeldService, UnderWayResult } from '../api/changes.ts';
import type { ChangeResult, ConfigError, DiffView } from '../api/contract.ts';
import type { Change, ChangeKind, FieldChange } from '../model/action.ts';
import { safeText } from '../model/terminal-safe.ts';
import { count } from '../model/units.ts';
import type { Colour, Paint } from './paint.ts';

import { renderFailure, renderFrozen, some } from './render-frozen.ts';
import { renderPrune, scaledText } from './render-status.ts';
import { type Cell, type Column, type Row, type Sentence, table } from './table.ts';

export interface DiffLook {
  readonly width: number | null;
  readonly paint: Paint;
  /** False: nothing will be done, two states are compared. */
  readonly meaning?: boolean;
}

type AnyChange = Change & Partial<Pick<ChangeResult, 'result' | 'detail'>>;
type AnyDiff = Omit<DiffView, 'changes'> & {
  readonly changes: readonly AnyChange[];
  readonly underway?: readonly UnderWayResult[];
  readonly failure?: FailureView;
};

/** `~` changes, `+` starts, `-` stops or goes, `!` is kept as it is because something is wrong. */
const SYMBOLS: Readonly<Record<ChangeKind, string>> = {
  start: '+',
  stop: '-',
  live: '~',
  reload: '~',
  roll: '~',
  replace: '~',
  define: '~',
  forget: '-',
  keep: '!',
};

const COLOURS: Readonly<Record<ChangeKind, Colour>> = {
  start: 'green',
  stop: 'red',
  live: 'cyan',
  reload: 'cyan',
  roll: 'yellow',
  replace: 'yellow',
  define: 'cyan',
  forget: 'red',
  keep: 'red',
};

const COLUMNS: readonly Column[] = [
  { title: 'SERVICE', align: 'left' },
  { title: 'INSTANCES', align: 'left' },
  { title: 'CLASS', align: 'left' },
  { title: 'WHAT', align: 'left', cut: 44 },
  { title: 'PLACE', align: 'left', spare: 1 },
];

/** For `diff`, and for `update` where each change has its result. */
export function renderDiff(view: AnyDiff, look: DiffLook): readonly string[] {
  const { paint, width } = look;
  const done = view.changes.some(({ result }) => result !== undefined);
  return [
    ...table(
      COLUMNS,
      [...view.changes.flatMap((change) => changeRows(change)), ...view.held.flatMap(waitingRows)],
      {
        width,
        paint,
        header: false,
      },
    ),
    ...view.errors.map((error) => `${paint('red', '!')} ${errorText(error)}`),
    ...view.warnings.map((warning) => `${paint('yellow', '!')} warning: ${errorText(warning)}`),
    ...renderPrune(view.prune, paint),
    ...scaledTexts(view),
    ...renderUnderWay(view.underway ?? [], paint),
    ...(isUncompared(view) ? [] : [unchangedText(view)]),
    ...renderFrozen(view.frozen ?? null, paint),
    ...renderFailure(view.failure, paint),
    ...(done || look.meaning === false ? [] : meaning(view.changes)),
  ];
}

/** What the end of a hold would bring. */
function waitingRows({ service, reason, change }: HeldService): readonly Row[] {
  if (change === undefined) return [];
  return [...changeRows(change, '='), told(`waits for pmctl release ${service} (${reason})`, 'yellow')];
}

/** It was tried, and is not tried again by itself. */
function failedText({ service, rejected }: AnyChange): string {
  return `failed, what ran before goes on: ${rejected}; pmctl restart ${service} tries it again`;
}

/** Below what is changed. */
function told(sentence: string, colour: Colour): Sentence {
  return { sentence, under: 3, colour };
}

function changeRows(change: AnyChange, symbol = SYMBOLS[change.action]): readonly Row[] {
  const colour = COLOURS[change.action];
  const kept = change.action === 'keep';
  const head = [
    { text: `${symbol} ${change.service}`, colour },
    { text: kept ? '' : instancesText(change) },
    { text: change.action.toUpperCase(), colour },
  ];
  const fields = change.because.map((field) => ({
    what: fieldText(field),
    place: placeOf(field),
    class: field.class,
  }));
  const whats =
    kept || fields.length === 0 ? [{ what: change.reason, place: '', class: undefined }, ...fields] : fields;
  const rows = whats.map(({ what, place, class: own }, index) => {
    const start = index === 0 ? head : [EMPTY, EMPTY, classCell(own, change.action)];
    return [...start, { text: what }, { text: place, colour: 'dim' as const }];
  });
  const { result, detail = '', rejected } = change;
  // What is kept has said why already.
  if (kept) return rows;
  if (result === undefined) return rejected === undefined ? rows : [...rows, told(failedText(change), 'red')];
  return [...rows, told(detail === '' ? result : `${result}: ${detail}`, colourOf(result))];
}

function colourOf(result: ChangeResult['result']): Colour {
  return result === 'done' ? 'green' : result === 'pending' ? 'yellow' : 'red';
}

/** What was begun before, and has been waited for. */
export function renderUnderWay(all: readonly UnderWayResult[], paint: Paint): readonly string[] {
  return all.map(({ service, result, detail }) =>
    paint(colourOf(result), safeText(`= ${service}  was under way: ${result}: ${detail}`)),
  );
}

const EMPTY: Cell = { text: '' };

/** The class of a field is told where it differs from what is done to the service as a whole, if anything is. */
function classCell(own: FieldChange['class'] | undefined, action: ChangeKind): Cell {
  return own === undefined || own === action || action === 'define' ? EMPTY : { text: own, colour: 'dim' };
}

/** `2 instances`, `+1 instance`; `1 instance -3` where others of the service are not replaced. */
function instancesText(change: AnyChange): string {
  const { started, stopped, others } = amounts(change);
  if (change.action === 'start') return `+${count(started, 'instance')}`;
  const more = started === 0 ? '' : ` +${started}`;
  if (change.action === 'stop') return `-${count(stopped, 'instance')}${more}`;
  return others === 0 ? '' : `${count(others, 'instance')}${more}${stopped === 0 ? '' : ` -${stopped}`}`;
}

/** To how many instances what is done: `others` are replaced, told to reload or kept. */
function amounts({ action, instances, added = 0, removed = 0 }: AnyChange): {
  readonly started: number;
  readonly stopped: number;
  readonly others: number;
} {
  if (action === 'start') return { started: instances, stopped: 0, others: 0 };
  if (action === 'stop') return { started: added, stopped: instances - added, others: 0 };
  return { started: added, stopped: removed, others: instances - added - removed };
}

/** A dotenv file has no old and new value to show: its text tells which names changed. */
export function fieldText({ path, from, to }: FieldChange): string {
  if (from === undefined && to === undefined) return path;
  if (path === 'process.env_files' && from === undefined) return `${path}  ${to}`;
  return `${path}  ${from ?? '(not set)'} -> ${to ?? '(not set)'}`;
}

export function placeOf({ file, line }: FieldChange): string {
  if (file === undefined) return '';
  return line === undefined ? file : `${file}:${line}`;
}

/** `config.d/billing.yaml:31:3  duplicate key "env"; remove one of them`. */
export function errorText(error: ConfigError): string {
  const place = errorPlace(error);
  const hint = error.hint === null ? '' : `; ${error.hint}`;
  return safeText(`${place === '' ? '' : `${place}  `}${error.message}${hint}`);
}

/** `file:line:column` as far as it is known. */
export function errorPlace({ file, line, column }: Pick<ConfigError, 'file' | 'line' | 'column'>): string {
  if (file === null) return '';
  return line === null ? file : `${file}:${line}:${column ?? 1}`;
}

/** What the files would change, and a command keeps as it is. */
function scaledTexts({ scaled = [] }: AnyDiff): readonly string[] {
  return scaled.map((each) => safeText(`= ${each.service}  ${scaledText(each)}`));
}

/** Refused before anything was looked at, as a stale plan is: then 0 is no number of services. */
function isUncompared({ changes, unchanged, held, failed = [], errors }: AnyDiff): boolean {
  const toldOf = changes.length + unchanged + held.length + failed.length;
  return toldOf === 0 && errors.length > 0;
}

function unchangedText({ unchanged, held, failed: all = [], underway = [] }: AnyDiff): string {
  const failed = all.filter(({ service }) => underway.every((each) => each.service !== service));
  const names = held.map(({ service, reason }) => `${service} (${reason})`).join(', ');
  const heldText = held.length === 0 ? '' : `; ${held.length} held: ${names}`;
  const failures =
    failed.length === 0 ? '' : `; ${downText(failed.length)}: ${some(failed.map(({ service }) => service))}`;
  return safeText(`= ${unchanged} unchanged${failures}${heldText}`);
}

/** Failed, or down for a moment before the next try. */
function downText(number: number): string {
  return `${number} ${number === 1 ? 'does' : 'do'} not come up`;
}

/** The last line: what all of it means for processes. */
function meaning(all: readonly AnyChange[]): readonly string[] {
  if (all.every(({ action }) => action === 'keep')) return [];
  const changes = all.filter(({ rejected }) => rejected === undefined);
  const sum = (what: keyof ReturnType<typeof amounts>, ...kinds: readonly ChangeKind[]): number =>
    changes
      .filter(({ action }) => kinds.includes(action))
      .reduce((total, change) => total + amounts(change)[what], 0);
  const parts = [
    { number: sum('others', 'roll', 'replace'), done: 'replaced' },
    { number: sum('started', 'start', 'stop', 'roll', 'replace'), done: 'started' },
    { number: sum('stopped', 'stop', 'roll', 'replace'), done: 'stopped' },
    { number: sum('others', 'reload'), done: 'told to reload' },
  ].filter(({ number }) => number > 0);
  const [first, ...more] = parts;
  if (first === undefined) return ['No process is touched.'];
  const start = `${count(first.number, 'process', 'processes')} will be ${first.done}`;
  return [`${[start, ...more.map(({ number, done }) => `${number} ${done}`)].join(', ')}.`];
}
