/** Which file is executed, and can it be? Asked before anything is made, so that the answer is a sentence. */
import fs from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { inWords, passing } from './errno.ts';
import type { Launch } from './world.ts';

/** BINPRM_BUF_SIZE: of a script the kernel reads no more than this to find its interpreter. */
const FIRST_LINE = 256;
const firstLine = Buffer.alloc(FIRST_LINE);
/** `#!`. */
const [HASH, BANG] = [0x23, 0x21];

/**
 * The absolute path of the program: a name without a slash is searched in the PATH that the process will have, a
 * relative path starts at its working directory. Whether the user of the service may execute it is asked by the
 * launcher, as that user.
 */
export function findProgram(
  launch: Pick<Launch, 'argv' | 'environment' | 'workingDirectory'>,
): { readonly path: string } | Problem {
  const unusable = unusableDirectory(launch.workingDirectory);
  if (unusable !== undefined) return unusable;
  const name = launch.argv[0];
  if (name === undefined || name === '') return missing('the command is empty');
  if (name.includes('/')) {
    const path = resolve(launch.workingDirectory, name);
    return checked(path, statusOf(path));
  }
  const path = launch.environment['PATH'];
  if (path === undefined) return missing(`${quoted(name)} cannot be searched for: PATH is not set`);
  let isPassing = false;
  for (const directory of path.split(delimiter)) {
    // An empty element means the working directory (environ(7)).
    const candidate = resolve(launch.workingDirectory, directory, name);
    const found = statusOf(candidate);
    const reason = notExecutable(found);
    if (reason === undefined) return checked(candidate, found);
    isPassing ||= reason.passing === true;
  }
  return {
    ...missing(`no program ${quoted(name)} in PATH`),
    hint: `PATH is ${path}`,
    ...(isPassing ? { passing: true } : {}),
  };
}

function checked(path: string, found: fs.Stats | Unusable): { readonly path: string } | Problem {
  const unusable = 'why' in found ? found : (notExecutable(found) ?? missingInterpreter(path, found));
  if (unusable === undefined) return { path };
  const { why, ...rest } = unusable;
  return { ...missing(`${path} ${why}`), ...rest };
}

function unusableDirectory(directory: string): Problem | undefined {
  const found = statusOf(directory);
  if (!('why' in found) && found.isDirectory()) return undefined;
  const { why, ...isPassing }: Unusable = 'why' in found ? found : { why: 'is no directory' };
  const message = `the working directory ${directory} ${why}`;
  return { code: 'working-directory-missing', severity: 'error', message, ...isPassing };
}

/** Why something cannot be used, as the rest of a sentence about it. */
interface Unusable {
  readonly why: string;
  readonly hint?: string;
  readonly passing?: true;
}

/** Or why there is none. */
function statusOf(path: string): fs.Stats | Unusable {
  try {
    // Most directories of a PATH do not have it: an exception for each would cost more than the question.
    return fs.statSync(path, { throwIfNoEntry: false }) ?? { why: 'does not exist' };
  } catch (error) {
    return whyNot(error);
  }
}

/** undefined: it is a file that may be executed. */
function notExecutable(found: fs.Stats | Unusable): Unusable | undefined {
  if ('why' in found) return found;
  if (found.isDirectory()) return { why: 'is a directory' };
  if (!found.isFile()) return { why: 'is no regular file' };
  return (found.mode & 0o111) === 0 ? { why: 'is not executable' } : undefined;
}

/** A script whose interpreter is missing fails with the same ENOENT as a missing script, which misleads everyone. */
function missingInterpreter(path: string, found: fs.Stats): Unusable | undefined {
  const interpreter = knownInterpreter(path, found);
  const unusable = interpreter === null ? undefined : notExecutable(statusOf(interpreter));
  if (unusable === undefined) return undefined;
  if (interpreter?.endsWith('\r')) {
    return {
      ...unusable,
      why: "cannot be executed: its first line ends with a carriage return (CRLF), which the kernel takes for a letter of the interpreter's name",
      hint: 'save it with the line ends of Unix (LF)',
    };
  }
  return { ...unusable, why: `names an interpreter that cannot be executed: ${interpreter}` };
}

/** What files were found to name, by what changes with them: hundreds of services often run the same program. */
const interpreters = new Map<string, string | null>();

/** More than a host has programs that it runs as services. */
const INTERPRETERS_KEPT = 1000;

function knownInterpreter(path: string, { dev, ino, size, mtimeMs, ctimeMs }: fs.Stats): string | null {
  const file = `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  const known = interpreters.get(file);
  if (known !== undefined) return known;
  const interpreter = interpreterOf(path);
  // A program need not be readable to be executable; what could not be read is asked again.
  if (interpreter === undefined) return null;
  if (interpreters.size >= INTERPRETERS_KEPT) interpreters.clear();
  interpreters.set(file, interpreter);
  return interpreter;
}

/** null: it is no script, or names its interpreter in no way that we know; undefined: nobody can tell. */
function interpreterOf(path: string): string | null | undefined {
  try {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      const length = fs.readSync(fd, firstLine, 0, FIRST_LINE, 0);
      if (firstLine[0] !== HASH || firstLine[1] !== BANG) return null;
      // To the kernel a carriage return is a letter like any other.
      const line = /^#![ \t]*([^ \t\n\0]+)/.exec(firstLine.toString('latin1', 0, length));
      return line?.[1]?.startsWith('/') ? line[1] : null;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function whyNot(error: unknown): Unusable {
  const words = inWords(error);
  if (words.endsWith('(ENOENT)')) return { why: 'does not exist' };
  return { why: `cannot be used: ${words}`, ...passing(error) };
}

function missing(message: string): Problem {
  return { code: 'command-missing', severity: 'error', message };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
