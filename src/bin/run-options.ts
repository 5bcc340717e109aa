/** What do the words and variables behind `processmaster run` say? */
import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { CommandLine } from '../config/command-line-state.ts';
import { nearest } from '../model/nearest.ts';
import { OptionReader } from './option-reader.ts';

export interface RunRequest {
  readonly line: CommandLine;
  readonly pidFile: string | null;
  /** Settings by key path, as text; where nothing is told, the defaults count. */
  readonly settings: Readonly<Record<string, string>>;
  /** Sentences about variables that are nearly those of an option. */
  readonly warnings: readonly string[];
}

export type RunOptions =
  | { readonly request: RunRequest }
  | { readonly exit: number; readonly out: string; readonly err: string };

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For `--instances auto`. */
  readonly processors: number;
  readonly cwd: string;
}

/** sysexits(3): the command was used wrongly. */
const WRONG_USAGE = 64;

const PREFIX = 'PROCESSMASTER_';

const MOST_SECONDS = 86_400;
const MOST_MILLISECONDS = MOST_SECONDS * 1000;

/** Flag and meaning; the name of the variable follows from the flag. */
const OPTIONS = [
  ['--instances <n|auto>', 'workers; auto: one for each processor (default: 1)'],
  ['--port <n>', 'TCP port of the workers, exported as PORT'],
  ['--host <address>', 'address of the workers, exported as HOST'],
  ['--pid-file <path>', 'where the id of this process is written'],
  ['--graceful-shutdown-seconds <n>', 'time to end in, before SIGKILL (default: 10)'],
  ['--respawn-delay-ms <n>', 'before a worker that ended is started again (default: 250)'],
  ['--reload-overlap-seconds <n>', 'how long old and new workers run side by side (default: 1)'],
  ['--listen-backlog <n>', 'exported as PROCESSMASTER_LISTEN_BACKLOG (default: 128)'],
  ['--connection-timeout-seconds <n>', 'exported as PROCESSMASTER_CONNECTION_TIMEOUT_SECONDS (default: 30)'],
  ['--job-worker-cmd <command>', 'a shell command for workers that serve no port'],
  ['--job-worker-count <n>', 'how many of them (default: 1 with a command)'],
  ['--job-worker-respawn-delay-ms <n>', 'as above, for job workers (default: 250)'],
] as const;

/** Keys of the master file that make sense here. */
const SETTINGS = [
  ['cluster.enabled', '--cluster-enabled [yes|no]', 'whether this host is part of a cluster'],
  ['cluster.name', '--cluster-name <name>', 'exported to the workers, as the next two'],
  ['cluster.node_id', '--cluster-node-id <id>', 'default: the host name'],
  ['cluster.expected_nodes', '--cluster-expected-nodes <n>', 'how many hosts the cluster should have'],
  ['lifecycle_log', '--lifecycle-log <path>', 'the lifecycle lines are appended to this file as well'],
  ['containment', '--containment <kind>', 'auto, cgroup or process_group'],
  ['cgroup_root', '--cgroup-root <path>', 'the directory in which the cgroup is made'],
  ['log.level', '--log-level <level>', 'of what is told on standard error'],
  ['log.format', '--log-format <format>', 'auto, pretty or json'],
] as const;

/** Not by a variable: pmctl finds the socket of another daemon by the same one. */
const SOCKET = ['sock_path', '--sock-path <path>', 'listen there for pmctl (default: nowhere)'] as const;

/** Every variable that stands for an option: no worker inherits it under this name. */
export const OPTION_VARIABLES: readonly string[] = [
  ...OPTIONS.map(([flag]) => variableOf(flag)),
  ...SETTINGS.map(([, flag]) => variableOf(flag)),
  variableOf('--no-respawn'),
];

/** Line over environment over default. An empty variable counts as not set. */
export function runOptions(argv: readonly string[], around: Surroundings): RunOptions {
  const said = { out: '', err: '' };
  const command = commandOf(said);
  const refuse = (sentence: string): RunOptions => {
    return { exit: WRONG_USAGE, out: '', err: `processmaster run: ${sentence}\n` };
  };
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.unknownOption') return refuse(unknownOption(error.message, command));
    return { exit: error.exitCode === 0 ? 0 : WRONG_USAGE, ...said };
  }
  const words = command.args;
  const option = words.find((word) => word.startsWith('-'));
  if (option !== undefined && !hasDashes(argv, words)) {
    return refuse(`write -- before the command: ${option} could be meant for it or for processmaster`);
  }
  if (words.length === 0) return refuse('what should run? processmaster run [options] -- COMMAND…');
  const read = new OptionReader(command.opts(), around.env, PREFIX);
  const request = requestOf(words, read, around);
  const [mistake] = read.mistakes;
  return mistake === undefined ? { request } : refuse(mistake);
}

