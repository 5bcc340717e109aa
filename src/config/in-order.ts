/** In which order are problems told? */
import type { Problem } from '../model/problem.ts';

/** By file, line and column; problems without a file last, in the order in which they are given. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => {
    if (a.file !== b.file) return (a.file ?? '\uffff') < (b.file ?? '\uffff') ? -1 : 1;
    return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  });
}
