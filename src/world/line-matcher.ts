/** Which lines does a pattern match, whatever pattern somebody comes up with? */
import vm from 'node:vm';

/** Matches many lines at a time. */
export interface LineMatcher {
  /** One answer for each line; undefined when the pattern took too long, and is never asked again. */
  matches(lines: readonly string[]): readonly boolean[] | undefined;
}

/** Of a longer line only so many characters are matched. */
export const LONGEST_MATCHED = 4096;

/** Milliseconds for the lines of one call: a pattern like (a+)+$ may need centuries for one line. */
const PATIENCE = 1000;

const PROGRAM = 'lines.map((line) => pattern.test(line))';

/**
 * @param pattern a regular expression of JavaScript, without flags
 * @returns the sentence that says why it is none
 */
export function lineMatcher(
  pattern: string,
  patience = PATIENCE,
): LineMatcher | { readonly refused: string } {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern);
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
  // A context of its own only for the time limit: what runs in it is not foreign.
  const context = vm.createContext({ pattern: regex, lines: [] as readonly string[] });
  let isTooSlow = false;
  return {
    matches: (lines) => {
      if (isTooSlow) return undefined;
      context.lines = lines.map((line) =>
        line.length > LONGEST_MATCHED ? line.slice(0, LONGEST_MATCHED) : line,
      );
      try {
        return vm.runInContext(PROGRAM, context, { timeout: patience }) as readonly boolean[];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        isTooSlow = true;
        return undefined;
      }
    },
  };
}
