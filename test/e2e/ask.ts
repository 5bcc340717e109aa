/**
 * What does the daemon answer to one request over its socket? Without the start of a program for each question, but
 * each over a connection of its own.
 */
import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into the answers of the program as its users do
  readonly body: any;
}

export function ask(question: {
  readonly socket: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}): Promise<Answer> {
  const { socket, method, path, body } = question;
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { socketPath: socket, method, path, headers, timeout: 30_000, agent: false } as const;
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        // What the daemon wrote to its standard output before it answered is read before the answer is given.
        setImmediate(() => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
      });
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path} within 30 s`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
