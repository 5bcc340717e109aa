/** How is one message sent to a web address? */
import { inWords } from './errno.ts';
import { late } from './late-modules.ts';
import { afterDelay } from './long-timer.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For everything together, up to the head of the answer. Milliseconds. */
  readonly timeout: number;
}

/** A status, or why there was none. The address is not in it: often it is a secret. */
export type PostResult = { readonly status: number } | { readonly failed: string };

/**
 * One POST on a connection of its own. Redirects are not followed, and the body of the answer is not read. Certificates
 * are verified.
 * @param done called once, never before this function has returned
 * @returns cancels: `done` is not called any more
 * @throws TypeError for an address that cannot be asked
 */
export function post({ url, headers, body, timeout }: Post, done: (result: PostResult) => void): () => void {
  let open = true;
  const finish = (result: PostResult): void => {
    if (!open) return;
    open = false;
    timer.cancel();
    request.destroy();
    done(result);
  };
  const request = (url.startsWith('https:') ? late.https : late.http).request(url, {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
  });
  const timer = afterDelay(timeout, () => finish({ failed: `no answer within ${timeout / 1000} s` }));
  request.on('error', (error) => finish({ failed: inWords(error) }));
  request.on('response', (response) => {
    response.on('error', () => {});
    finish({ status: response.statusCode ?? 0 });
  });
  request.on('upgrade', (response, socket) => {
    socket.destroy();
    finish({ status: response.statusCode ?? 0 });
  });
  request.end(body);
  return () => {
    open = false;
    timer.cancel();
    request.destroy();
  };
}
