/** Why can a text not be the pattern for which a log is searched? */

/**
 * A sentence, or undefined for a regular expression as `new RegExp(text)` takes it. Repetitions inside of repetitions,
 * like `(a+)+`, are refused: against an unlucky line they take longer than any service lives.
 */
export function patternRefusal(text: string): string | undefined {
  try {
    new RegExp(text);
  } catch (error) {
    const [, reason] = /: ([^:]*)$/.exec((error as Error).message) ?? [];
    return `${JSON.stringify(text)} is no regular expression${reason === undefined ? '' : `: ${reason}`}`;
  }
  if (!repeatsRepetition(text)) return undefined;
  return `${JSON.stringify(text)} repeats a repetition, which may take forever`;
}

/** Escapes, classes, groups, and everything else character by character. */
const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?|\)|\{\d+(?:,\d*)?\}|[\s\S]/g;

function repeatsRepetition(text: string): boolean {
  const tokens = text.match(TOKEN) ?? [];
  /** For each group that is open, the whole pattern first: is there a repetition in it? */
  const open = [false];
  for (const [index, token] of tokens.entries()) {
    if (token.startsWith('(')) {
      open.push(false);
    } else if (token === ')') {
      const inner = open.pop() ?? false;
      if (inner && isUnbounded(tokens[index + 1])) return true;
      open.push((open.pop() ?? false) || inner);
    } else if (isUnbounded(token)) {
      open[open.length - 1] = true;
    }
  }
  return false;
}

function isUnbounded(token: string | undefined): boolean {
  return token === '*' || token === '+' || /^\{\d+,\}$/.test(token ?? '');
}
