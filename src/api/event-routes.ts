/** How is the journal asked for over HTTP? */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EventQuery } from '../model/event-query.ts';
import { parseLogTime } from '../model/log-time.ts';
import type { Refused } from '../model/units.ts';
import type { EventFeed } from './event-feed.ts';
import {
  type EventFormat,
  JSON_LINES,
  LIMITS,
  SERVER_SENT,
  type StreamLimits,
  tellEvents,
} from './event-stream.ts';
import { namesIn, type Query } from './logs-request.ts';
import { refuse } from './refuse.ts';

/** Listeners at once: the rest of the connections is for those who ask. */
const LISTENERS = 128;

/** More of the last events than these are asked for by `since` or `after`. */
const MOST_LAST = 10_000;

/**
 * `GET /api/events`: newline-delimited JSON, or server-sent events where the client accepts them; these always go on.
 * @param now milliseconds since 1970
 */
export function eventRoutes(
  app: FastifyInstance,
  feed: EventFeed,
  now: () => number,
  limits: StreamLimits = LIMITS,
): void {
  const open = new Set<FastifyReply['raw']>();
  const listening = new Set<FastifyReply['raw']>();
  // What somebody is told has happened is in the journal before he is told.
  app.addHook('onSend', async () => feed.flush());
  // A daemon that ends does not wait for those who would listen for ever.
  app.addHook('preClose', async () => {
    for (const raw of open) raw.end();
  });
  app.get('/api/events', async (request, reply) => {
    const asked = request.query as Query;
    const format = formatFor(request);
    const follow = format === SERVER_SENT || asked['follow'] === '1';
    const query = eventQuery(asked, request.headers['last-event-id'], now());
    if ('refused' in query) return refuse(reply, 400, 'bad_request', query.refused);
    if (follow && listening.size >= LISTENERS) {
      return refuse(reply, 503, 'too_many_listeners', `${LISTENERS} listen to the events already`);
    }
    reply.hijack();
    const { raw } = reply;
    open.add(raw);
    if (follow) listening.add(raw);
    raw.on('error', () => raw.destroy());
    raw.once('close', () => {
      open.delete(raw);
      listening.delete(raw);
    });
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    raw.writeHead(200, {
      'content-type': format.type,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    raw.flushHeaders();
    await tellEvents(feed, { raw, query, format, follow, limits });
    return reply;
  });
}

function formatFor(request: FastifyRequest): EventFormat {
  const { accept = '' } = request.headers;
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/.test(accept) ? SERVER_SENT : JSON_LINES;
}

/** @param lastEventId what a browser sends that comes back; it is newer than the address */
export function eventQuery(
  { after, since, last, service, services }: Query,
  lastEventId: unknown,
  now: number,
): EventQuery | Refused {
  const number = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : after;
  if (number !== undefined && !matches(number, /^\d{1,15}$/))
    return { refused: 'after: write the id of an event' };
  if (last !== undefined && !matches(last, /^\d{1,9}$/)) return { refused: 'last: write a whole number' };
  const time = since === undefined ? undefined : parseLogTime(String(since), now);
  if (typeof time === 'object') return { refused: `since: ${time.refused}` };
  return {
    services: namesIn(service, services),
    ...(number === undefined ? {} : { after: Number(number) }),
    ...(time === undefined ? {} : { since: time }),
    ...(last === undefined ? {} : { last: Math.min(Number(last), MOST_LAST) }),
  };
}

function matches(value: string | readonly string[], pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
