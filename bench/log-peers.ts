/** How fast do others take lines and rotate them, and does every line arrive there? */
import { spawnSync } from 'node:child_process';
import { digits, megabytes, summary } from './figures.ts';
import {
  type Arrival,
  type LogPath,
  throughPm2,
  throughS6Log,
  throughService,
  throughSupervisord,
  throughSvlogd,
  toPlainFile,
} from './log-paths.ts';
import { LINE, STRETCH } from './log-writer.ts';

interface Way {
  readonly name: string;
  readonly path: LogPath;
  /** The program that must be installed; undefined: nothing. */
  readonly needs?: string;
}

const WAYS: readonly Way[] = [
  { name: 'a plain file, never rotated', path: toPlainFile },
  { name: 'processmaster', path: throughService },
  { name: 'supervisord', path: throughSupervisord, needs: 'supervisord' },
  { name: 'svlogd (runit)', path: throughSvlogd, needs: 'svlogd' },
  { name: 's6-log', path: throughS6Log, needs: 's6-log' },
  { name: 'pm2, which never rotates by itself', path: throughPm2, needs: 'pm2' },
];

/** Medians of each, in turn in the same run; in Markdown. */
export async function logPeers(quick: boolean): Promise<string> {
  const present = WAYS.filter(({ needs }) => needs === undefined || isInstalled(needs));
  const missing = WAYS.filter((way) => !present.includes(way)).map(({ needs }) => needs);
  const rows: string[] = [];
  for (const write of [LINE, 4096]) {
    const runs = new Map<string, Arrival[]>();
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      for (const { name, path } of present) {
        const lines = { write, total: quick ? 150e6 : 1e9, looks: null };
        const all = runs.get(name) ?? [];
        all.push(await path({ lines, size: STRETCH }));
        runs.set(name, all);
      }
    }
    for (const [name, all] of runs) rows.push(row(name, write, all));
  }
  const head = [
    '| | write | MB/s | lost | doubled | torn | split at rotation | files | largest |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
  ];
  const hint = missing.length > 0 ? `\n\nNot installed: ${missing.join(', ')}.` : '';
  return `### Logs beside others\n\n${[...head, ...rows].join('\n')}${hint}\n`;
}

function row(name: string, write: number, runs: readonly Arrival[]): string {
  const { median, min, max } = summary(runs.map(({ speed }) => speed));
  const sum = (of: (arrival: Arrival) => number) => runs.reduce((total, run) => total + of(run), 0);
  const cells = [
    name,
    `${write} B`,
    `${digits(median)} (${digits(min)}–${digits(max)})`,
    sum(({ counted }) => counted.lost),
    sum(({ counted }) => counted.again),
    sum(({ counted }) => counted.torn),
    sum(({ counted }) => counted.split),
    sum(({ files }) => files),
    megabytes(Math.max(...runs.map(({ largest }) => largest))),
  ];
  return `| ${cells.join(' | ')} |`;
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}
