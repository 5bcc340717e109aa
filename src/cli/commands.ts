/** Which commands does pmctl have, with which arguments and options, and where is the code of each? */
import type { Verb } from '../api/contract.ts';
import { parseDuration } from '../model/units.ts';
import type { Run } from './call.ts';

export interface OptionRow {
  readonly flags: string;
  readonly summary: string;
  readonly required?: true;
  /** Throws a plain sentence for a text that cannot be read. */
  readonly parse?: (text: string, before: unknown) => unknown;
}

export interface CommandRow {
  readonly name: string;
  /** In the notation of commander: `<service>` is required, `[service...]` may be repeated or left out. */
  readonly words: string;
  readonly group: string;
  readonly summary: string;
  readonly options: readonly OptionRow[];
  /** The words are a command with options of its own: they stand after `--`. */
  readonly afterDashes?: true;
  /** Loaded when the command is called: a command pays for no other's code. */
  readonly load: () => Promise<Run>;
}

/** A value of an option that cannot be read; the message is the sentence to print. */
export class UnreadableValue extends Error {}

const label: OptionRow = {
  flags: '-l, --label <key=value>',
  summary: 'select by label; may be repeated, all must match',
  parse: (text, before) => {
    if (!/^[^=]+=/.test(text)) throw new UnreadableValue('Write it as key=value.');
    return [...(Array.isArray(before) ? before : []), text];
  },
};
const wait: OptionRow = { flags: '--wait', summary: 'wait for the outcome (the default)' };
const noWait: OptionRow = { flags: '--no-wait', summary: 'do not wait for the outcome' };
const timeout: OptionRow = {
  flags: '--timeout <duration>',
  summary: 'wait at most this long (default 60s)',
  parse: duration,
};
const follow: OptionRow = { flags: '-f, --follow', summary: 'go on as new ones come' };
const lines: OptionRow = {
  flags: '-n, --lines <count>',
  summary: 'how many of the last lines',
  parse: wholeNumber,
};

