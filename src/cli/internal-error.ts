/** What does pmctl say when the mistake is its own? */
import { safeText } from '../model/terminal-safe.ts';
import { asksForJson } from './arguments.ts';
import { refuse } from './call.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/**
 * One sentence, and not the source of the program: Node would print the line of a bundle, which is all of it. The place
 * is shown as other modules of Node show theirs, with `NODE_DEBUG=pmctl`.
 * @param argv without the names of the interpreter and the program
 * @returns the exit code
 */
export function internalError(
  thrown: unknown,
  argv: readonly string[],
  terminal: Pick<Terminal, 'write' | 'complain' | 'environment'>,
): number {
  const isShown = (terminal.environment['NODE_DEBUG'] ?? '').toLowerCase().split(/[ ,]+/).includes('pmctl');
  const words = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  const [first = ''] = words.split('\n', 1);
  const hint = isShown ? '' : '; NODE_DEBUG=pmctl shows where';
  const told = refusal('error', 'internal_error', `internal error: ${first.slice(0, 300)}${hint}`);
  const exit = refuse({ options: { json: asksForJson(argv) }, terminal }, told);
  if (isShown && thrown instanceof Error) {
    for (const line of (thrown.stack ?? '').split('\n')) terminal.complain(`${safeText(line)}\n`);
  }
  return EXIT_CODES[exit].code;
}
