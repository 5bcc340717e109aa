/** Who gives way when too many are connected? Whoever does not wait for us: they must not keep anybody else out. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Places that are never left to such ones, so that those who come at the same moment find one each. */
const RESERVE = 32;

type Request = FastifyRequest['raw'];
type Response = FastifyReply['raw'];
type Socket = Request['socket'];

interface Exchange {
  readonly request: Pick<Request, 'complete'>;
  readonly response: Pick<Response, 'writableEnded'>;
}

/**
 * Those who have said nothing, or half of a request, or do not take what was answered, go first to last when others
 * come; those whose request is being carried out stay.
 * @param most connections at once; beyond, the server closes them as they come
 */
export function keepRoomForSpeakers(server: FastifyInstance['server'], most: number): void {
  server.maxConnections = most;
  // Oldest first; with what was asked last.
  const connected = new Map<Socket, Exchange | undefined>();
  server.on('connection', (socket: Socket) => {
    connected.set(socket, undefined);
    socket.once('close', () => connected.delete(socket));
    if (connected.size <= most - RESERVE) return;
    for (const [other, exchange] of connected) {
      if (other === socket || (exchange !== undefined && isUnderWay(exchange))) continue;
      connected.delete(other);
      other.destroy();
      return;
    }
  });
  server.on('request', (request: Request, response: Response) => {
    if (connected.has(request.socket)) connected.set(request.socket, { request, response });
  });
}

/** It is our turn: all of the request is here, and not all of the answer is given. */
function isUnderWay({ request, response }: Exchange): boolean {
  return request.complete && !response.writableEnded;
}
