/** What may stand where on a command line? The table of commands, as shells need it to complete one. */
import { SERVICE_KEYS, SETTING_KEYS } from '../model/keys.ts';
import { COMMANDS, type CommandRow, type OptionRow } from './commands.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

/** What a word may be. `services`: the names that a daemon tells, if one answers. */
export type Completion =
  | { readonly is: 'services'; readonly all: boolean }
  | { readonly is: 'files' | 'directories' | 'users' | 'keys' | 'program' | 'nothing' }
  | { readonly is: 'choices'; readonly choices: readonly string[] };

export interface CompletedOption {
  /** `--follow`, and before it `-f` where there is one. */
  readonly names: readonly string[];
  readonly summary: string;
  /** null: the option takes no value. */
  readonly value: Completion | null;
  /** It may stand on a line more than once. */
  readonly repeats: boolean;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** One for each word. */
  readonly words: readonly Completion[];
  /** The last one may be repeated. */
  readonly repeats: boolean;
}

export interface CompletionWords {
  readonly commands: readonly CompletedCommand[];
  /** Before and after every command. */
  readonly options: readonly CompletedOption[];
}

export function completionWords(rows: readonly CommandRow[] = COMMANDS): CompletionWords {
  const names = rows.map(({ name }) => name);
  const help: CompletedCommand = {
    name: 'help',
    summary: 'show the help of a command',
    options: [],
    words: [{ is: 'choices', choices: names }],
    repeats: false,
  };
  return { commands: [...rows.map(commandOf), help], options: [...GLOBAL_OPTIONS, HELP].map(optionOf) };
}

const HELP: OptionRow = { flags: '-h, --help', summary: 'show this help' };

function commandOf(row: CommandRow): CompletedCommand {
  const places = row.words.split(' ').filter((word) => word !== '');
  return {
    name: row.name,
    summary: row.summary,
    options: row.options.map(optionOf),
    words: places.map((place, index) => completionOf(place, index === 0 ? row.choices : undefined)),
    repeats: places.at(-1)?.includes('...') ?? false,
  };
}

function optionOf({ flags, summary, choices, repeats }: OptionRow): CompletedOption {
  const names = flags.match(/(?<![\w-])--?[a-z][a-z-]*/gi) ?? [];
  const value = /<[^>]+>/.exec(flags)?.[0];
  return {
    names,
    summary,
    value: value === undefined ? null : completionOf(value, choices),
    repeats: repeats === true,
  };
}

/** @param place in the notation of commander: `<service>`, `[service|all...]` */
function completionOf(place: string, choices: readonly string[] | undefined): Completion {
  if (choices !== undefined) return { is: 'choices', choices };
  const nouns = place.replace(/[<>[\].]/g, '').split('|');
  if (nouns.includes('service')) return { is: 'services', all: nouns.includes('all') };
  for (const noun of nouns) {
    const known = PLACES[noun];
    if (known !== undefined) return { is: known };
  }
  return { is: 'nothing' };
}

const PLACES: Readonly<Record<string, 'files' | 'directories' | 'users' | 'keys' | 'program'>> = {
  file: 'files',
  path: 'files',
  plan: 'files',
  directory: 'directories',
  user: 'users',
  key: 'keys',
  command: 'program',
};

/** Options that say which daemon is meant: they are handed on when that is asked for names. */
export function placeOptions({ options }: CompletionWords): readonly string[] {
  return options.filter(({ value }) => value !== null).flatMap(({ names }) => names);
}

/** Keys of both files; what the user names in a map cannot be completed. */
export function keyNames(): readonly string[] {
  const paths = [...SERVICE_KEYS, ...SETTING_KEYS].map(({ path }) => path);
  return [...new Set(paths)].filter((path) => /^[\w.]+$/.test(path)).sort();
}
