/** What may be shown of the text of a service file, also of one that is no YAML? */

const HIDDEN = '(hidden)';

/** The key, and what stands behind it in its line: to the next comma or brace in a flow map, else to its end. */
const SECRET = /(?<key>["']?\bbase64\b["']?[ \t]*:)(?<value>[ \t]*(?:"[^"]*"?|'[^']*'?|[^\s,}#][^,}]*)?)/g;

/** Values that go on in the lines below: none yet, a block scalar, a quote that is not closed. */
const OPEN = /^(?:[|>].*|"[^"]*|'[^']*)?$/;

/** The text without the values of `base64:`; all else stays to the letter. */
export function withoutSecrets(text: string): string {
  const shown: string[] = [];
  /** The indent of the line whose value goes on below it. */
  let inside: number | undefined;
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (inside !== undefined && (indent < 0 || indent > inside)) continue;
    inside = undefined;
    shown.push(
      line.replace(SECRET, (_match, key: string, value: string) => {
        if (OPEN.test(value.trim())) inside = indent;
        return `${key} ${HIDDEN}`;
      }),
    );
  }
  return shown.join('\n');
}
