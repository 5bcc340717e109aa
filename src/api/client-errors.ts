/** What is answered to what is no request of HTTP at all? No route and no hook ever sees it. */
import { PROTOCOL } from './contract.ts';

/** As much of a connection as it takes to answer on it. */
interface Line {
  readonly destroyed: boolean;
  readonly writable: boolean;
  end(text: string, sent: () => void): unknown;
  destroy(): unknown;
}

interface Meant {
  /** With its words (RFC 9110, 15; RFC 6585, 5). */
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const MALFORMED: Meant = {
  status: '400 Bad Request',
  code: 'bad_request',
  message: 'this is no request of HTTP/1.1',
};

/** Codes of errors of Node and its parser. */
const MEANT: Readonly<Record<string, Meant>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'headers_too_large',
    message: 'the headers are too large',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Content Too Large',
    code: 'too_large',
    message: 'the extensions of a chunk are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'request_timeout',
    message: 'the request did not arrive in time',
  },
};

/**
 * Answers as every refusal is answered, and ends the connection: where the next request would begin nobody can tell.
 * @param headers of every answer of this server, besides its protocol
 */
export function answerClientError(
  error: { readonly code?: string },
  socket: Line,
  headers: Readonly<Record<string, string>>,
): void {
  // Nobody is left who could be told.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, code, message } = MEANT[error.code ?? ''] ?? MALFORMED;
  const body = JSON.stringify({ error: { code, message } });
  const lines = Object.entries({
    ...headers,
    'x-processmaster-protocol': String(PROTOCOL),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // What still comes in is not read: the end of the connection must not wait for it.
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
