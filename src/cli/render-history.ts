/** How do applied states look as a table? */
import type { HistoryEntry, HistoryView, SnapshotView } from '../api/deploys.ts';
import { safeText } from '../model/terminal-safe.ts';
import type { Colour, Paint } from './paint.ts';
import { localTime } from './quantities.ts';
import { type Column, table } from './table.ts';

interface Look {
  readonly width: number | null;
  readonly paint: Paint;
}

const COLUMNS: readonly Column[] = [
  { title: 'SNAPSHOT', align: 'left' },
  { title: 'WHEN', align: 'left', spare: 5 },
  { title: 'BY', align: 'left', spare: 4 },
  { title: 'COMMIT', align: 'left', spare: 2 },
  { title: 'CHANGES', align: 'left', spare: 3 },
  { title: 'RESULT', align: 'left' },
  { title: 'MARK', align: 'left' },
];

const COLOURS: Readonly<Record<HistoryEntry['result'], Colour>> = {
  converged: 'green',
  failed: 'red',
  pending: 'yellow',
  superseded: 'dim',
};

export function renderHistory(view: HistoryView, look: Look): readonly string[] {
  const rows = view.entries.map((entry) => [
    { text: entry.id },
    { text: whenText(entry, look) },
    { text: byText(entry) },
    { text: commitText(entry) },
    { text: changesText(entry) },
    { text: entry.result, colour: COLOURS[entry.result] },
    { text: entry.mark ?? '' },
  ]);
  const lines = rows.length === 0 ? ['nothing has been written down yet'] : table(COLUMNS, rows, look);
  return [
    ...lines,
    ...view.problems.map((problem) => `${look.paint('yellow', 'warning')}  ${safeText(problem)}`),
  ];
}

export function renderSnapshot({ entry, files }: SnapshotView, look: Look): readonly string[] {
  const failed = Object.entries(entry.results).filter(([, result]) => result !== 'converged');
  const columns = ['SERVICE', 'FILE', 'DEFINITION', 'BESIDES'].map((title) => ({
    title,
    align: 'left' as const,
  }));
  const rows = files.map(({ service, path, hash, env_files }) => [
    { text: service },
    { text: path },
    { text: hash ?? 'broken' },
    { text: envText(env_files) },
  ]);
  return [
    safeText(`${entry.id}  ${whenText(entry, look)}  ${byText(entry)}  ${commitText(entry)}`),
    safeText(`${changesText(entry)}  ${entry.result}${entry.mark === null ? '' : `, ${entry.mark}`}`),
    ...failed.map(([service, result]) => safeText(`  ${service}: ${result}`)),
    '',
    ...table(columns, rows, look),
  ];
}

/** A person reads the clock of this host, a program what says which clock it is. */
function whenText({ at }: HistoryEntry, { width }: Look): string {
  return width === null ? at : localTime(Date.parse(at));
}

/** `update by bob`, `watch`. */
function byText({ trigger, by }: HistoryEntry): string {
  return by === null ? trigger : `${trigger} by ${by}`;
}

/** `main 1a2b3c4d5e +`: the plus tells that something was not as the commit has it. */
function commitText({ commit }: HistoryEntry): string {
  if (commit === null) return '-';
  const branch = commit.branch === null ? '' : `${commit.branch} `;
  return `${branch}${commit.oid.slice(0, 10)}${commit.dirty ? ' +' : ''}`;
}

function changesText({ added, changed, removed }: HistoryEntry): string {
  return `+${added.length} ~${changed.length} -${removed.length}`;
}

function envText(files: Readonly<Record<string, boolean | null>>): string {
  return Object.entries(files)
    .map(
      ([path, same]) =>
        `${path} ${same === null ? 'is not known now' : same ? 'says the same' : 'differs now'}`,
    )
    .join(', ');
}
