/** Which commands does pmctl have, with which arguments and options, and where is the code of each? */
import type { Verb } from '../api/contract.ts';
import type { Run } from './call.ts';
import {
  CONFIGURATION,
  type CommandRow,
  label,
  noWait,
  type OptionRow,
  timeout,
  wait,
} from './command-row.ts';
import { DEPLOYS, diffOptions, syncOptions, updateOptions } from './deploy-commands.ts';
import {
  duration,
  goal,
  instanceNumber,
  instances,
  order,
  port,
  stream,
  variable,
  wholeNumber,
} from './option-values.ts';

const follow: OptionRow = { flags: '-f, --follow', summary: 'go on as new ones come' };
const lines: OptionRow = {
  flags: '-n, --lines <count>',
  summary: 'how many of the last lines',
  parse: wholeNumber,
};

const sort: OptionRow = {
  flags: '--sort <column>',
  summary: '',
  choices: ['cpu', 'mem', 'name', 'restarts'],
  parse: order,
};

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
    words: '[snapshot] [other]',
    group: CONFIGURATION,
    summary:
      'what update would do, field by field; or how a snapshot differs from what is in force, or another',
    options: diffOptions,
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'update',
    words: '[service|plan...]',
    group: CONFIGURATION,
    summary: 'make what runs what the files say; with a saved plan: exactly that, or nothing',
    options: [
      { flags: '--prune', summary: 'confirm removals that the guard holds back' },
      ...updateOptions,
      wait,
      noWait,
      timeout,
    ],
    load: async () => (await import('./diff.ts')).update,
  },
  {
    name: 'sync',
    words: '',
    group: CONFIGURATION,
    summary: 'fetch, and bring checkout and services to the newest commit',
    options: [
      { flags: '--dry-run', summary: 'fetch and show what would be done' },
      { flags: '--prune', summary: 'confirm removals that the guard holds back' },
      ...syncOptions,
      wait,
      noWait,
      timeout,
    ],
    load: async () => (await import('./sync.ts')).sync,
  },
  ...DEPLOYS,
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
    choices: ['service', 'config'],
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
      {
        flags: '--env <name=value>',
        summary: 'a variable of the process; may be repeated',
        repeats: true,
        parse: variable,
      },
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
      {
        flags: '--for <state>',
        summary: 'ready, stopped or completed (default ready)',
        choices: ['ready', 'stopped', 'completed'],
        parse: goal,
      },
      timeout,
    ],
    load: async () => (await import('./wait.ts')).wait,
  },
  {
    name: 'logs',
    words: '[service|file...]',
    group: INSIGHT,
    summary: 'the last lines of the log files; of those of one name when a file is named',
    options: [
      { ...lines, summary: 'how many of the last lines of each file (default 50, -f 10, --since all)' },
      follow,
      { flags: '--since <time>', summary: 'lines since then: 10m, 2h, 1d, 14:05, 2026-11-21T14:05:06Z' },
      { flags: '--until <time>', summary: 'lines until then' },
      { flags: '--grep <pattern>', summary: 'lines that match this regular expression' },
      {
        flags: '--stream <stream>',
        summary: 'only stdout, stderr or hint',
        choices: ['stdout', 'stderr', 'hint'],
        parse: stream,
      },
      { flags: '--instance <number>', summary: 'only files of this instance', parse: instanceNumber },
    ],
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'stats',
    words: '[service...]',
    group: INSIGHT,
    summary: 'what services use: cpu, memory, processes, input and output',
    options: [{ ...sort, summary: 'cpu, mem, name or restarts (default name)' }],
    load: async () => (await import('./stats.ts')).stats,
  },
  {
    name: 'top',
    words: '[service...]',
    group: INSIGHT,
    summary: 'what services use, live until q; one table where the output is no terminal',
    options: [{ ...sort, summary: 'cpu, mem, name or restarts (default cpu)' }],
    load: async () => (await import('./top.ts')).top,
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
    summary: 'what happened, oldest first; without a daemon from its journal',
    options: [
      lines,
      follow,
      { flags: '--since <time>', summary: 'events since then: 10m, 2h, 1d ago; 14:05, 2026-11-21T14:05:06Z' },
    ],
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
    name: 'token',
    words: '<new|list|revoke> [name]',
    choices: ['new', 'list', 'revoke'],
    group: DAEMON,
    summary: 'make, list and revoke the tokens of the API over TCP, on the host of the daemon',
    options: [
      {
        flags: '--role <role>',
        summary: 'read (the default), operate or admin',
        choices: ['read', 'operate', 'admin'],
      },
      { flags: '--file <file>', summary: 'the file of the tokens (default: api.tokens of the master file)' },
    ],
    load: async () => (await import('./token.ts')).token,
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
    name: 'install-unit',
    words: '',
    group: DAEMON,
    summary: 'write the systemd unit that keeps the daemon running',
    options: [
      { flags: '--user', summary: 'for your own user manager, not for the whole host' },
      { flags: '--print', summary: 'print it, and write nothing' },
      { flags: '--force', summary: 'also over a unit that says something else' },
    ],
    load: async () => {
      const { installUnit } = await import('./install-unit.ts');
      return (call) => installUnit(call);
    },
  },
  {
    name: 'completion',
    words: '<bash|zsh|fish>',
    choices: ['bash', 'zsh', 'fish'],
    group: DAEMON,
    summary: 'a script that makes your shell complete commands, options and services',
    options: [],
    load: async () => (await import('./completion.ts')).completion,
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

export type { CommandRow, OptionRow };
