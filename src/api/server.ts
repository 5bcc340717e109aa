/** How is the contract spoken over HTTP? Routes translate; they decide nothing. */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { actorOf as actor } from './actor.ts';
import { bodyRefusal } from './body-refusal.ts';
import { answerClientError } from './client-errors.ts';
import { COMPILED } from './compiled.ts';
import { type Control, PROTOCOL, type ServiceView, type Verb } from './contract.ts';
import { deployRoutes } from './deploy-routes.ts';
import { eventRoutes } from './event-routes.ts';
import type { FrontDoor } from './front-door.ts';
import { goneOf } from './gone.ts';
import { logsRequest } from './logs-request.ts';
import { type ReloadAnswer, reloadAnswer } from './process-answers.ts';
import { wholeNumber } from './query-number.ts';
import { refuse } from './refuse.ts';
import { BODIES } from './request-schemas.ts';
import { keepRoomForSpeakers } from './room-for-speakers.ts';
import type { SyncRequest } from './sync.ts';

/** A request body larger than this is refused. Bytes. */
const BODY_LIMIT = 1024 * 1024;

/** A request must have arrived completely within this time. Milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** Connections at once; more are closed as they come. */
const CONNECTIONS = 512;

/** Refused by a hook (RFC 9112, 3.2), because Node itself would answer without a word. */
const NO_HOST_NEEDED = { requireHostHeader: false };

/** Longest time that a request may ask to wait for an outcome. Milliseconds. */
export const LONGEST_WAIT = 24 * 3600 * 1000;

const DEFAULT_WAIT = 60_000;

/**
 * An HTTP server over the control interface; it listens to nothing yet.
 * @param now what the clock on the wall shows, as lines of logs tell it; milliseconds since 1970
 * @param door who is let in over TCP; undefined: whoever reaches the control socket
 */
export function apiServer(control: Control, now: () => number, door?: FrontDoor): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: 5000,
    forceCloseConnections: true,
    schemaController: COMPILED,
    schemaErrorFormatter: (mistakes) => new Error(bodyRefusal(mistakes)),
    logger: false,
    // A path that cannot be decoded belongs to no route, and meets no hook.
    frameworkErrors: (_error, _request, reply) => {
      door?.secure(reply);
      refuse(reply, 400, 'bad_request', 'the path of the request is no valid URL');
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, door?.headers ?? {}),
    ...(door?.options ?? { http: NO_HOST_NEEDED }),
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') return;
    door?.secure(reply);
    reply.header('connection', 'close');
    await refuse(reply, 400, 'bad_request', 'the header Host is missing');
  });
  if (door !== undefined) door.guard(app);
  else keepRoomForSpeakers(app.server, CONNECTIONS);
  app.server.headersTimeout = REQUEST_TIMEOUT;
  // A client that only wants to be answered needs no protocol number; one that sends it is told when it is too new.
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-processmaster-protocol', String(PROTOCOL));
    const wanted = request.headers['x-processmaster-protocol'];
    if (wanted === undefined || wanted === String(PROTOCOL)) return;
    await refuse(
      reply,
      409,
      'protocol',
      `this daemon speaks protocol ${PROTOCOL}, the client ${String(wanted)}`,
    );
  });
  app.setErrorHandler(
    async (error: { statusCode?: number; code?: string; message: string }, _request, reply) => {
      const status = error.statusCode ?? 500;
      const message = status === 500 && door !== undefined ? door.broke(error) : messageOf(error);
      await refuse(reply, status, codeOf(status, error.code), message);
    },
  );
  app.setNotFoundHandler(async (request, reply) => {
    await refuse(reply, 404, 'not_found', `no such call: ${request.method} ${request.url}`);
  });
  readRoutes(app, control, now);
  processRoutes(app, control, now);
  actionRoutes(app, control);
  deployRoutes(app, control, waitOf);
  return app;
}

/** Ours are stable; those of the framework are its own matter. */
function codeOf(status: number, code: string | undefined): string {
  if (status === 500) return 'internal';
  if (code !== undefined && !code.startsWith('FST_')) return code;
  return status === 413 ? 'too_large' : status === 415 ? 'unsupported_type' : 'bad_request';
}

