/** On whose account is a request carried out? */
import type { FastifyRequest } from 'fastify';
import { isActor } from '../model/actor.ts';

/** Requests that came with a token: nothing that they say of themselves counts. */
const proven = new WeakMap<FastifyRequest, string>();

/** @param actor as it is written in events: `token:deploy` */
export function prove(request: FastifyRequest, actor: string): void {
  proven.set(request, actor);
}

/**
 * Over TCP the token; over the control socket, which only those reach who may, what the client says of itself. That
 * ends up in terminals and logs.
 */
export function actorOf(request: FastifyRequest): string {
  const known = proven.get(request);
  if (known !== undefined) return known;
  const claimed = request.headers['x-processmaster-actor'];
  return typeof claimed === 'string' && isActor(claimed) ? claimed : 'api';
}
