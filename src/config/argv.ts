/** Which argv does a command stand for? */

/** Nothing in it that the shell would treat, nor an assignment. */
const WORD = /^[\w@%+:,./-]+$/;

/**
 * Where the shell looks at what follows `-c TEXT`; sh(1), "positional parameters" and "special parameters". `getopts`, and
 * `for` without `in`, take all of them.
 */
const POSITIONAL = /\$(?:[\d@*#]|\{#?[\d@*#])|\bgetopts\s|\bfor\s+\w+\s*(?:;|\n|do\b)/;

/**
 * A text is given to the shell, a list is argv as it stands.
 * @param args what is appended: to one word, which names the program then, as to a list
 */
export function argv(command: string | readonly string[], args: readonly string[] = []): readonly string[] {
  if (typeof command !== 'string') return command;
  return args.length > 0 && WORD.test(command) ? [command] : ['/bin/sh', '-c', command];
}

/** The shell gets them, and the text that it runs asks for none of them. */
export function isDeafTo(args: readonly string[], command: readonly string[]): boolean {
  const [shell, option, text = '', ...further] = command;
  const isText = shell === '/bin/sh' && option === '-c' && further.length === 0;
  return args.length > 0 && isText && !POSITIONAL.test(text);
}
