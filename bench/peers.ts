/** How do other process managers do at the same, on the same machine, in the same run? */
import { digits, summary } from './figures.ts';
import { pause } from './ground.ts';
import { memoryOf } from './kernel.ts';
import { KINDS, type Kind, type Manager } from './peer-managers.ts';
import { now } from './program.ts';

interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MB';
  /** By name of the manager; undefined: it has no such command. */
  readonly values: Map<string, number | undefined>;
}

const START_BOUND = 120_000;

/** Medians of each, and how many times as much as processmaster each of the others takes; in Markdown. */
export async function peers(quick: boolean): Promise<string> {
  const kinds = KINDS.map((kind) => ({ kind, version: kind.version() }));
  const missing = kinds.filter(({ version }) => version === undefined).map(({ kind }) => kind.name);
  const present = kinds.flatMap(({ kind, version }) => (version === undefined ? [] : [kind]));
  const rows: Row[] = [];
  const note = (what: string, unit: Row['unit'], kind: Kind, value: number | undefined) => {
    let row = rows.find((each) => each.what === what);
    if (row === undefined) {
      row = { what, unit, values: new Map() };
      rows.push(row);
    }
    row.values.set(kind.name, value);
  };
  for (const count of [100, 500]) {
    for (const kind of present) {
      const measured = await measure(kind, count, quick);
      for (const { what, unit, value } of measured) note(`${what}, ${count} services`, unit, kind, value);
    }
  }
  const versions = kinds.map(({ kind, version }) => `${kind.name} ${version ?? 'not installed'}`).join(', ');
  const hint = missing.length > 0 ? '\n\nFor the others: `apt-get install supervisor runit`.' : '';
  return `### Beside others\n\n${table(present, rows)}\n\n${versions}; files on tmpfs.${hint}\n`;
}

async function measure(kind: Kind, count: number, quick: boolean) {
  const starts: number[] = [];
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    const manager = kind.open(count);
    try {
      starts.push(await started(manager, count));
    } finally {
      manager.close();
    }
  }
  const manager = kind.open(count);
  try {
    await started(manager, count);
    await manager.ready();
    await pause(5000);
    const pss = manager.own().reduce((sum, pid) => sum + memoryOf(pid).pss, 0);
    const times = async (command: 'status' | 'update') => {
      if (kind.lacks.includes(command)) return undefined;
      const samples: number[] = [];
      for (let at = 0; at < (quick ? 3 : 20); at++) samples.push(await manager.run(command));
      return summary(samples).median;
    };
    return [
      { what: 'cold start', unit: 'ms', value: summary(starts).median },
      { what: 'crash to respawn', unit: 'ms', value: summary(await crashes(manager, quick ? 5 : 30)).median },
      { what: 'status', unit: 'ms', value: await times('status') },
      { what: 'update with nothing to do', unit: 'ms', value: await times('update') },
      { what: 'PSS of the manager and its helpers', unit: 'MB', value: pss / 1e6 },
    ] as const;
  } finally {
    manager.close();
  }
}

async function started(manager: Manager, count: number): Promise<number> {
  const from = manager.start();
  await stamped(manager, count);
  return Math.max(...manager.stamps.all().map(({ at }) => at)) - from;
}

async function crashes(manager: Manager, count: number): Promise<readonly number[]> {
  const samples: number[] = [];
  const first = manager.stamps.all().slice();
  for (let at = 0; at < count; at++) {
    await pause(20);
    const before = manager.stamps.all().length;
    const from = now();
    // Each one has run for a while: a crash right after a start is held back by most.
    process.kill(first[at]?.pid ?? 0, 'SIGKILL');
    await stamped(manager, before + 1);
    samples.push((manager.stamps.all().at(-1)?.at ?? 0) - from);
  }
  return samples;
}

async function stamped(manager: Manager, count: number): Promise<void> {
  const deadline = now() + START_BOUND;
  while (manager.stamps.all().length < count) {
    if (now() > deadline) throw new Error(`${manager.stamps.all().length} of ${count} services were started`);
    await pause(5);
  }
}

function table(kinds: readonly Kind[], rows: readonly Row[]): string {
  const names = kinds.map(({ name }) => name);
  const body = rows.map(({ what, unit, values }) => {
    const own = values.get('processmaster') ?? Number.NaN;
    const cells = names.map((name) => {
      const value = values.get(name);
      if (value === undefined) return 'no command';
      const ratio = name === 'processmaster' ? '' : ` (${digits(value / own)} ×)`;
      return `${digits(value)} ${unit}${ratio}`;
    });
    return `| ${[what, ...cells].join(' | ')} |`;
  });
  return [`| median | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...body].join(
    '\n',
  );
}
