/** Which variables does the text of a dotenv file set? */

/** Never shows anything of the text but names: values are secrets. */
export interface DotenvRefused {
  /** 1-based. */
  readonly line: number;
  /** The rest of a sentence. */
  readonly says: string;
}

const QUOTES = ['"', "'", '`'];

/**
 * One `NAME=value` a line, later ones win; the same on every Node, whose own reader changes from version to version and
 * passes over what it does not understand. Empty lines and those that begin with `#` say nothing, `export` before a
 * name neither. A value without quotes ends at the line or at a `#`, without the blanks around it. In quotes (`"`, `'`
 * or `` ` ``) it is taken as it is, over several lines too; only `\n` in double quotes is a line break. Nothing else
 * is an escape, and nothing is substituted.
 */
export function parseDotenv(text: string): { readonly values: ReadonlyMap<string, string> } | DotenvRefused {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n?|\n/);
  const values = new Map<string, string>();
  for (let at = 0; at < lines.length; at++) {
    const line = trimmed(lines[at] ?? '');
    if (line === '' || line.startsWith('#')) continue;
    const [whole, name] = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/.exec(line) ?? [];
    if (whole === undefined || name === undefined) return { line: at + 1, says: whyNot(line) };
    const written = line.slice(whole.length);
    const quote = written.charAt(0);
    if (quote === '' || !QUOTES.includes(quote)) {
      values.set(name, trimmed(written.split('#', 1)[0] ?? ''));
      continue;
    }
    // The blanks at the end of this line belong to a value that goes on.
    const from = (lines[at] ?? '').indexOf(quote) + 1;
    const quoted = inQuotes(quote, lines, { at, from });
    if ('says' in quoted) return { line: quoted.line, says: `${name}: ${quoted.says}` };
    values.set(name, quote === '"' ? quoted.value.replaceAll('\\n', '\n') : quoted.value);
    at = quoted.last;
  }
  return { values };
}

/**
 * @param begin the line, and the character in it
 * @returns the text up to the quote that closes it, and the line of that
 */
function inQuotes(
  quote: string,
  lines: readonly string[],
  begin: { readonly at: number; readonly from: number },
): { readonly value: string; readonly last: number } | DotenvRefused {
  const parts: string[] = [];
  for (let last = begin.at; last < lines.length; last++) {
    const line = (lines[last] ?? '').slice(last === begin.at ? begin.from : 0);
    const end = line.indexOf(quote);
    if (end < 0) {
      parts.push(line);
      continue;
    }
    const after = trimmed(line.slice(end + 1));
    if (after === '' || after.startsWith('#')) {
      return { value: [...parts, line.slice(0, end)].join('\n'), last };
    }
    const says = `something follows the ${quote} that ends the value; a text with one in it goes into other quotes`;
    return { line: last + 1, says };
  }
  return { line: begin.at + 1, says: `the ${quote} at its beginning is never closed` };
}

/** Without the blanks at both ends, those of ASCII only. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
}

function whyNot(line: string): string {
  if (!line.includes('=')) return 'this line is not NAME=value';
  return 'what stands before the = is no name of a variable: letters, digits and _, no digit first';
}
