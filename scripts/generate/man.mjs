/** What do the manual pages say? The same as the help, from the same tables, in the macros of man(7). */
import { imported } from './imported.mjs';

/**
 * @param root of the repository
 * @param settings facts about the keys of the master file
 * @returns the text of each page, by its path
 */
export async function manualPages(root, settings) {
  const tables = await imported(root, TABLES);
  return { 'man/pmctl.1': pmctl(tables), 'man/processmaster.8': processmaster(settings, tables) };
}

/** The tables of pmctl, without the code of its commands. */
const TABLES = `export { COMMANDS } from './src/cli/commands.ts';
export { GLOBAL_OPTIONS } from './src/cli/global-options.ts';
export { EXAMPLES } from './src/cli/examples.ts';
export { EXIT_CODES } from './src/cli/exit-codes.ts';`;

function pmctl({ COMMANDS, GLOBAL_OPTIONS, EXAMPLES, EXIT_CODES }) {
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  return page('pmctl', 1, 'ask and command the processmaster daemon', [
    '.SH SYNOPSIS',
    '.B pmctl',
    '.RI [ options ]',
    '.I command',
    '.RI [ arguments ]',
    '.SH DESCRIPTION',
    ...paragraphs(
      'pmctl asks the daemon of processmaster(8) what runs, and tells it what to do. It finds the daemon by its socket: the first of --sock, PMCTL_SOCK, PROCESSMASTER_SOCK_PATH, sock_path in the master file, and the default, which is /run/processmaster.sock for root and processmaster.sock in $XDG_RUNTIME_DIR, or in the state directory where there is none, for everybody else.',
      'Where a command takes services, it takes their names; start, stop and their like also take all, or labels with -l. Durations are written 500ms, 30s, 5m, 1h30m, 2d.',
    ),
    '.SH OPTIONS',
    'Before or after every command:',
    ...GLOBAL_OPTIONS.flatMap(option),
    '.SH COMMANDS',
    ...groups.flatMap((group) => [
      `.SS ${text(group.replace(/:$/, ''))}`,
      ...COMMANDS.filter((command) => command.group === group).flatMap((command) =>
        commandOf(command, EXAMPLES),
      ),
    ]),
    '.SH EXIT STATUS',
    ...Object.values(EXIT_CODES).flatMap(({ code, meaning }) => ['.TP', `.B ${code}`, text(meaning)]),
    '.SH ENVIRONMENT',
    ...terms([
      ['PMCTL_SOCK', 'The socket of the daemon.'],
      ['PROCESSMASTER_SOCK_PATH', 'The same, as the daemon reads it.'],
      ['NO_COLOR', 'Not empty: no colours.'],
      ['NODE_DEBUG', 'With pmctl in it: after an internal error, where in the program it came from.'],
    ]),
    '.SH SEE ALSO',
    '.BR processmaster (8)',
  ]);
}

function commandOf({ name, words, summary, options }, examples) {
  const example = examples[name];
  return [
    '.TP',
    `.B pmctl ${text(name)} ${words === '' ? '' : `\\fI${text(words)}\\fR`}`.trimEnd(),
    text(sentence(summary)),
    ...(options.length === 0 ? [] : ['.RS', ...options.flatMap(option), '.RE']),
    ...(example === undefined
      ? []
      : ['.RS', '.PP', 'Example:', '.EX', text(example.line), '.EE', `(${text(example.does)})`, '.RE']),
  ];
}

function option({ flags, summary }) {
  return ['.TP', `.B ${text(flags)}`, text(sentence(summary))];
}

function processmaster(settings, { EXIT_CODES }) {
  const keys = settings.filter(({ path, group }) => !group && !path.includes('*'));
  return page('processmaster', 8, 'run what a directory of service files says', [
    '.SH SYNOPSIS',
    '.B processmaster',
    '.RB [ \\-c',
    '.IR file ]',
    '.RI [ options ]',
    '.br',
    '.B processmaster run',
    '.RI [ options ]',
    '.B \\-\\-',
    '.I command ...',
    '.SH DESCRIPTION',
    ...paragraphs(
      'processmaster runs what the service files in its configuration directory say, and keeps it so: what is added is started, what is changed is replaced, what is removed is stopped. It stays in the foreground and is asked and commanded with pmctl(1).',
      'It can end, be killed and be started again in another version at any time: services keep running, and the next daemon adopts them.',
      'The second form runs one command in the foreground, without files, with any number of workers: see processmaster run --help.',
    ),
    '.SH OPTIONS',
    ...option({
      flags: '-c, --config <file>',
      summary: 'the master file (default: ./config.yaml if there is one)',
    }),
    '.PP',
    ...paragraphs(
      'Every key of the master file is an option as well, and an environment variable: sock_path is --sock-path and PROCESSMASTER_SOCK_PATH. The command line wins over the environment, the environment over the file.',
    ),
    ...keys.flatMap((key) => [
      '.TP',
      `.B ${text(`--${key.path.replace(/[._]/g, '-')}`)} \\fIvalue\\fR`,
      text(key.description.split(/(?<=\.)\s/)[0] + (key.default === null ? '' : ` Default: ${key.default}.`)),
    ]),
    '.SH SIGNALS',
    ...terms([
      ['SIGHUP', 'The same as pmctl update.'],
      [
        'SIGTERM, SIGINT',
        'The daemon ends; services keep running (on_exit: leave) or are stopped (on_exit: stop, and always as PID 1). A second signal cuts short the grace of what is being stopped.',
      ],
    ]),
    '.SH FILES',
    ...terms([
      ['./config.yaml', 'The master file; every key has a default.'],
      ['./config.d/*.yaml', 'The service files.'],
      [
        '/var/lib/processmaster',
        'What must outlive the daemon; ~/.local/state/processmaster for everybody but root.',
      ],
      [
        '/run/processmaster.sock',
        'Where pmctl finds it; $XDG_RUNTIME_DIR/processmaster.sock for everybody but root, or in the state directory where there is none.',
      ],
    ]),
    '.SH EXIT STATUS',
    ...terms([
      ['0', 'It was told to end.'],
      ['1', 'It could not start: the sentence on standard error says why.'],
      [String(EXIT_CODES.usage.code), EXIT_CODES.usage.meaning],
    ]),
    '.SH SEE ALSO',
    '.BR pmctl (1),',
    '.BR systemd.service (5)',
  ]);
}

function page(name, section, purpose, lines) {
  return `${[
    '.\\" Generated from the tables of the program by scripts/generate.mjs. Do not edit.',
    `.TH ${name.toUpperCase()} ${section} "" processmaster`,
    '.SH NAME',
    `${name} \\- ${purpose}`,
    ...lines,
  ].join('\n')}\n`;
}

function terms(rows) {
  return rows.flatMap(([term, meaning]) => ['.TP', `.B ${text(term)}`, text(meaning)]);
}

function paragraphs(...all) {
  return all.flatMap((one, index) => [...(index === 0 ? [] : ['.PP']), text(one)]);
}

/** Summaries are written without a capital and a full stop. */
function sentence(summary) {
  const whole = summary.charAt(0).toUpperCase() + summary.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** Backslashes, hyphens that are to be typed, lines that would be requests; one sentence a line (groff_man(7)). */
function text(plain) {
  return plain
    .replaceAll('\n', ' ')
    .replaceAll('`', '')
    .replace(/(?<=[.;]) (?=[A-Z])/g, '\n')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^(?=[.'])/gm, '\\&');
}
