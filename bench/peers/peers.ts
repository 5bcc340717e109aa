/** How do other process managers do at the same, on the same machine, in the same run? */
import { digits } from '../figures.ts';
import { drawRatios, type KeepPlot, type Ratios } from '../plot.ts';
import { conductOf } from './conduct.ts';
import type { Kind } from './manager.ts';
import { processmaster } from './own.ts';
import { pm2 } from './pm2.ts';
import { runit } from './runit.ts';
import { s6 } from './s6.ts';
import { supervisord } from './supervisor.ts';
import { timesOf, type Value } from './times.ts';

const KINDS: readonly Kind[] = [processmaster, supervisord, runit, s6, pm2];

type Rows = Map<string, Map<string, Value>>;

/** Medians of each, and how many times as much as processmaster each of the others takes; in Markdown. */
export async function peers(quick: boolean, keep: KeepPlot): Promise<string> {
  const kinds = KINDS.map((kind) => ({ kind, version: kind.version() }));
  const missing = kinds.filter(({ version }) => version === undefined).map(({ kind }) => kind.name);
  const present = kinds.flatMap(({ kind, version }) => (version === undefined ? [] : [kind]));
  const times: Rows = new Map();
  const conduct: Rows = new Map();
  for (const count of quick ? [100] : [100, 500]) {
    for (const kind of present) {
      const values = await timesOf(kind, count, quick);
      note(times, kind, values, `, ${count} services`);
    }
  }
  for (const kind of present) note(conduct, kind, await conductOf(kind), '');
  keep('peers', drawRatios(ratiosOf(times)));
  const versions = kinds.map(({ kind, version }) => `${kind.name} ${version ?? 'not installed'}`).join(', ');
  const hint =
    missing.length > 0
      ? '\n\nFor the others: `apt-get install supervisor runit s6`; pm2 from npm, anywhere on the PATH.'
      : '';
  return `### Beside others

${table('median', present, times)}

${table('conduct', present, conduct)}

${versions}; files on tmpfs.${hint}
`;
}

function note(rows: Rows, kind: Kind, values: readonly Value[], suffix: string): void {
  for (const value of values) {
    const what = `${value.what}${suffix}`;
    rows.set(what, (rows.get(what) ?? new Map()).set(kind.name, value));
  }
}

/** Zero has no place on a logarithmic axis: what is too little to be measured is left out. */
function ratiosOf(rows: Rows): Ratios {
  const drawn = [...rows].map(([name, values]) => {
    const own = values.get(processmaster.name)?.value;
    const ratios = [...values].flatMap(([who, { value }]) => {
      if (typeof own !== 'number' || own <= 0 || typeof value !== 'number' || value <= 0) return [];
      return [[who, value / own] as const];
    });
    return { name, values: new Map(ratios) };
  });
  return {
    title: 'Beside others',
    x: 'times as much as processmaster takes (less is better)',
    rows: drawn.filter(({ values }) => values.size > 0),
  };
}

function table(title: string, kinds: readonly Kind[], rows: Rows): string {
  const names = kinds.map(({ name }) => name);
  const body = [...rows].map(([what, values]) => {
    const own = values.get(processmaster.name)?.value;
    return `| ${[what, ...names.map((name) => cell(values.get(name), name === processmaster.name ? undefined : own))].join(' | ')} |`;
  });
  return [`| ${title} | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...body].join(
    '\n',
  );
}

function cell(value: Value | undefined, own: Value['value']): string {
  if (value?.value === undefined) return 'no command';
  if (value.unit === '' || typeof value.value === 'string') return String(value.value);
  const ratio = typeof own === 'number' && own > 0 ? ` (${digits(value.value / own)} ×)` : '';
  return `${digits(value.value)} ${value.unit}${ratio}`;
}
