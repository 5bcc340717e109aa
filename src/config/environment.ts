/** Which variables do the files of a definition give, and what of them may be shown? */
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { EnvFile, EnvValue, SecretEnvironment } from '../model/spec.ts';
import type { Files } from '../world/world.ts';
import { isFailure } from '../world/world.ts';
import { decodeBase64 } from './base64.ts';
import { parseDotenv } from './dotenv.ts';
import { failureText } from './failure-text.ts';
import { digestOf } from './hash.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

/** Longest value that execve(2) takes is 128 KiB (MAX_ARG_STRLEN); no secret is half as long. */
const MOST_SECRET_BYTES = 65_536;

const MOST_DOTENV_BYTES = 1_048_576;

/** What is read for bytes that are no UTF-8: different values would become the same. */
const UNDECODED = '\uFFFD';

export type WrittenValue = string | { readonly file: string } | { readonly base64: string };

/** `process.env` and `process.env_files`, with absolute paths. */
export interface WrittenEnvironment {
  readonly env: Readonly<Record<string, WrittenValue>>;
  readonly env_files: readonly string[];
}

export interface ReadEnvironment {
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly env_files: readonly EnvFile[];
  /** The values of secrets and dotenv files; a variable that `env` sets plainly is not among them. */
  readonly secrets: SecretEnvironment;
}

/** Reads dotenv files in order, then secrets; what comes later wins, and `env` wins over all files. */
export function readEnvironment(
  written: WrittenEnvironment,
  files: Files,
  origin: Origin,
): ReadEnvironment | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const secrets = new Map<string, string>();
  const envFiles: EnvFile[] = [];
  written.env_files.forEach((path, index) => {
    const values = readDotenv(path, files);
    if ('says' in values) {
      const code = 'env-file-unreadable';
      problems.push(problemAt(origin, ['process', 'env_files', index], { code, says: values.says }));
      return;
    }
    for (const [name, value] of values) secrets.set(name, value);
    envFiles.push({ path, values: digests(values) });
  });
  const env: [string, EnvValue][] = [];
  for (const [name, value] of Object.entries(written.env)) {
    if (typeof value === 'string') {
      secrets.delete(name);
      env.push([name, value]);
      continue;
    }
    const secret = 'file' in value ? readSecret(value.file, files) : decode(value.base64);
    if ('says' in secret) {
      problems.push(secretProblem(origin, ['process', 'env', name], secret));
      continue;
    }
    secrets.set(name, secret.value);
    const shown = 'file' in value ? value.file : 'base64';
    env.push([name, { secret: shown, digest: digestOf(secret.value) }]);
  }
  if (problems.length > 0) return { problems };
  return { env: Object.fromEntries(env), env_files: envFiles, secrets };
}

/** The files that a change may come from, besides the service file itself. */
export function filesOf(written: WrittenEnvironment): readonly string[] {
  const secrets = Object.values(written.env).flatMap((value) => {
    return typeof value === 'object' && 'file' in value ? [value.file] : [];
  });
  return [...written.env_files, ...secrets];
}

function readDotenv(path: string, files: Files): ReadonlyMap<string, string> | { readonly says: string } {
  const text = files.read(path, MOST_DOTENV_BYTES);
  if (typeof text !== 'string') return { says: `${path} ${failureText(text)}` };
  if (text.includes('\0')) return { says: `${path} is no text` };
  if (text.includes(UNDECODED)) return { says: `${path} is no UTF-8 text` };
  const parsed = parseDotenv(text);
  return 'says' in parsed ? { says: `${path}:${parsed.line}: ${parsed.says}` } : parsed.values;
}

export type Secret = { readonly value: string } | { readonly says: string; readonly code?: ProblemCode };

/** The text of a file that others may not read, without the newline at its end. */
export function readSecret(path: string, files: Files): Secret {
  const status = files.status(path);
  if (isFailure(status)) return { says: `${path} ${failureText(status)}` };
  if (status.kind !== 'file') return { says: `${path} is no regular file` };
  if ((status.mode & 0o004) !== 0) {
    return { code: 'secret-exposed', says: `${path} can be read by every user of the host; chmod o-r it` };
  }
  const text = files.read(path, MOST_SECRET_BYTES);
  if (typeof text !== 'string') return { says: `${path} ${failureText(text)}` };
  if (text.includes('\0')) return { says: `${path} holds a NUL character, which no variable can` };
  if (text.includes(UNDECODED)) return { says: `${path} is no UTF-8 text; encode it, for example in base64` };
  return { value: text.replace(/\r?\n$/, '') };
}

/** Its grammar was checked with the units. */
function decode(base64: string): Secret {
  const decoded = decodeBase64(base64);
  return 'value' in decoded ? decoded : { says: decoded.refused, code: 'value-invalid' };
}

function secretProblem(
  origin: Origin,
  path: Path,
  { says, code }: { says: string; code?: ProblemCode },
): Problem {
  return problemAt(origin, path, { code: code ?? 'secret-unreadable', says });
}

function digests(values: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...values].map(([name, value]) => [name, digestOf(value)]));
}
