/** How many columns of a terminal does a text take, and how is it cut or padded to fit? */

/** Fullwidth and wide ranges of Unicode UAX #11 (East Asian Width W and F), emoji included. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u231a\u231b\u23e9-\u23ec\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f004}\u{1f0cf}\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks that are drawn over the character before them, and joiners. */
const ZERO = /\p{Mn}|\p{Me}|\u200c|\u200d/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns that `text` takes; it must hold no control characters. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** At most `width` columns of `text`; what was cut is told by `…`. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = characterWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}

/** The same as {@link fit}, but what is cut is cut in the middle. */
export function fitMiddle(text: string, width: number): string {
  if (textWidth(text) <= width || width < 3) return fit(text, width);
  const characters = [...text];
  const end = (most: number): string => {
    let kept = '';
    for (let at = characters.length - 1; at >= 0; at--) {
      const longer = `${characters[at]}${kept}`;
      if (textWidth(longer) > most) break;
      kept = longer;
    }
    return kept;
  };
  const last = end(Math.floor((width - 1) / 2));
  return fit(text, width - textWidth(last)) + last;
}

/** The same text in lines of at most `width` columns, broken at blanks; a word that is longer is broken as well. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = broken(word, Math.max(1, width));
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

function broken(word: string, width: number): readonly string[] {
  const pieces: string[] = [''];
  for (const character of word) {
    const last = pieces.at(-1) ?? '';
    if (last !== '' && textWidth(last) + characterWidth(character) > width) pieces.push(character);
    else pieces[pieces.length - 1] = last + character;
  }
  return pieces;
}

export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

function characterWidth(character: string): number {
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
