/** What comes back from a server over TCP, asked as a program does, or byte by byte. */
import { once } from 'node:events';
import { request } from 'node:http';
import { type Agent, request as secureRequest } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into the answers as clients do
  readonly body: any;
}

export interface TcpQuestion {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  /** A certificate to trust; over TLS then. */
  readonly ca?: string;
  /** Of its own for each question without one. */
  readonly agent?: Agent;
}

export function askTcp({
  port,
  path,
  method,
  token,
  headers,
  body,
  ca,
  agent,
}: TcpQuestion): Promise<TcpAnswer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method: method ?? 'GET',
      agent: agent ?? (false as const),
      timeout: 20_000,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    };
    const sent = ca === undefined ? request(options) : secureRequest({ ...options, ca });
    sent.on('response', async (answer) => {
      let got = '';
      for await (const chunk of answer.setEncoding('utf8')) got += chunk;
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: jsonOr(got) });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${path}`)));
    sent.on('error', reject);
    sent.end(text);
  });
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A connection that says what it is told, and collects what it hears. */
export class Line {
  readonly socket: Socket;
  heard = '';
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.heard += text;
    });
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve()));
    onTestFinished(() => void this.socket.destroy());
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && !this.socket.readableEnded;
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
