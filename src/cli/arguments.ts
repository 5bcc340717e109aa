/** What did the user type: which command, with which words and options? */
import { type Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Options, printJson } from './call.ts';
import { COMMANDS, type CommandRow, type OptionRow } from './commands.ts';
import { EXAMPLES } from './examples.ts';
import type { Exit } from './exit-codes.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { UnreadableValue } from './option-values.ts';
import type { Terminal } from './terminal.ts';

export type Typed =
  | {
      readonly is: 'command';
      readonly row: CommandRow;
      readonly words: readonly string[];
      readonly options: Options & { readonly color: boolean };
    }
  /** Help was shown, or what is wrong was said. */
  | { readonly is: 'told'; readonly exit: Exit };

/** @param argv without the names of the interpreter and the program */
export function readArguments(argv: readonly string[], terminal: Terminal): Typed {
  let typed: Typed = { is: 'told', exit: 'usage' };
  const program = root(terminal);
  for (const option of GLOBAL_OPTIONS) program.addOption(optionOf(option));
  for (const row of COMMANDS) {
    const command = program.command(row.name).summary(row.summary).helpGroup(row.group);
    command.description(sentenceOf(row.summary)).usage(formOf(row));
    for (const word of row.words.split(' ')) if (word !== '') command.argument(word);
    for (const option of row.options) command.addOption(optionOf(option));
    command.addHelpText('after', exampleOf(row)).configureOutput({
      outputError: (text, write) => write(`${complaint(text)}${usageAfter(text, row)}`),
    });
    command.action(() => {
      // The table above gives every option the type that Options has for it.
      const options = command.optsWithGlobals<Options & { color: boolean }>();
      const words = row.afterDashes ? afterDashes(argv) : command.args;
      if (words.length !== command.args.length) {
        command.error(`error: write the command after --: pmctl ${row.name} ${formOf(row)}`);
      }
      typed = { is: 'command', row, words, options };
    });
  }
  try {
    program.parse(helpOfWhat(versionAsCommand(argv)), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { is: 'told', exit: 'fine' };
    if (asksForJson(argv)) {
      printJson({ terminal }, { error: { code: 'usage', message: mistakeOf(error) } });
    }
    return { is: 'told', exit: 'usage' };
  }
  return typed;
}

/** What was typed, not what was parsed: the mistake may stand before the option. */
export function asksForJson(argv: readonly string[]): boolean {
  const dashes = argv.indexOf('--');
  return argv.slice(0, dashes < 0 ? argv.length : dashes).includes('--json');
}

/** One sentence. Without a command the whole help is what is told, and no sentence. */
function mistakeOf({ code, message }: CommanderError): string {
  const text = code === 'commander.help' ? 'no command was given; pmctl help tells all commands' : message;
  return complaint(`${text}\n`)
    .replace(/^pmctl: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}

function afterDashes(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--');
  return at < 0 ? [] : argv.slice(at + 1);
}

/** `pmctl --version` is `pmctl version`, unless it stands behind a command that could mean it. */
function versionAsCommand(argv: readonly string[]): string[] {
  const at = argv.findIndex((word) => word === '--version' || COMMANDS.some(({ name }) => name === word));
  return argv.map((word, index) => (index === at && word === '--version' ? 'version' : word));
}

/** `pmctl help nosuch` says what `pmctl nosuch` says. */
function helpOfWhat(argv: readonly string[]): readonly string[] {
  const [help, word] = argv;
  const isLost =
    help === 'help' && word !== undefined && word !== 'help' && COMMANDS.every(({ name }) => name !== word);
  return isLost ? argv.slice(1) : argv;
}

function root(terminal: Terminal): Command {
  return new Command('pmctl')
    .description('Asks the processmaster daemon what runs, and tells it what to do.')
    .usage('[options] COMMAND [arguments]')
    .addHelpText('after', '\nOne command with an example: pmctl help COMMAND. The manual: man pmctl.')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureHelp({
      sortOptions: false,
      showGlobalOptions: true,
      // That a command has options is told by its own help; here it would only push the summaries aside.
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(placeOf)].join(' '),
    })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.complain(text),
      outputError: (text, write) => write(complaint(text)),
      getOutHelpWidth: () => terminal.screen()?.columns ?? 100,
      getErrHelpWidth: () => terminal.progressColumns() ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function placeOf(argument: Argument): string {
  const word = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${word}>` : `[${word}]`;
}

function exampleOf({ name }: CommandRow): string {
  const example = EXAMPLES[name];
  return example === undefined ? '' : `\nExample:\n  ${example.line}\n      ${example.does}\n`;
}

function complaint(text: string): string {
  const told = text.replace(/^error: /, 'pmctl: ');
  const isLost = /unknown command/.test(told) && !/Did you mean/.test(told);
  return isLost ? told.replace(/\n$/, '; pmctl help tells all commands\n') : told;
}

/** Who mistook the form of a command is shown it. */
function usageAfter(text: string, row: CommandRow): string {
  if (!/missing required|too many arguments|unknown option|not specified/.test(text)) return '';
  return `usage: pmctl ${row.name} ${formOf(row)}   (more: pmctl help ${row.name})\n`;
}

/** What follows the name. */
function formOf({ words, afterDashes }: CommandRow): string {
  return ['[options]', afterDashes ? '-- CMD...' : words].filter((part) => part !== '').join(' ');
}

/** Summaries are written without a capital and a full stop. */
function sentenceOf(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function optionOf(row: OptionRow): Option {
  const option = new Option(row.flags, row.summary);
  if (row.required) option.makeOptionMandatory();
  const { parse } = row;
  if (parse === undefined) return option;
  return option.argParser((text: string, before: unknown) => {
    try {
      return parse(text, before);
    } catch (error) {
      throw error instanceof UnreadableValue ? new InvalidArgumentError(error.message) : error;
    }
  });
}
