/** What did the user type: which command, with which words and options? */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Options } from './call.ts';
import { COMMANDS, type CommandRow, type OptionRow, UnreadableValue } from './commands.ts';
import type { Exit } from './exit-codes.ts';
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
  for (const row of COMMANDS) {
    const command = program.command(row.name).description(row.summary).helpGroup(row.group);
    for (const word of row.words.split(' ')) if (word !== '') command.argument(word);
    for (const option of row.options) command.addOption(optionOf(option));
    command.action(() => {
      // The table above gives every option the type that Options has for it.
      const options = command.optsWithGlobals<Options & { color: boolean }>();
      const words = row.afterDashes ? afterDashes(argv) : command.args;
      if (words.length !== command.args.length) {
        command.error(`error: write the command after --: pmctl ${row.name} [options] -- CMD...`);
      }
      typed = { is: 'command', row, words, options };
    });
  }
  try {
    program.parse(versionAsCommand(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const asked = error.exitCode === 0;
    return { is: 'told', exit: asked ? 'fine' : 'usage' };
  }
  return typed;
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

function root(terminal: Terminal): Command {
  return new Command('pmctl')
    .description('Asks the processmaster daemon what runs, and tells it what to do.')
    .usage('[options] COMMAND [arguments]')
    .option(
      '-c, --config <file>',
      'the master file that names the socket (default ./config.yaml if there is one)',
    )
    .option('--sock <path>', 'the socket of the daemon (also PMCTL_SOCK)')
    .option('--json', 'print JSON, for programs')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .addHelpText('after', '\nExit codes and examples: docs/cli.md')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureHelp({ sortOptions: false, showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.complain(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'pmctl: ')),
      getOutHelpWidth: () => terminal.screen()?.columns ?? 100,
      getErrHelpWidth: () => terminal.progressColumns() ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
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
