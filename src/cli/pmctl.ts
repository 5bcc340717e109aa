/** From what was typed to an exit code: which command runs, and where is its daemon? */
import { actorOfUser } from '../model/actor.ts';
import { readArguments } from './arguments.ts';
import type { Call } from './call.ts';
import type { Daemon } from './daemon.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { paintFor } from './paint.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/**
 * @param argv without the names of the interpreter and the program
 * @returns an exit code of {@link EXIT_CODES}
 */
export async function pmctl(argv: readonly string[], terminal: Terminal): Promise<number> {
  const typed = readArguments(argv, terminal);
  if (typed.is === 'told') return EXIT_CODES[typed.exit].code;
  const { row, words, options } = typed;
  const paint = paintFor({
    terminal: terminal.screen() !== null,
    refused: !options.color || options.json === true,
    environment: terminal.environment,
  });
  const call: Call = { words, options, terminal, paint, daemon: (cancel) => findDaemon(call, cancel) };
  const run = await row.load();
  const exit = await run(call);
  return EXIT_CODES[terminal.interrupted.aborted ? 'interrupted' : exit].code;
}

async function findDaemon(
  { options, terminal }: Call,
  cancel = terminal.interrupted,
): Promise<Daemon | Refusal> {
  const url = options.url ?? (options.sock === undefined ? terminal.environment['PMCTL_URL'] : undefined);
  if (url) return remoteDaemon(url, options, terminal, cancel);
  const [{ howToStartOf, socketPath }, { daemonAt }] = await Promise.all([
    import('./socket-path.ts'),
    import('./daemon.ts'),
  ]);
  const socket = await socketPath({ sock: options.sock, config: options.config }, terminal);
  if (isRefusal(socket)) return socket;
  const howToStart = howToStartOf(options);
  return daemonAt({
    socket,
    actor: actorOfUser(terminal.user.name),
    cancel,
    howToStart,
    ...hurryOf(options),
  });
}

async function remoteDaemon(
  url: string,
  options: Call['options'],
  terminal: Terminal,
  cancel: AbortSignal,
): Promise<Daemon | Refusal> {
  const [{ remoteAt }, { daemonAt }] = await Promise.all([import('./remote.ts'), import('./daemon.ts')]);
  const remote = remoteAt(url, options, terminal);
  if (isRefusal(remote)) return remote;
  return daemonAt({
    socket: remote.url,
    remote,
    actor: actorOfUser(terminal.user.name),
    cancel,
    ...hurryOf(options),
  });
}

function hurryOf({ timeout }: Call['options']): { readonly timeout?: number } {
  return timeout === undefined ? {} : { timeout };
}
