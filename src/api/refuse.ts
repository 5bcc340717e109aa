/** How is a request refused? */
import type { FastifyReply } from 'fastify';

/** @param code stable, for programs */
export function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}