/** Theirs where nothing has to be known of the framework to understand it. */
function messageOf({ code, message }: { readonly code?: string; readonly message: string }): string {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'send the body as JSON, with the header Content-Type: application/json';
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return 'the body is empty, where Content-Type says that it is JSON';
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return 'the body is no valid JSON';
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return `the body is larger than ${BODY_LIMIT} bytes`;
    default:
      return message;
  }
}

function readRoutes(app: FastifyInstance, control: Control, now: () => number): void {
  app.get('/health', async () => health(control, now()));
  app.get('/api/version', async () => control.version());
  app.get('/api/status', async () => control.status());
  app.get('/api/stats', async () => control.stats());
  app.get('/api/diff', async () => control.diff());
  app.get('/api/doctor', async () => control.doctor());
  app.get('/metrics', async (_request, reply) => {
    const { metricsPage } = await import('./metrics.ts');
    const { type, text } = await metricsPage(control);
    return reply.type(type).send(text);
  });
  app.get('/api/openapi.json', async () => (await import('./openapi.ts')).openApi(control.version().version));
  app.get('/api/why/:id', async (request, reply) => {
    const id = parameter(request, 'id');
    return control.why(id) ?? unknownService(reply, id);
  });
  app.get('/api/logs', async (request, reply) => {
    const asked = logsRequest(request.query as Parameters<typeof logsRequest>[0], now());
    if ('refused' in asked) return refuse(reply, 400, 'bad_request', asked.refused);
    const known = control.status().services.map(({ name }) => name);
    const unknown = asked.services.find((name) => !known.includes(name));
    return unknown === undefined ? control.logs(asked) : unknownService(reply, unknown);
  });
  eventRoutes(app, control.feed, now);
}

/** REST calls that know a service as a process. */
function processRoutes(app: FastifyInstance, control: Control, now: () => number): void {
  app.get('/api/processes', async () => ({ processes: control.status().services }));
  app.get('/api/processes/:id', async (request, reply) => {
    const id = parameter(request, 'id');
    return find(control, id) ?? unknownService(reply, id);
  });
  app.get('/api/processes/:id/logs', async (request, reply) => {
    const id = parameter(request, 'id');
    if (find(control, id) === undefined) return unknownService(reply, id);
    const lines = wholeNumber(request, 'lines', 100);
    if (typeof lines === 'object') return refuse(reply, 400, 'bad_request', lines.refused);
    return { processId: id, ...(await control.logs({ services: [id], lines })) };
  });
  app.post('/api/processes/reload', async (request, reply): Promise<ReloadAnswer> => {
    const asked = { services: [], prune: false, wait: DEFAULT_WAIT, by: actor(request), gone: goneOf(reply) };
    return reloadAnswer(await control.update(asked), now());
  });
  app.post('/api/processes/:id/:verb', async (request, reply) => {
    const id = parameter(request, 'id');
    const verb = parameter(request, 'verb');
    if (!isVerb(verb))
      return refuse(reply, 404, 'not_found', `no such call: ${request.method} ${request.url}`);
    const wait = wholeNumber(request, 'wait', DEFAULT_WAIT);
    if (typeof wait === 'object') return refuse(reply, 400, 'bad_request', wait.refused);
    const asked = { verb, services: [id], by: actor(request), wait: waitOf(wait), gone: goneOf(reply) };
    const { results } = await control.command(asked);
    const result = results[0];
    if (result === undefined || result.result === 'unknown_service') return unknownService(reply, id);
    if (result.result === 'refused' || result.result === 'failed') {
      return refuse(reply, result.result === 'refused' ? 409 : 500, result.result, result.detail);
    }
    return { success: true, message: result.detail, ...result, process: find(control, id) ?? null };
  });
}

