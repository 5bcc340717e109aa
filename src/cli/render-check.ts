/** How do the errors of the configuration look, so that an editor can jump to them? */
import type { ConfigError } from '../api/contract.ts';
import { count } from '../model/units.ts';
import type { Paint } from './paint.ts';

import { errorPlace } from './render-diff.ts';
import { table } from './table.ts';

export interface CheckView {
  /** How many service files were looked at. */
  readonly files: number;
  readonly errors: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
  /** Names in `depends_on` of files outside of the configuration directory, of services that may be there or not. */
  readonly unchecked: readonly { readonly file: string; readonly depends_on: readonly string[] }[];
}

/** A line `file:line:col  error  sentence; hint` each, never cut, and a line with the sums. */
export function renderCheck(view: CheckView, paint: Paint): readonly string[] {
  const columns = ['PLACE', 'SEVERITY', 'MESSAGE'].map((title) => ({ title, align: 'left' as const }));
  const rows = [...view.errors, ...view.warnings].map((error) => [
    { text: errorPlace(error) },
    // As wide as the longer word, so that the sentences of any two runs begin at the same column.
    {
      text: error.severity.padEnd('warning'.length),
      colour: error.severity === 'error' ? ('red' as const) : ('yellow' as const),
    },
    { text: `${error.message}${error.hint === null ? '' : `; ${error.hint}`}` },
  ]);
  const notes = view.unchecked.map(({ file, depends_on }) => [
    { text: file },
    { text: 'note'.padEnd('warning'.length), colour: 'dim' as const },
    {
      text: `depends_on: not checked whether there is ${depends_on.join(', ')}, as this file lies outside of the configuration directory`,
    },
  ]);
  return [...table(columns, [...rows, ...notes], { width: null, paint, header: false }), sums(view)];
}

function sums({ files, errors, warnings }: CheckView): string {
  const found = [
    ...(errors.length === 0 ? [] : [count(errors.length, 'error')]),
    ...(warnings.length === 0 ? [] : [count(warnings.length, 'warning')]),
  ];
  if (found.length === 0) return `${count(files, 'file')}, no errors`;
  const affected = new Set([...errors, ...warnings].flatMap(({ file }) => (file === null ? [] : [file])))
    .size;
  return `${found.join(' and ')} in ${affected} of ${count(Math.max(files, affected), 'file')}`;
}