const CONFIGURATION = 'Configuration:';
const SERVICES = 'Services:';
const INSIGHT = 'Insight:';
const DAEMON = 'The daemon and pmctl:';

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'check',
    words: '[file...]',
    group: CONFIGURATION,
    summary: 'validate the service files offline, without a daemon',
    options: [],
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'diff',
    words: '',
    group: CONFIGURATION,
    summary: 'what update would do, field by field',
    options: [],
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'update',
    words: '[service...]',
    group: CONFIGURATION,
    summary: 'make what runs what the files say',
    options: [
      { flags: '--prune', summary: 'confirm removals that the guard holds back' },
      wait,
      noWait,
      timeout,
    ],
    load: async () => (await import('./diff.ts')).update,
  },
  {
    name: 'explain',
    words: '[key]',
    group: CONFIGURATION,
    summary: 'meaning, type, default and apply class of a key; all keys without one',
    options: [],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'schema',
    words: '[service|config]',
    group: CONFIGURATION,
    summary: 'the JSON schema of service files, or of the master file',
    options: [],
    load: async () => (await import('./schema.ts')).schema,
  },
  {
    name: 'status',
    words: '[service...]',
    group: SERVICES,
    summary: 'the state of all services; of the named ones with their instances',
    options: [{ flags: '-w, --watch', summary: 'redraw every second until q' }, label],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'list',
    words: '',
    group: SERVICES,
    summary: 'the names of all services, one a line',
    options: [label],
    load: async () => (await import('./status.ts')).list,
  },
  verb('start', 'start; also what was stopped or has failed', [label, wait, noWait, timeout]),
  verb('stop', 'stop, and stay stopped until start', [label, wait, noWait, timeout]),
  verb('restart', 'replace the processes', [label, wait, noWait, timeout]),
  verb('reload', 'tell the processes to reload, or replace them one by one where they cannot', [
    label,
    wait,
    noWait,
    timeout,
  ]),
  verb('trigger', 'run scheduled services once, now', [label, wait, noWait, timeout]),
  {
    name: 'schedule',
    words: '[service...]',
    group: SERVICES,
    summary: 'the next times of scheduled services, and how they went last',
    options: [label],
    load: async () => (await import('./schedule.ts')).schedule,
  },
  verb('hold', 'the loop leaves it alone, and everybody sees why', [
    { flags: '-m, --message <reason>', summary: 'why it is held', required: true },
    { flags: '--for <duration>', summary: 'release by itself after this time', parse: duration },
    label,
  ]),
  verb('release', 'end a hold', [label]),
  verb('enable', 'set enabled: true in the file', [label, wait, noWait, timeout]),
  verb('disable', 'set enabled: false in the file', [label, wait, noWait, timeout]),
  {
    name: 'scale',
    words: '<service> <instances>',
    group: SERVICES,
    summary: 'run so many instances now; shown as drift until the file agrees',
    options: [wait, noWait, timeout],
    load: async () => (await import('./verbs.ts')).scale,
  },
  {
    name: 'run',
    words: '<command...>',
    afterDashes: true,
    group: SERVICES,
    summary: 'write a service file for a command, and run it: run [options] -- CMD…',
    options: [
      { flags: '--name <name>', summary: 'of the service (default: taken from the command)' },
      {
        flags: '--instances <count>',
        summary: 'how many, or auto: one for each processor',
        parse: instances,
      },
      {
        flags: '--port <port>',
        summary: 'its TCP port, exported as PORT; auto: one of the pool',
        parse: port,
      },
      { flags: '--env <name=value>', summary: 'a variable of the process; may be repeated', parse: variable },
      { flags: '--user <user>', summary: 'who runs it (default: the user of the daemon)' },
      { flags: '--cwd <directory>', summary: 'its working directory (default: this one)' },
      { flags: '--schedule <cron>', summary: 'run it at these times instead of all the time' },
      { flags: '--dev', summary: 'restart it when files change, show its logs, stop it with Ctrl-C' },
      wait,
      noWait,
      timeout,
    ],
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'delete',
    words: '<service...>',
    group: SERVICES,
    summary: 'remove the file, and end what runs of it',
    options: [wait, noWait, timeout],
    load: async () => (await import('./delete.ts')).remove,
  },
  {
    name: 'wait',
    words: '<service>',
    group: SERVICES,
    summary: 'wait until a service has come to a state, for scripts',
    options: [
      { flags: '--for <state>', summary: 'ready, stopped or completed (default ready)', parse: goal },
      timeout,
    ],
    load: async () => (await import('./wait.ts')).wait,
  },
  {
    name: 'logs',
    words: '[service|file...]',
    group: INSIGHT,
    summary: 'the last lines of the log files; of those of one name when a file is named',
    options: [lines, follow],
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'why',
    words: '<service>',
    group: INSIGHT,
    summary: 'why a service is in the state it is in, and what would mend it',
    options: [],
    load: async () => (await import('./why.ts')).why,
  },
  {
    name: 'events',
    words: '[service...]',
    group: INSIGHT,
    summary: 'what happened, oldest first',
    options: [lines, follow],
    load: async () => (await import('./events.ts')).events,
  },
  {
    name: 'doctor',
    words: '',
    group: INSIGHT,
    summary: 'what this host gives, and what it does not',
    options: [],
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'shutdown',
    words: '',
    group: DAEMON,
    summary: 'end the daemon; services keep running',
    options: [{ flags: '--stop-services', summary: 'stop all services first' }, wait, noWait, timeout],
    load: async () => (await import('./shutdown.ts')).shutdown,
  },
  {
    name: 'version',
    words: '',
    group: DAEMON,
    summary: 'the versions of pmctl and of the daemon',
    options: [],
    load: async () => (await import('./version.ts')).version,
  },
];

function verb(name: Exclude<Verb, 'scale'>, summary: string, options: readonly OptionRow[]): CommandRow {
  const load = async (): Promise<Run> => (await import('./verbs.ts'))[name];
  return { name, words: '[service|all...]', group: SERVICES, summary, options, load };
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (typeof parsed === 'number') return parsed;
  throw new UnreadableValue(parsed.refused);
}

function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new UnreadableValue('Write a whole number, not negative.');
}

function instances(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UnreadableValue('Write a number from 1 to 999, or auto.');
}

function port(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new UnreadableValue('Write a number from 1 to 65535, or auto.');
}

function variable(text: string, before: unknown): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UnreadableValue('Write it as NAME=value.');
  return { ...(typeof before === 'object' ? before : {}), [name]: value };
}

function goal(text: string): string {
  if (['ready', 'stopped', 'completed'].includes(text)) return text;
  throw new UnreadableValue('Write ready, stopped or completed.');
}