function actionRoutes(app: FastifyInstance, control: Control): void {
  app.post('/api/update', { schema: { body: BODIES.update } }, async (request, reply) => {
    const body = request.body as Partial<Parameters<Control['update']>[0]>;
    const { services = [] } = body;
    const unknown = services.length === 0 ? undefined : unknownIn(services, control);
    if (unknown !== undefined) return unknownService(reply, unknown);
    return control.update({
      services,
      prune: body.prune ?? false,
      wait: waitOf(body.wait),
      by: actor(request),
      gone: goneOf(reply),
      ...(body.on_failure === undefined ? {} : { on_failure: body.on_failure }),
      ...(body.plan === undefined ? {} : { plan: body.plan }),
    });
  });
  app.post('/api/sync', { schema: { body: BODIES.sync } }, async (request, reply) => {
    const body = request.body as Partial<SyncRequest>;
    const { dryRun = false, prune = false } = body;
    const { on_failure, limit } = body;
    return control.sync({
      ...{ dryRun, prune, by: actor(request), wait: waitOf(body.wait), gone: goneOf(reply) },
      ...(on_failure === undefined ? {} : { on_failure }),
      ...(limit === undefined ? {} : { limit }),
    });
  });
  app.post('/api/command', { schema: { body: BODIES.command } }, async (request, reply) => {
    const body = request.body as Parameters<Control['command']>[0];
    return control.command({
      ...body,
      by: actor(request),
      wait: waitOf(body.wait),
      gone: goneOf(reply),
    });
  });
  app.post('/api/define', { schema: { body: BODIES.define } }, async (request, reply) => {
    const body = request.body as Parameters<Control['define']>[0];
    return control.define({ ...body, by: actor(request), wait: waitOf(body.wait), gone: goneOf(reply) });
  });
  app.post('/api/delete', { schema: { body: BODIES.delete } }, async (request, reply) => {
    const body = request.body as Parameters<Control['delete']>[0];
    return control.delete({ ...body, by: actor(request), wait: waitOf(body.wait), gone: goneOf(reply) });
  });
  app.post('/api/wait', { schema: { body: BODIES.wait } }, async (request, reply) => {
    const body = request.body as Parameters<Control['wait']>[0];
    const view = await control.wait({
      ...body,
      timeout: Math.min(body.timeout, LONGEST_WAIT),
      gone: goneOf(reply),
    });
    return view ?? unknownService(reply, body.service);
  });
  app.post('/api/shutdown', { schema: { body: BODIES.shutdown } }, async (request, reply) => {
    const body = (request.body ?? {}) as { stopServices?: boolean };
    // Answered first: the end of the daemon closes every connection.
    const answered = new Promise<void>((resolve) => reply.raw.once('close', resolve));
    const stopServices = body.stopServices ?? false;
    return { ok: true, ...control.shutdown({ stopServices, by: actor(request), answered }) };
  });
}

function waitOf(asked: number | undefined): number {
  return Math.min(asked ?? DEFAULT_WAIT, LONGEST_WAIT);
}

function health(control: Control, now: number): Record<string, unknown> {
  const { services } = control.status();
  const broken = services.some((service) => service.state === 'failed' || service.state === 'unknown');
  return {
    status: broken ? 'degraded' : 'healthy',
    timestamp: new Date(now).toISOString(),
    // A clock that was set back shows less.
    uptime: Math.max(0, Math.floor((now - Date.parse(control.version().started_at)) / 1000)),
    processes: {
      total: services.length,
      running: services.filter((service) => service.isRunning).length,
      details: services,
    },
  };
}

function find(control: Control, id: string): ServiceView | undefined {
  return control.status().services.find((service) => service.name === id);
}

function isVerb(verb: string): verb is Verb {
  return verb === 'start' || verb === 'stop' || verb === 'restart' || verb === 'reload';
}

function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string | undefined>)[name] ?? '';
}

/** The first that neither runs, nor is defined, nor would be after an update. */
function unknownIn(names: readonly string[], control: Control): string | undefined {
  const known = new Set([
    ...control.status().services.map(({ name }) => name),
    ...control.diff().changes.map(({ service }) => service),
  ]);
  return names.find((name) => !known.has(name));
}

function unknownService(reply: FastifyReply, id: string): FastifyReply {
  return refuse(reply, 404, 'unknown_service', `no service ${JSON.stringify(id)}`);
}
