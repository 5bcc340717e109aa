/** Where is the daemon that a program wants to talk to? */
import type { Address } from '../cli/http-over-socket.ts';
import { isRefusal, type Refusal } from '../cli/refusal.ts';
import { howToStartOf, socketPath } from '../cli/socket-path.ts';
import { actorOfUser } from '../model/actor.ts';
import { surroundings } from './surroundings.ts';

/** Without any of it: the daemon that pmctl would find here. */
export interface ConnectOptions {
  /** The path of the control socket. */
  readonly sock?: string;
  /** The master file, which names the socket. */
  readonly config?: string;
  /** A daemon that listens over TCP: `https://host:4480`. */
  readonly url?: string;
  /** For `url`; otherwise the variable PMCTL_TOKEN. */
  readonly token?: string;
  /** A file with the certificate that has signed the one of the daemon. */
  readonly caFile?: string;
  /** Who asks, as the events tell it: up to 64 of `A-Z a-z 0-9 _ . @ + -`. Without it, the user. */
  readonly by?: string;
}

/** As pmctl finds it: what is given, then PMCTL_URL, PMCTL_SOCK, the master file, the default. */
export async function daemonAddress(
  options: ConnectOptions,
  cancel: AbortSignal,
): Promise<Address | Refusal> {
  const { sock, config, caFile } = options;
  const around = surroundings(options.token, cancel);
  const actor = options.by ?? actorOfUser(around.user.name);
  const url = options.url ?? (sock === undefined ? around.environment['PMCTL_URL'] : undefined);
  if (url) {
    const { remoteAt } = await import('../cli/remote.ts');
    const given = { ...(sock === undefined ? {} : { sock }), ...(caFile === undefined ? {} : { caFile }) };
    const remote = await remoteAt(url, { ...given, tokenBy: 'the option token' }, around);
    return isRefusal(remote) ? remote : { socket: remote.url, remote, actor, cancel };
  }
  const socket = await socketPath({ sock, config }, around);
  if (isRefusal(socket)) return socket;
  const told = { ...(sock === undefined ? {} : { sock }), ...(config === undefined ? {} : { config }) };
  return { socket, actor, cancel, howToStart: howToStartOf(told) };
}
