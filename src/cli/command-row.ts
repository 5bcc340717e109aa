/** How is a command of pmctl described, and which options do many of them have? */
import type { Run } from './call.ts';
import { duration, UnreadableValue } from './option-values.ts';

export interface OptionRow {
  readonly flags: string;
  readonly summary: string;
  readonly required?: true;
  /** It may stand on a line more than once. */
  readonly repeats?: true;
  /** All values that there are. */
  readonly choices?: readonly string[];
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
  /** All that the word may be. */
  readonly choices?: readonly string[];
  /** The words are a command with options of its own: they stand after `--`. */
  readonly afterDashes?: true;
  /** Loaded when the command is called: a command pays for no other's code. */
  readonly load: () => Promise<Run>;
}

export const label: OptionRow = {
  flags: '-l, --label <key=value>',
  summary: 'select by label; may be repeated, all must match',
  repeats: true,
  parse: (text, before) => {
    if (!/^[^=]+=/.test(text)) throw new UnreadableValue('Write it as key=value.');
    return [...(Array.isArray(before) ? before : []), text];
  },
};
export const wait: OptionRow = { flags: '--wait', summary: 'wait for the outcome (the default)' };
export const noWait: OptionRow = { flags: '--no-wait', summary: 'do not wait for the outcome' };
export const timeout: OptionRow = {
  flags: '--timeout <duration>',
  summary: 'wait at most this long (default 60s)',
  parse: duration,
};

export const CONFIGURATION = 'Configuration:';
