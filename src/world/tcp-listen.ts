/** How does a server come to listen at an address of this host? */
import type { AddressInfo, Server } from 'node:net';
import { codeOf } from './errno.ts';
import type { Failure } from './world.ts';

/**
 * @param port 0: any that is free
 * @returns the port that it listens at
 */
export function listenAt(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number } | Failure> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ failed: codeOf(error) });
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}
