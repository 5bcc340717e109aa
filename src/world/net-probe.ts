/** Does something answer at this URL, or at this port? */
import type { ClientRequest, IncomingMessage } from 'node:http';
import net from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { HttpQuestion, ProbeResult, StatusRange } from '../model/probe.ts';
import { inWords } from './errno.ts';
import { lookUp } from './host-lookup.ts';
import { late } from './late-modules.ts';
import { Attempt } from './probe-attempt.ts';

/** `timeout`: milliseconds, for everything together: name, connection, TLS and the head of the answer. */
export interface HttpTarget extends HttpQuestion {
  readonly timeout: number;
}

/** `timeout`: milliseconds, for name and connection together. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly timeout: number;
}

/**
 * Sends one request on a connection of its own and judges the status of the answer. The body is not read, a redirect
 * is not followed: it counts by its status. Certificates are not verified, as by the probes of Kubernetes: the
 * question is whether the service answers, and a service asked on loopback has no certificate for that name.
 * @param done told the result exactly once, never before this function has returned; whatever is wrong with the
 *   target is a failure too
 * @returns cancels: `done` is not called any more, and the connection is closed
 */
export function httpProbe(target: HttpTarget, done: (result: ProbeResult) => void): () => void {
  const attempt = new Attempt(target.timeout, done);
  attempt.missing = 'not connected';
  try {
    const request = requestTo(target, lookingUp(attempt));
    attempt.holds(() => request.destroy());
    // Stays for good: a request that is destroyed tells of it as an error, later.
    request.on('error', (error) => attempt.fail(inWords(error), error));
    request.on('socket', (socket) => {
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        attempt.missing = 'connected, but no answer';
      });
    });
    const answered = (response: IncomingMessage) => judge(response, target.status, attempt);
    request.on('response', answered);
    // Without a listener these two would end as a connection that was closed, which it was not by the service.
    request.on('upgrade', answered);
    request.on('connect', answered);
    request.end();
  } catch (error) {
    attempt.failSoon(`cannot ask: ${inWords(error)}`, error);
  }
  return () => attempt.cancel();
}

/**
 * Connects and closes again, without a byte sent.
 * @param done as of {@link httpProbe}
 * @returns cancels
 */
export function tcpProbe(target: TcpTarget, done: (result: ProbeResult) => void): () => void {
  const attempt = new Attempt(target.timeout, done);
  attempt.missing = 'not connected';
  try {
    const socket = net.connect({ host: target.host, port: target.port, lookup: lookingUp(attempt) });
    attempt.holds(() => socket.destroy());
    socket.on('error', (error) => attempt.fail(inWords(error), error));
    socket.on('connect', () => {
      if (isItsOwnPeer(socket)) attempt.fail(inWords('ECONNREFUSED'));
      else attempt.pass('connected');
    });
  } catch (error) {
    attempt.failSoon(`cannot ask: ${inWords(error)}`, error);
  }
  return () => attempt.cancel();
}

/** Only a name is looked up; until its address is known, nobody was asked. */
function lookingUp(attempt: Attempt): net.LookupFunction {
  return (name, options, done) => {
    const { missing } = attempt;
    attempt.isHeldUp = true;
    attempt.missing = 'no address for its name';
    lookUp(name, options, (error, address, family) => {
      attempt.isHeldUp = false;
      attempt.missing = missing;
      done(error, address, family);
    });
  };
}

/**
 * Nobody listens, yet the connection stands: the kernel drew the very port that is asked as the local port, and TCP
 * lets a socket connect to itself (simultaneous open, RFC 9293, 3.5).
 */
export function isItsOwnPeer(socket: net.Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

/** Throws a TypeError for a URL, a method or a header that cannot be sent. */
function requestTo({ url, method, headers }: HttpTarget, lookup: net.LookupFunction): ClientRequest {
  const address = addressOf(url);
  const { host, port } = address;
  const options = { ...address, method, headers, lookup };
  // No agent that is shared: nothing is kept alive, and no probe waits for the connection of another.
  if (address.protocol === 'https:')
    return late.https.request({ ...options, agent: false, rejectUnauthorized: false });
  // Nor one for a single request: its bookkeeping would be a sixth of what a probe costs.
  return late.http.request({ ...options, createConnection: () => net.connect({ host, port, lookup }) });
}

interface Address {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** The one that is not named in the header `Host` (RFC 9110, 7.2). */
  readonly defaultPort: number;
  readonly path: string;
  /** `user:password`. */
  readonly auth?: string;
}

/** Each probe asks the same URL again, and to take it apart would cost another sixth. */
const addresses = new Map<string, Address>();

/** More than a host has probes, unless ports come and go. */
const ADDRESSES_KEPT = 2000;

/** Throws a TypeError for what is no URL. */
function addressOf(url: string): Address {
  const known = addresses.get(url);
  if (known !== undefined) return known;
  const { protocol, hostname, port, path, auth } = urlToHttpOptions(new URL(url));
  const defaultPort = protocol === 'https:' ? 443 : 80;
  const address: Address = {
    protocol: protocol ?? '',
    host: hostname ?? '',
    port: Number(port) || defaultPort,
    defaultPort,
    path: path ?? '/',
    ...(typeof auth === 'string' ? { auth } : {}),
  };
  if (addresses.size >= ADDRESSES_KEPT) addresses.clear();
  addresses.set(url, address);
  return address;
}

function judge(response: IncomingMessage, wanted: readonly StatusRange[], attempt: Attempt): void {
  // The body may break off once it is not read any more.
  response.on('error', () => {});
  const status = response.statusCode ?? 0;
  if (wanted.some((range) => isWithin(status, range))) attempt.pass(`${status}`);
  else attempt.fail(`${status}, wanted ${wanted.map(printed).join(', ')}`);
}

function isWithin(status: number, range: StatusRange): boolean {
  return typeof range === 'number' ? status === range : range.from <= status && status <= range.to;
}

function printed(range: StatusRange): string {
  return typeof range === 'number' ? `${range}` : `${range.from}-${range.to}`;
}
