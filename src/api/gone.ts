/** Does whoever asked over HTTP still wait for the answer? */
import type { FastifyReply } from 'fastify';

/** Aborted when the connection is closed; after the answer that harms nobody. */
export function goneOf({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once('close', () => gone.abort());
  return gone.signal;
}
