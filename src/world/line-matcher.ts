/** Which lines does a pattern match, whatever pattern somebody comes up with? */
import vm from 'node:vm';

/** Matches many lines at a time. */
export interface LineMatcher {
  /** One answer for each line; undefined when the pattern took too long, and is never asked again. */
  matches(lines: readonly string[]): readonly boolean[] | undefined;
}

/** Of a longer line only so many characters are matched. */
export const LONGEST_MATCHED = 4096;

/** Milliseconds of CPU for the lines of one call: a pattern like (a+)+$ may need centuries for one line. */
const PATIENCE = 1000;

/** Goes on where it was interrupted. */
const PROGRAM = 'for (; answers.length < lines.length; ) answers.push(pattern.test(lines[answers.length]))';

/** A host on which this program gets less than a tenth of a core is as good as a pattern that takes for ever. */
const TURNS = 10;

/**
 * A context of its own only for the time limit: what runs in it is not foreign. Making one takes two milliseconds, in
 * which nobody else has a turn: so there is one for all patterns.
 */
let context: vm.Context | undefined;

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
  let isTooSlow = false;
  return {
    matches: (lines) => {
      if (isTooSlow) return undefined;
      const begins = lines.map((line) =>
        line.length > LONGEST_MATCHED ? line.slice(0, LONGEST_MATCHED) : line,
      );
      context ??= vm.createContext({});
      const answers: boolean[] = [];
      try {
        Object.assign(context, { pattern: regex, lines: begins, answers });
        isTooSlow = !isThrough(context, patience);
        return isTooSlow ? undefined : answers;
      } finally {
        Object.assign(context, { pattern: undefined, lines: [], answers: [] });
      }
    },
  };
}

/** The time limit of a context is one of the clock on the wall, which goes on while others have the processor. */
function isThrough(context: vm.Context, patience: number): boolean {
  const from = process.cpuUsage();
  for (let turn = 0; turn < TURNS; turn++) {
    try {
      vm.runInContext(PROGRAM, context, { timeout: patience });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.cpuUsage(from);
      if ((user + system) / 1000 >= patience) return false;
    }
  }
  return false;
}
