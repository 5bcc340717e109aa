/** Which argv does a command stand for? */

/** A text is given to the shell, a list is argv as it stands. */
export function argv(command: string | readonly string[]): readonly string[] {
  return typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
}
