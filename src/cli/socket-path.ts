/** At which socket is the daemon, by everything that may say so? */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isRefusal, type Refusal, refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export interface SocketQuestion {
  /** `--sock`. */
  readonly sock: string | undefined;
  /** `-c`. */
  readonly config: string | undefined;
}

/**
 * The first that says something: `--sock`, PMCTL_SOCK, PROCESSMASTER_SOCK_PATH, `sock_path` in the master file
 * (`-c`, else ./config.yaml if there is one), the default.
 */
export async function socketPath(question: SocketQuestion, terminal: Terminal): Promise<string | Refusal> {
  const { environment, directory } = terminal;
  const said = question.sock ?? (environment.PMCTL_SOCK || environment.PROCESSMASTER_SOCK_PATH || undefined);
  if (said !== undefined) return resolve(directory, said);
  const config = resolve(directory, question.config ?? 'config.yaml');
  if (question.config === undefined && !existsSync(config)) return defaultSocket(terminal);
  const written = await fromConfig(config, terminal);
  if (isRefusal(written)) return written;
  return written ?? defaultSocket(terminal);
}

/**
 * Root: /run/processmaster.sock; anybody else: processmaster.sock in the runtime directory, or in the state directory
 * where there is none (XDG Base Directory Specification: a path that is not absolute does not count). The daemon
 * follows the same rule.
 */
export function defaultSocket({ user, environment, directory }: Terminal): string {
  if (user.uid === 0) return '/run/processmaster.sock';
  const { XDG_RUNTIME_DIR, XDG_STATE_HOME, HOME, PROCESSMASTER_STATE_DIRECTORY } = environment;
  if (XDG_RUNTIME_DIR?.startsWith('/')) return join(XDG_RUNTIME_DIR, 'processmaster.sock');
  const states = XDG_STATE_HOME?.startsWith('/')
    ? XDG_STATE_HOME
    : join(HOME || homedir(), '.local', 'state');
  const state = PROCESSMASTER_STATE_DIRECTORY || join(states, 'processmaster');
  return join(resolve(directory, state), 'processmaster.sock');
}

function unreadable(file: string, code: string): string {
  if (code === 'ENOENT') return `there is no master file ${file}`;
  if (code === 'EISDIR') return `${file} is a directory: name the master file in it`;
  return code === 'EACCES' ? `no permission to read ${file}` : `cannot read ${file}: ${code}`;
}

/** The command that starts a daemon where this line looks for one: by systemd where a unit was installed for that. */
export function howToStartOf({ config, sock }: Partial<SocketQuestion>): string {
  if (config !== undefined) return `processmaster -c ${config}`;
  if (sock !== undefined) return `processmaster --sock-path ${sock}`;
  return existsSync(SYSTEM_UNIT) ? 'systemctl start processmaster' : 'processmaster';
}

const SYSTEM_UNIT = '/etc/systemd/system/processmaster.service';

/** undefined: the file leaves it to the default. Loads the real parser only when it must. */
async function fromConfig(file: string, terminal: Terminal): Promise<string | undefined | Refusal> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refusal('error', 'file-unreadable', unreadable(file, code ?? String(error)));
  }
  const plain = plainSockPath(text);
  if (plain.is === 'absent') return undefined;
  if (plain.is === 'path') return resolve(dirname(file), plain.path);
  const { sockPathBySettings } = await import('./check.ts');
  return sockPathBySettings(file, terminal);
}

/**
 * Parsing YAML costs more time than everything else that `pmctl status` does. A file that never mentions the key,
 * or mentions it once as a plain path at the margin, means the same to every parser; all else is left to the real one.
 */
export function plainSockPath(
  text: string,
): { readonly is: 'absent' } | { readonly is: 'path'; readonly path: string } | { readonly is: 'unclear' } {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const mentions = lines.filter((line) => line.includes('sock_path'));
  // The default may lie in the state directory, and escapes may spell any key.
  const other = lines.some((line) => line.includes('\\') || line.includes('state_directory'));
  if (mentions.length === 0) return { is: other ? 'unclear' : 'absent' };
  if (mentions.length > 1) return { is: 'unclear' };
  const match = /^sock_path: +(["']?)([\w.@+/-]*\/[\w.@+/-]*)\1 *(?: #.*)?\r?$/.exec(mentions[0] ?? '');
  return match?.[2] === undefined ? { is: 'unclear' } : { is: 'path', path: match[2] };
}
