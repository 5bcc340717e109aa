/** Who comes in over TCP, and how much may a stranger cost? */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { prove } from './actor.ts';
import { leastRole, roleOf } from './call-roles.ts';
import { Failures } from './failures.ts';
import { withoutValues } from './hidden-values.ts';
import { isOurHost, isOurOrigin, type OwnPlace } from './known-hosts.ts';
import { refuse } from './refuse.ts';
import { bearerOf, includesRole, type Role, type Token, whoShows } from './tokens.ts';
import { addressKey, Visitors } from './visitors.ts';

export interface FrontDoorTools {
  /** Milliseconds. */
  readonly now: () => number;
  /** In PEM; null: without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly place: () => OwnPlace;
  /** Those that are valid now. */
  readonly tokens: () => readonly Token[];
  /** Something that a person may want to know. */
  readonly tell: (fields: object, message: string) => void;
}

/** Connections at once, and of one address; descriptors and memory of the daemon are bounded by it. */
const LIMITS = { total: 512, each: 64 };

/** Headers, body and TLS handshake must each have arrived within this time. Milliseconds. */
const ARRIVAL = 10_000;

/** How often connections are looked at for that. Milliseconds. */
const LOOK = 2000;

/** A client that takes nothing of its answer for this long is given up. Milliseconds. */
const UNREAD = 30_000;

/** Bytes. */
const HEADERS = 16 * 1024;

/** RFC 8996: 1.0 and 1.1 must not be used, whatever NODE_OPTIONS say. */
export const OLDEST_TLS = 'TLSv1.2';

/** Nothing that is answered is for a browser to keep, to guess a type of, to run or to frame. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export class FrontDoor {
  readonly visitors = new Visitors(LIMITS);
  readonly #tools: FrontDoorTools;
  readonly #failures = new Failures();
  readonly #tokens = new WeakMap<FastifyRequest, Token>();

  constructor(tools: FrontDoorTools) {
    this.#tools = tools;
  }

  /** For the server that stands behind it. */
  get options(): Readonly<Record<string, unknown>> {
    // Refused by us, in the words of every refusal.
    const requireHostHeader = false;
    const bounds = {
      requireHostHeader,
      maxHeaderSize: HEADERS,
      connectionsCheckingInterval: LOOK,
      headersTimeout: ARRIVAL,
    };
    const { tls } = this.#tools;
    if (tls === null) return { requestTimeout: ARRIVAL, http: bounds };
    const secure = { ...tls, minVersion: OLDEST_TLS, handshakeTimeout: ARRIVAL };
    return { requestTimeout: ARRIVAL, https: { ...bounds, ...secure } };
  }

  /** Before any route is known to the server. */
  guard(app: FastifyInstance): void {
    app.server.on('connection', (socket) => this.visitors.arrived(socket));
    // Only in case that they come faster than they are dismissed.
    app.server.maxConnections = LIMITS.total * 2;
    app.removeContentTypeParser('text/plain');
    app.addHook('onRequest', async (request, reply) => {
      this.secure(reply);
      // What could go on for ever is not taken only to keep the connection: that ends with the answer.
      if (mayBeEndless(request, app.initialConfig.bodyLimit ?? 0)) reply.header('connection', 'close');
      await this.#admit(request, reply);
    });
    app.addHook('preHandler', async (request, reply) => {
      await this.#demand(request, reply, roleOf(request.method, request.routeOptions.url, request.body));
    });
    app.addHook('preSerialization', async (request, _reply, answer) => {
      const token = this.#tokens.get(request);
      return token !== undefined && includesRole(token.role, 'operate') ? answer : withoutValues(answer);
    });
    app.addHook('onSend', async (request) => {
      request.raw.socket.setTimeout(UNREAD);
    });
  }

  /** Those of every answer. */
  get headers(): Readonly<Record<string, string>> {
    return SECURITY_HEADERS;
  }

  /** Set where also those answers have them that are written without the framework. */
  secure(reply: FastifyReply): void {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) reply.raw.setHeader(name, value);
  }

  /** What went wrong is ours to know, and nothing of it the client's. */
  broke(error: { readonly message: string; readonly stack?: string }): string {
    this.#tools.tell({ stack: error.stack }, `a request could not be answered: ${error.message}`);
    return 'an error of the daemon; its log says more';
  }

  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const place = this.#tools.place();
    const { host, origin, authorization } = request.headers;
    if (!isOurHost(host, place)) {
      return refuse(
        reply,
        421,
        'wrong_host',
        'this host is not called so; api.allowed_hosts names what else it is called',
      );
    }
    if (!isOurOrigin(origin, place)) {
      return refuse(reply, 403, 'wrong_origin', 'pages of other places may not ask');
    }
    const token = whoShows(bearerOf(authorization), this.#tools.tokens());
    if (token === undefined) return this.#reject(request, reply);
    this.visitors.showed(request.raw.socket, token.hash);
    this.#tokens.set(request, token);
    prove(request, `token:${token.name}`);
    return this.#demand(request, reply, leastRole(request.method, request.routeOptions.url));
  }

  #reject(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const address = addressKey(request.raw.socket.remoteAddress);
    const { is, left } = this.#failures.note(address, this.#tools.now());
    reply.header('www-authenticate', 'Bearer realm="processmaster"');
    if (is === 'forgiven') {
      const shown = request.headers.authorization !== undefined;
      const message = shown ? 'this token is not valid here' : 'show a token: Authorization: Bearer …';
      return refuse(reply, 401, 'unauthorized', message);
    }
    if (is === 'first_over')
      this.#tools.tell({ address }, `too many requests without a valid token from ${address}`);
    reply.header('retry-after', String(Math.ceil(left / 1000)));
    reply.header('connection', 'close');
    return refuse(reply, 429, 'too_many_failures', 'too many requests without a valid token');
  }

  async #demand(request: FastifyRequest, reply: FastifyReply, role: Role): Promise<unknown> {
    const token = this.#tokens.get(request);
    if (token !== undefined && includesRole(token.role, role)) return undefined;
    const has = token === undefined ? 'none' : token.role;
    return refuse(reply, 403, 'forbidden', `this takes at least the role ${role}; the token has ${has}`);
  }
}

/** @param most bytes that a body may have */
function mayBeEndless({ headers }: FastifyRequest, most: number): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > most;
}
