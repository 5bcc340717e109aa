/** A daemon that serves canned views on a unix socket of its own, and remembers what it was asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StatusView } from '../../src/api/contract.ts';
import { pmctl } from '../../src/cli/pmctl.ts';
import { type FakeTerminal, type FakeTerminalOptions, fakeTerminal } from './fake-terminal.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** A plain value is sent as JSON with status 200. */
export type Canned = unknown | ((asked: Asked, response: ServerResponse) => unknown);

/** Sent with another status than 200, or with headers. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A handler that has written the response itself. */
export const HANDLED = Symbol('handled');

export interface FakeDaemon {
  readonly directory: string;
  readonly socket: string;
  readonly asked: readonly Asked[];
  /** Requests of one route: `POST /api/command`. */
  askedFor(route: string): readonly Asked[];
}

/** @param routes from `GET /api/status` to what is answered; paths without their query */
export async function fakeDaemon(routes: Readonly<Record<string, Canned>>): Promise<FakeDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'pmctl-'));
  const socket = join(directory, 'sock');
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const one: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : JSON.parse(text),
      headers: request.headers,
    };
    asked.push(one);
    const canned = routes[`${one.method} ${one.path}`];
    const missing = new Answer(404, { error: { code: 'not_found', message: 'no such route' } });
    const made =
      canned === undefined ? missing : typeof canned === 'function' ? await canned(one, response) : canned;
    if (made === HANDLED) return;
    const answer = made instanceof Answer ? made : new Answer(200, made);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  });
  const askedFor = (route: string): readonly Asked[] =>
    asked.filter(({ method, path }) => `${method} ${path}` === route);
  return { directory, socket, asked, askedFor };
}

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command against the daemon, as if typed with blanks between the words. */
export async function run(
  daemon: Pick<FakeDaemon, 'socket'>,
  command: string | readonly string[],
  options: FakeTerminalOptions = {},
): Promise<Said> {
  const terminal = fakeTerminal(options);
  const exit = await runOn(terminal, daemon, command);
  return { exit, out: terminal.out(), err: terminal.err() };
}

export function runOn(
  terminal: FakeTerminal,
  daemon: Pick<FakeDaemon, 'socket'>,
  command: string | readonly string[],
): Promise<number> {
  const words = typeof command === 'string' ? command.split(' ') : command;
  return pmctl(['--sock', daemon.socket, ...words], terminal);
}

export function statusView(services: StatusView['services'], more: Partial<StatusView> = {}): StatusView {
  return { services, problems: [], prune: null, ...more };
}
