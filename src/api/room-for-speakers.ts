/** Who gives way when too many are connected? Those that have not said a word: they must not keep anybody else out. */
import type { FastifyInstance } from 'fastify';

/** Places that are never left to the silent, so that those who come at the same moment find one each. */
const RESERVE = 32;

interface Connection {
  readonly bytesRead: number;
  destroy(): unknown;
}

/** @param most connections at once; beyond, the server closes them as they come */
export function keepRoomForSpeakers(server: FastifyInstance['server'], most: number): void {
  server.maxConnections = most;
  // Oldest first.
  const connected = new Set<Connection>();
  server.on('connection', (socket) => {
    connected.add(socket);
    socket.once('close', () => connected.delete(socket));
    if (connected.size <= most - RESERVE) return;
    for (const other of connected) {
      if (other === socket || other.bytesRead > 0) continue;
      connected.delete(other);
      other.destroy();
      return;
    }
  });
}
