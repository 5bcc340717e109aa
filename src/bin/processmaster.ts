/** The program processmaster: argv, settings, and then the daemon. */
import { Command, CommanderError, Option } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { SETTABLE } from '../config/setting-sources.ts';
import { loadSettings } from '../config/settings.ts';
import { SETTING_KEYS } from '../model/keys.ts';
import { type Problem, sentence } from '../model/problem.ts';
import { approachBase } from '../world/cgroup-base.ts';
import { systemFiles } from '../world/files.ts';
import { systemHost } from '../world/host.ts';
import { systemUsers } from '../world/users.ts';

/** sysexits(3): the command was used wrongly. */
const WRONG_USAGE = 64;

const { version } = packageFile;

process.stdout.on('error', () => {
  // `processmaster --help | head`: whoever reads has seen enough.
});

void (process.argv[2] === 'run' ? foreground(process.argv.slice(3)) : main(process.argv.slice(2)));

async function foreground(argv: readonly string[]): Promise<void> {
  const { runForeground } = await import('./run.ts');
  const ended = await runForeground(argv, { version, cwd: process.cwd() });
  if (ended === undefined) return;
  if (ended.out !== '') process.stdout.write(ended.out);
  if (ended.err !== '') process.stderr.write(ended.err);
  process.exitCode = ended.exit;
}

async function main(argv: readonly string[]): Promise<void> {
  const given = parseArguments(argv);
  if (typeof given === 'number') {
    process.exitCode = given;
    return;
  }
  const host = systemHost();
  const files = systemFiles();
  const users = systemUsers();
  const cwd = process.cwd();
  const load = () =>
    loadSettings({
      ...(given.config === undefined ? {} : { file: given.config }),
      cwd,
      env: host.environment,
      flags: given.flags,
      files,
      users,
      hostname: host.hostname,
    });
  const loaded = load();
  if ('problems' in loaded) {
    fail(loaded.problems);
    return;
  }
  const { settings, warnings } = loaded;
  const { containment, cgroup_root: root, cgroup_name: name } = settings;
  const approaching = containment === 'process_group' ? undefined : approachBase({ root, name });
  // Meanwhile, because it takes as long: most of the program.
  const { serve } = await import('./serve.ts');
  const approach = await approaching;
  const terminal = process.stderr.isTTY;
  const refused = await serve({
    ...{ settings, warnings, approach, host, files, users, cwd, terminal, version },
    again: load,
  });
  if (refused !== undefined) fail([refused]);
}

/** The exit code when there is nothing to run: help, version, or a mistake. */
function parseArguments(
  argv: readonly string[],
): { config: string | undefined; flags: Record<string, unknown> } | number {
  const command = new Command('processmaster')
    .description('Runs what the service files in the configuration directory say, and keeps it so.')
    .version(version, '-v, --version')
    .option('-c, --config <file>', 'the master file (default: ./config.yaml if there is one)')
    .allowExcessArguments()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'processmaster: ')) })
    .exitOverride();
  for (const { path, description, group } of SETTING_KEYS) {
    if (group || path.includes('*')) continue;
    const option = new Option(`--${flagOf(path)} <value>`, firstSentence(description));
    // Whoever types one of the others is told where it belongs.
    command.addOption(SETTABLE.includes(path) ? option : option.hideHelp());
  }
  const services = 'Services are managed with pmctl: pmctl status, pmctl stop SERVICE, …';
  const run = 'One command in the foreground, without files: processmaster run --help';
  command.addHelpText('after', `\n${services}\n${run}`);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : WRONG_USAGE;
  }
  const [word] = command.args;
  if (word !== undefined) {
    const meant = command.args.join(' ');
    process.stderr.write(
      `processmaster: unexpected word ${JSON.stringify(word)}; services are managed with: pmctl ${meant}\n`,
    );
    return WRONG_USAGE;
  }
  const values = command.opts<Record<string, string>>();
  const flags: Record<string, unknown> = {};
  for (const { path, group } of SETTING_KEYS) {
    const value = group ? undefined : values[camelCase(flagOf(path))];
    if (value !== undefined) flags[path] = value;
  }
  return { config: values['config'], flags };
}

function fail(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`processmaster: ${sentence(problem)}\n`);
  process.exitCode = 1;
}

/** `watch.settle` is `--watch-settle`, `sock_path` is `--sock-path`. */
function flagOf(path: string): string {
  return path.replaceAll(/[._]/g, '-');
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A full stop may also be one of the characters that are spoken of. */
function firstSentence(text: string): string {
  return text.split(/(?<=\S\.)\s/)[0] ?? text;
}
