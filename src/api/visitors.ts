/** Who is connected over TCP, and who gives way when too many are? Those who have not shown a token yet. */

interface Connection {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export interface VisitorLimits {
  readonly total: number;
  /** Of one address. */
  readonly each: number;
}

interface Visitor {
  readonly connection: Connection;
  readonly address: string;
  /** The hash of the token that was shown last; undefined: none that is right. */
  token: string | undefined;
}

/**
 * The oldest that has shown no token gives way to a newer one: of the same address where that has too many, of all
 * where all are too many. Who has shown one keeps the place, so that a crowd of strangers keeps nobody out who has.
 */
export class Visitors {
  readonly #limits: VisitorLimits;
  /** By remote address and port, oldest first: a connection under TLS is another object than the one it came as. */
  readonly #present = new Map<string, Visitor>();

  constructor(limits: VisitorLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#present.size;
  }

  arrived(connection: Connection): void {
    const key = keyOf(connection);
    const address = addressKey(connection.remoteAddress);
    this.#present.set(key, { connection, address, token: undefined });
    connection.once('close', () => {
      if (this.#present.get(key)?.connection === connection) this.#present.delete(key);
    });
    const ofAddress = [...this.#present.values()].filter((one) => one.address === address);
    if (ofAddress.length > this.#limits.each) this.#dismissFirst(ofAddress);
    if (this.#present.size > this.#limits.total) this.#dismissFirst([...this.#present.values()]);
  }

  /** @param token the hash of what it has shown with its request */
  showed(connection: Connection, token: string): void {
    const visitor = this.#present.get(keyOf(connection));
    if (visitor !== undefined) visitor.token = token;
  }

  /** Ends the connections whose token is not valid any more, streams among them. */
  keepOnly(isValid: (token: string) => boolean): void {
    for (const [key, { token, connection }] of this.#present) {
      if (token === undefined || isValid(token)) continue;
      this.#present.delete(key);
      connection.destroy();
    }
  }

  /** The newest is the last: it goes itself when everybody before it has shown a token. */
  #dismissFirst(visitors: readonly Visitor[]): void {
    const out = visitors.find(({ token }) => token === undefined);
    if (out === undefined) return;
    this.#present.delete(keyOf(out.connection));
    out.connection.destroy();
  }
}

/**
 * What counts as one address: an IPv4 address, also in IPv6 clothes (RFC 4291, 2.5.5.2), or the 64 bits of an IPv6
 * network, which a single host has for itself (RFC 6177).
 */
export function addressKey(address: string | undefined): string {
  const plain = (address ?? '').toLowerCase().replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head.split(':').filter((group) => group !== '');
  const back = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array<string>(zeros).fill('0'), ...back];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function keyOf({ remoteAddress, remotePort }: Connection): string {
  return `${remoteAddress ?? ''}|${remotePort ?? ''}`;
}
