/** Which file is executed, and can it be? Asked before anything is made, so that the answer is a sentence. */
import fs from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { inWords } from './errno.ts';
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
  if (name.includes('/')) return checked(resolve(launch.workingDirectory, name));
  const path = launch.environment['PATH'];
  if (path === undefined) return missing(`${quoted(name)} cannot be searched for: PATH is not set`);
  for (const directory of path.split(delimiter)) {
    // An empty element means the working directory (environ(7)).
    const candidate = resolve(launch.workingDirectory, directory, name);
    if (executableFile(candidate) === undefined) return checked(candidate);
  }
  return missing(`no program ${quoted(name)} in PATH ${path}`);
}

function checked(path: string): { readonly path: string } | Problem {
  const reason = executableFile(path) ?? missingInterpreter(path);
  return reason === undefined ? { path } : missing(`${path} ${reason}`);
}

function unusableDirectory(directory: string): Problem | undefined {
  const refuse = (reason: string): Problem => ({
    code: 'working-directory-missing',
    severity: 'error',
    message: `the working directory ${directory} ${reason}`,
  });
  try {
    return fs.statSync(directory).isDirectory() ? undefined : refuse('is no directory');
  } catch (error) {
    return refuse(whyNot(error));
  }
}

/** undefined: it is one. */
function executableFile(path: string): string | undefined {
  try {
    // Most directories of a PATH do not have it: an exception for each would cost more than the question.
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'does not exist';
    if (found.isDirectory()) return 'is a directory';
    if (!found.isFile()) return 'is no regular file';
    return (found.mode & 0o111) === 0 ? 'is not executable' : undefined;
  } catch (error) {
    return whyNot(error);
  }
}

/** A script whose interpreter is missing fails with the same ENOENT as a missing script, which misleads everyone. */
function missingInterpreter(path: string): string | undefined {
  const interpreter = interpreterOf(path);
  if (interpreter === undefined || executableFile(interpreter) === undefined) return undefined;
  return `names an interpreter that cannot be executed: ${interpreter}`;
}

function interpreterOf(path: string): string | undefined {
  try {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      const length = fs.readSync(fd, firstLine, 0, FIRST_LINE, 0);
      if (firstLine[0] !== HASH || firstLine[1] !== BANG) return undefined;
      const line = /^#![ \t]*([^ \t\r\n\0]+)/.exec(firstLine.toString('latin1', 0, length));
      return line?.[1]?.startsWith('/') ? line[1] : undefined;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // A program need not be readable to be executable.
    return undefined;
  }
}

function whyNot(error: unknown): string {
  const words = inWords(error);
  return words.endsWith('(ENOENT)') ? 'does not exist' : `cannot be used: ${words}`;
}

function missing(message: string): Problem {
  return { code: 'command-missing', severity: 'error', message };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
