/** How is text of unknown origin shown on a terminal so that it can only be read, never obeyed? */

/**
 * C0 controls except the tab, DEL, C1 controls (a terminal takes U+009B for CSI and U+009D for OSC: ECMA-48, 5.3),
 * marks and overrides of the writing direction (Unicode UAX #9, 2), line and paragraph separators, invisible fillers
 * and tags, and halves of surrogate pairs.
 */
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/**
 * A line of a log: every harmful character becomes a visible escape such as `\x1b` or `\u202e`. Tabs stay, and a
 * carriage return at the very end (a line of a DOS file) is dropped.
 */
export function safeLine(text: string): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  return line.replace(HARMFUL, escapeOf);
}

/** A piece of a table or sentence: as {@link safeLine}, and a tab becomes a blank so that columns stay aligned. */
export function safeText(text: string): string {
  return text.replaceAll('\t', ' ').replace(HARMFUL, escapeOf);
}

/** JSON that says the same and can be shown on a terminal: it escapes by itself only what is below U+0020. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(HARMFUL, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