function commandOf(said: { out: string; err: string }): Command {
  const command = new Command('processmaster run')
    .description('Runs a command several times, in the foreground, and keeps it so. There are no files.')
    .usage('[options] -- COMMAND…')
    .argument('[command...]')
    .passThroughOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text.replace(/^error: /, 'processmaster run: ');
      },
    });
  for (const [flag, meaning] of OPTIONS) command.addOption(new Option(flag, meaning));
  command.addOption(
    new Option('--env <NAME=VALUE>', 'a variable of all workers; may be repeated').argParser(
      (text, before: readonly string[] = []) => [...before, text],
    ),
  );
  command.addOption(new Option('--no-respawn', 'end when all workers have ended'));
  for (const [, flag, meaning] of [...SETTINGS, SOCKET]) command.addOption(new Option(flag, meaning));
  const variables =
    'Each option but --env and --sock-path can be given by a variable: PROCESSMASTER_PORT=8080.';
  return command.addHelpText('after', `\n${variables}\nHUP: rolling reload. TERM, INT: graceful end.`);
}

function requestOf(
  words: readonly string[],
  read: OptionReader,
  { env, processors, cwd }: Surroundings,
): RunRequest {
  const settings = [...SETTINGS, SOCKET].flatMap(([key, flag]): (readonly [string, string])[] => {
    const name = nameOf(flag);
    const text = key === 'sock_path' ? read.line(name) : read.text(name);
    if (text === undefined) return [];
    if (key === 'cluster.enabled') return [[key, String(read.yes(name, false))]];
    return [[key, flag.endsWith('<path>') ? resolve(cwd, text) : text]];
  });
  const jobCommand = read.text('job-worker-cmd');
  const count = read.number('job-worker-count', jobCommand === undefined ? 0 : 1, 0, 999);
  if (count > 0 && jobCommand === undefined) read.refuse('--job-worker-count needs --job-worker-cmd');
  const respawnDelay = read.number('job-worker-respawn-delay-ms', 250, 0, MOST_MILLISECONDS);
  const line: CommandLine = {
    command: words,
    instances: read.text('instances') === 'auto' ? processors : read.number('instances', 1, 1, 999),
    port: read.text('port') === undefined ? null : read.number('port', 0, 1, 65_535),
    host: read.text('host') ?? null,
    env: read.variables('env'),
    grace: read.number('graceful-shutdown-seconds', 10, 1, MOST_SECONDS) * 1000,
    respawnDelay: read.number('respawn-delay-ms', 250, 0, MOST_MILLISECONDS),
    reloadOverlap: read.number('reload-overlap-seconds', 1, 0, MOST_SECONDS) * 1000,
    listenBacklog: read.number('listen-backlog', 128, 1, 2_147_483_647),
    connectionTimeout: read.number('connection-timeout-seconds', 30, 1, MOST_SECONDS),
    respawn: !read.yes('no-respawn', false),
    jobs: jobCommand === undefined ? null : { command: jobCommand, count, respawnDelay },
  };
  const pidFile = read.path('pid-file', cwd);
  return { line, pidFile, settings: Object.fromEntries(settings), warnings: mistypedVariables(env) };
}

/** Commander takes the value for a part of the name, and then finds no name that is near. */
function unknownOption(message: string, command: Command): string {
  const written = /'(-[^'=]*)/.exec(message)?.[1] ?? message;
  const known = command.options.map(({ long }) => long ?? '');
  const near = nearest(written, known);
  return `unknown option ${written}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** The words of the command stand behind a `--`. */
function hasDashes(argv: readonly string[], words: readonly string[]): boolean {
  return argv[argv.length - words.length - 1] === '--';
}

function mistypedVariables(env: Surroundings['env']): readonly string[] {
  const known = OPTION_VARIABLES.map((name) => name.slice(PREFIX.length));
  // A worker of another manager has these, and may be a manager itself.
  const given = /^(SERVICE|INSTANCE|GENERATION|RUN_ID|ENABLE_REUSEPORT)$/;
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith(PREFIX)) return [];
    const rest = name.slice(PREFIX.length);
    const near = known.includes(rest) || given.test(rest) ? undefined : nearest(rest, known);
    return near === undefined ? [] : [`${name} is no option; did you mean ${PREFIX}${near}?`];
  });
}

function nameOf(flag: string): string {
  return flag.replace(/^--/, '').replace(/ .*/, '');
}

function variableOf(flag: string): string {
  return PREFIX + nameOf(flag).replaceAll('-', '_').toUpperCase();
}
