/** `explain`: what does a key of the configuration mean? */
import { type KeyFact, SERVICE_KEYS, SETTING_KEYS } from '../model/keys.ts';
import { type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Exit } from './exit-codes.ts';
import { refusal } from './refusal.ts';
import { type Column, table } from './table.ts';

interface Known extends KeyFact {
  /** In which file the key stands: a service file or the master file. */
  readonly file: 'service' | 'config';
}

const KEYS: readonly Known[] = [
  ...SERVICE_KEYS.map((fact) => ({ file: 'service' as const, ...fact })),
  ...SETTING_KEYS.map((fact) => ({ file: 'config' as const, ...fact })),
];

export async function explain(call: Call): Promise<Exit> {
  const [key] = call.words;
  const found = key === undefined ? KEYS : find(key);
  if (key !== undefined && found.length === 0) {
    const meant = didYouMean(
      key,
      KEYS.flatMap(({ path }) => (path.endsWith('*') ? [] : [path, lastOf(path)])),
    );
    const hint = meant === '' ? '; pmctl explain alone lists all keys' : meant;
    return refuse(call, refusal('error', 'key-unknown', `no key is called ${JSON.stringify(key)}${hint}`));
  }
  if (call.options.json) printJson(call, { keys: found });
  else if (key === undefined) printLines(call, listing(call, found));
  else
    printLines(
      call,
      found.flatMap((fact, index) => [...(index === 0 ? [] : ['']), ...page(call, fact)]),
    );
  return 'fine';
}

/**
 * By the whole path (`process.env.MODE`, `process.args[0]`, `process.stop_grace_ms`), else every key whose path ends
 * with the text.
 */
function find(text: string): readonly Known[] {
  const keys = text
    .replace(/_ms$/, '')
    .replace(/\[\d*\]/g, '')
    .split('.');
  const exact = KEYS.filter(({ path }) => path === keys.join('.'));
  if (exact.length > 0) return exact;
  const patterned = KEYS.filter(({ path }) => {
    const pattern = path.split('.');
    return (
      pattern.length === keys.length && pattern.every((part, index) => part === '*' || part === keys[index])
    );
  });
  if (patterned.length > 0) return patterned;
  return KEYS.filter(({ path }) => path.endsWith(`.${keys.join('.')}`));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

const COLUMNS: readonly Column[] = [
  { title: 'KEY', align: 'left' },
  { title: 'FILE', align: 'left', spare: 1 },
  { title: 'CLASS', align: 'left', spare: 3 },
  { title: 'DEFAULT', align: 'left', spare: 2 },
  { title: 'MEANING', align: 'left', cut: 40 },
];

function listing(call: Call, facts: readonly Known[]): readonly string[] {
  const rows = facts.map(({ path, file, apply, default: unset, description }) => [
    { text: path },
    { text: file },
    { text: apply },
    { text: unset ?? '-' },
    { text: description },
  ]);
  return table(COLUMNS, rows, { width: widthOf(call), paint: call.paint });
}

function page(call: Call, fact: Known): readonly string[] {
  const { paint } = call;
  const below = KEYS.filter(({ file, path }) => file === fact.file && path.startsWith(`${fact.path}.`));
  const rows = [
    ['type', fact.type],
    ['values', fact.values?.join(', ') ?? ''],
    ['default', fact.default ?? (fact.group ? '' : 'none')],
    ['class', `${fact.apply}: ${CLASSES[fact.apply]}`],
    ['keys', below.map(({ path }) => path.slice(fact.path.length + 1)).join(', ')],
  ].filter(([, text]) => text !== '');
  const place = fact.file === 'service' ? 'service file' : 'master file';
  return [
    `${paint('bold', fact.path)}  ${paint('dim', `(${place})`)}`,
    `  ${fact.description}`,
    ...rows.map(([name = '', text = '']) => `  ${paint('dim', name.padEnd(8))} ${text}`),
    ...(fact.example === null ? [] : ['', ...fact.example.split('\n').map((line) => `    ${line}`)]),
  ];
}

const CLASSES: Readonly<Record<KeyFact['apply'], string>> = {
  live: 'a change is applied at once, no process is touched',
  reload: 'a change is passed on by the reload signal or command',
  roll: 'a change replaces the processes by a new generation',
  replace: 'a change stops the processes and starts new ones',
  restart: 'a change waits for the next start of the daemon',
};
