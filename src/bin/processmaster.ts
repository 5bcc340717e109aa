/** The program processmaster: argv, settings, the real world, and the daemon in it. */
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { defineService, removableFile } from '../config/define.ts';
import { setEnabled } from '../config/enable.ts';
import { ServiceDirectory, TEXTS_AT_ONCE } from '../config/load.ts';
import { loadSettings } from '../config/settings.ts';
import { Daemon } from '../daemon/daemon.ts';
import { openDaemonLog } from '../daemon/log.ts';
import { readLogs } from '../daemon/service-logs.ts';
import { SETTING_KEYS } from '../model/keys.ts';
import { type Problem, sentence } from '../model/problem.ts';
import { commitOf } from '../world/commit-of.ts';
import { EventFiles } from '../world/event-files.ts';
import { systemFiles } from '../world/files.ts';
import { GitCheckout } from '../world/git-checkout.ts';
import { systemHost } from '../world/host.ts';
import { hostFacts } from '../world/host-facts.ts';
import { openWorld } from '../world/linux.ts';
import { systemLogCare } from '../world/log-care.ts';
import { appendMarker } from '../world/log-marker.ts';
import { clearStalePidFile } from '../world/pid-file.ts';
import { closeLog, openLog } from '../world/safe-open.ts';
import { systemUsers } from '../world/users.ts';
import type { Failure } from '../world/world.ts';

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
  const loaded = loadSettings({
    ...(given.config === undefined ? {} : { file: given.config }),
    cwd: process.cwd(),
    env: host.environment,
    flags: given.flags,
    files,
    users,
    hostname: host.hostname,
  });
  if ('problems' in loaded) {
    fail(loaded.problems);
    return;
  }
  const { settings } = loaded;
  const opened = openWorld(settings);
  if ('problem' in opened) {
    fail([opened.problem]);
    return;
  }
  const log = await openDaemonLog(settings.log, process.stderr.isTTY);
  for (const warning of loaded.warnings) log.warn({ code: warning.code }, sentence(warning));
  const place = {
    files,
    users,
    host: hostFacts(),
    settings,
    environment: host.environment,
    cwd: process.cwd(),
  };
  const directory = new ServiceDirectory(place);
  const aside = new ServiceDirectory(place);
  const daemon = new Daemon({
    world: opened.world,
    host,
    settings,
    log,
    version,
    read: (texts) => directory.load('later', texts),
    directory: {
      // Another reader: what is only looked at must not stand in the way of what is followed.
      peek: (texts) => (texts === undefined ? aside : directory.beside()).load('never', texts),
      textOf: (desired) => directory.textOf(desired),
      commit: () => commitOf(settings.config_directory),
    },
    keepRead: (inForce) => directory.keepGood(inForce, TEXTS_AT_ONCE),
    checkout: () => GitCheckout.around(settings.config_directory),
    readAs: (others) => new ServiceDirectory({ ...place, files: others }).load('never'),
    openLog,
    closeLog,
    appendMarker,
    logCare: systemLogCare(join(settings.state_directory, 'rotations')),
    clearPidFile: clearStalePidFile,
    eventFiles: new EventFiles(join(settings.state_directory, 'events'), settings.events.max_size),
    readLogs,
    serviceFiles: {
      define: (service) => defineService(service, place),
      removable: (desired) => removableFile(desired, place),
      remove: (path) => removed(path, files.remove(path)),
    },
    setEnabled: (file, enabled) => setEnabled(file, enabled, place),
  });
  host.optimize(false);
  const refused = await daemon.start();
  host.optimize(true);
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
    .exitOverride();
  for (const { path, description, group } of SETTING_KEYS) {
    if (group || path.includes('*')) continue;
    command.addOption(new Option(`--${flagOf(path)} <value>`, firstSentence(description)));
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

function removed(path: string, failure: Failure | undefined): Problem | undefined {
  if (failure === undefined) return undefined;
  const message = `${path} cannot be removed (${failure.failed})`;
  return { code: 'file-unreadable', severity: 'error', message };
}

/** `watch.settle` is `--watch-settle`, `sock_path` is `--sock-path`. */
function flagOf(path: string): string {
  return path.replaceAll(/[._]/g, '-');
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.)\s/)[0] ?? text;
}
