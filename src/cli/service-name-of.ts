/** How is a service called of which only the command is known? */
import { serviceName } from '../model/names.ts';

/**
 * `node server.js` is `server`, `./bin/api` is `api`, `python3 -m http.server` is `http.server`: the file that an
 * interpreter is given, without its ending, or the program itself.
 * @returns undefined when that is no service name: then the user has to say one
 */
export function serviceNameOf(command: readonly string[]): string | undefined {
  const [program = '', ...args] = command;
  const runner = lastPart(program);
  const subject = INTERPRETER.test(runner) ? subjectOf(args) : undefined;
  const name = subject ?? runner.replace(ENDING, '');
  return typeof serviceName(name) === 'string' ? name : undefined;
}

/** Programs that are told by a file what to do; with a version in their name as well. */
const INTERPRETER =
  /^(?:node|nodejs|deno|bun|tsx|ts-node|python|pypy|ruby|perl|php|java|sh|bash|dash|zsh|ksh)[\d.]*$/;

const ENDING = /\.(?:[cm]?[jt]sx?|py|rb|pl|php|sh|jar)$/i;

/** Words of an interpreter that stand before the file: `deno run server.ts`. */
const SUBCOMMANDS = new Set(['run', 'serve']);

/** Options whose value is the next word; that of those in `NAMING` is what runs. */
const WITH_VALUE = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '-I',
  '-W',
]);
const NAMING = new Set(['-m', '-jar']);

/** The program itself follows as text: it has no name. */
const INLINE = new Set(['-e', '--eval', '-p', '--print', '-c']);

function subjectOf(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (INLINE.has(word)) return undefined;
    if (NAMING.has(word)) return bare(args[at + 1] ?? '');
    if (WITH_VALUE.has(word)) at++;
    else if (!word.startsWith('-') && !(at === 0 && SUBCOMMANDS.has(word) && args.length > 1))
      return bare(word);
  }
  return undefined;
}

function bare(path: string): string | undefined {
  const name = lastPart(path).replace(ENDING, '');
  return name === '' ? undefined : name;
}

function lastPart(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1) ?? '';
}
