/** How does one question travel to the daemon and its answer back? */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { PROTOCOL } from '../api/contract.ts';
import { connectionTrouble } from './connection-trouble.ts';
import { isRefusal, type Refusal, refusal } from './refusal.ts';
import type { Remote } from './remote.ts';

export interface Address {
  /** As it is shown to people; of a remote daemon its URL. */
  readonly socket: string;
  /** The daemon is asked over TCP. */
  readonly remote?: Remote;
  /** The command that would start a daemon there, for who finds none. */
  readonly howToStart?: string;
  /** Who asks has so much time; milliseconds. Absent: nobody said. */
  readonly timeout?: number;
  /** Told to the daemon: who asks. */
  readonly actor: string;
  /** Ends every exchange that is under way. */
  readonly cancel: AbortSignal;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Milliseconds of silence after which the daemon is given up. */
  readonly patience: number;
  /** The media type of the answer; JSON unless said otherwise. */
  readonly accept?: string;
}

/** Timers of node run out at once when they are told more (timers, "setTimeout"). Milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The parsed JSON of a 2xx answer; everything else is a refusal. */
export async function exchange(address: Address, question: Question): Promise<unknown | Refusal> {
  const answer = await open(address, question);
  if (isRefusal(answer)) return answer;
  let text = '';
  try {
    answer.setEncoding('utf8');
    for await (const chunk of answer) text += chunk;
  } catch {
    return brokenOff(address);
  }
  return judge(address, question, answer, text);
}

/**
 * Newline-delimited JSON, one call of `line` for each, until the daemon closes the stream (undefined) or something
 * goes wrong.
 */
export async function stream(
  address: Address,
  question: Question,
  line: (value: unknown) => void,
): Promise<Refusal | undefined> {
  const reader = values(address, question);
  for (;;) {
    const next = await reader.next();
    if (next.done === true) return next.value;
    line(next.value);
  }
}

/**
 * The same for who takes one value after the other, as fast as he likes: what he has not taken waits at the daemon.
 * `accept: text/event-stream`: the data of server-sent events.
 */
export async function* values(
  address: Address,
  question: Question,
): AsyncGenerator<unknown, Refusal | undefined, void> {
  const answer = await open(address, question);
  if (isRefusal(answer)) return answer;
  const good = isGood(answer);
  const isEvents = answer.headers['content-type']?.startsWith('text/event-stream') === true;
  let rest = '';
  try {
    answer.setEncoding('utf8');
    for await (const chunk of answer) {
      rest += chunk;
      if (!good) continue;
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const text = isEvents ? (/^data: ?(.*)$/.exec(line)?.[1] ?? '') : line;
        if (text.trim() !== '') yield JSON.parse(text);
      }
    }
  } catch {
    return good ? cutOff(address) : brokenOff(address);
  }
  if (good) return undefined;
  const verdict = judge(address, question, answer, rest);
  return isRefusal(verdict) ? verdict : undefined;
}

function open(address: Address, question: Question): Promise<IncomingMessage | Refusal> {
  const body = question.body === undefined ? undefined : JSON.stringify(question.body);
  const { remote } = address;
  const send = remote?.send ?? request;
  return new Promise((resolve) => {
    const sent: ClientRequest = send({
      ...(remote === undefined ? { socketPath: address.socket } : remote.options),
      method: question.method,
      path: (remote?.prefix ?? '') + question.path,
      agent: false,
      timeout: Math.min(question.patience, LONGEST_TIMER),
      signal: address.cancel,
      headers: {
        ...(remote?.headers ?? { host: 'localhost' }),
        accept: question.accept ?? 'application/json',
        'x-processmaster-protocol': String(PROTOCOL),
        'x-processmaster-actor': headerValue(address.actor),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    sent.on('timeout', () => {
      const seconds = Math.round(question.patience / 1000);
      const message = `the daemon at ${address.socket} has not answered for ${seconds}s`;
      resolve(refusal('error', 'no_answer', message));
      sent.destroy();
    });
    sent.on('response', resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNRESET' ? brokenOff(address) : trouble(address, error.code));
    });
    sent.end(body);
  });
}

function judge(
  address: Address,
  question: Question,
  answer: IncomingMessage,
  text: string,
): unknown | Refusal {
  const value = parse(text);
  if (isGood(answer)) {
    return value === undefined ? notOurs(address) : value;
  }
  const told = errorOf(value);
  if (told === undefined) return notOurs(address);
  if (told.code === 'protocol') return otherProtocol(answer, told.message);
  if (answer.statusCode === 404 && told.code === 'not_found') {
    const message = `the daemon does not know ${question.method} ${question.path}; is it older than pmctl?`;
    return refusal('error', told.code, message);
  }
  return refusal(told.code === 'unknown_service' ? 'unknownService' : 'error', told.code, told.message);
}

/** The daemon names its protocol in a header of every answer, so that both sides can tell which one is older. */
function otherProtocol(answer: IncomingMessage, told: string): Refusal {
  const theirs = Number(answer.headers['x-processmaster-protocol']);
  if (!Number.isInteger(theirs) || theirs === PROTOCOL) return refusal('error', 'protocol', told);
  const advice =
    theirs > PROTOCOL
      ? 'pmctl is older: use the one that was installed with the daemon'
      : 'the daemon is older: restart it from the version that pmctl belongs to';
  const numbers = `the daemon speaks protocol ${theirs} and this pmctl protocol ${PROTOCOL}`;
  return refusal('error', 'protocol', `${numbers}; ${advice}`);
}

function notOurs(address: Address): Refusal {
  return refusal('error', 'not_ours', `what answers at ${address.socket} is not processmaster`);
}

function trouble(address: Address, code: string | undefined): Refusal {
  const { socket, remote, howToStart } = address;
  if (remote !== undefined && code !== 'ABORT_ERR') return remote.trouble(code);
  if (code === 'EPIPE' || code === 'ECONNRESET') return brokenOff(address);
  return connectionTrouble(socket, code, howToStart);
}

function brokenOff(address: Address): Refusal {
  if (address.cancel.aborted) return connectionTrouble(address.socket, 'ABORT_ERR');
  // A daemon that has no descriptor left can but hang up.
  const hint = 'its log says why; perhaps it has no file descriptor left';
  const message = `the daemon at ${address.socket} closed the connection before it had answered; ${hint}`;
  return refusal('error', 'connection_lost', message);
}

/** A daemon that ends closes its streams; one that is killed does not come to that. */
function cutOff(address: Address): Refusal {
  if (address.cancel.aborted) return brokenOff(address);
  const message = `the connection to the daemon at ${address.socket} was lost; if it was killed, start it again`;
  return refusal('error', 'connection_lost', message);
}

function isGood(answer: IncomingMessage): boolean {
  const status = answer.statusCode ?? 0;
  return status >= 200 && status < 300;
}

function errorOf(value: unknown): { readonly code: string; readonly message: string } | undefined {
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const { error } = value;
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error))
    return undefined;
  return { code: String(error.code), message: String(error.message) };
}

/** undefined for text that is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Header values are Latin-1 without controls (RFC 9110, 5.5); other characters of a name are shown as `?`. */
function headerValue(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
