/** `events`: what happened, and what happens now? */
import type { NumberedEvent } from '../model/action.ts';
import { parseLogTime } from '../model/log-time.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, printJson, printLines, refuse } from './call.ts';
import type { Daemon, EventRequest } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal, refusal, wrongUsage } from './refusal.ts';
import { renderEvent } from './render-events.ts';
import { named } from './selection.ts';

const LAST_EVENTS = 50;

export async function events(call: Call): Promise<Exit> {
  call.terminal.endWithReader();
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const request = requestOf(call);
  if (isRefusal(request)) return refuse(call, request);
  const unknown = await unknownServices(call, daemon);
  const isDown = unknown?.refused.exit === 'noDaemon';
  if (unknown !== undefined && !isDown) return refuse(call, unknown);
  if (call.options.follow) return follow(call, daemon, request);
  const collected: NumberedEvent[] = [];
  const tell = (event: NumberedEvent): void => {
    // One object is one object: all of it has to be there first.
    if (call.options.json) collected.push(event);
    else print(call, event);
  };
  const end = unknown ?? (await daemon.events({ ...request, follow: false }, tell));
  if (end !== undefined) {
    const isHere = end.refused.exit === 'noDaemon' && !daemon.isRemote;
    const exit = isHere ? await fromDisk(call, daemon, request, tell) : undefined;
    if (exit === undefined) return refuse(call, end);
  }
  if (call.options.json) printJson(call, { events: collected });
  return 'fine';
}

function requestOf({ words, options, terminal }: Call): Omit<EventRequest, 'follow'> | Refusal {
  const since = options.since === undefined ? undefined : parseLogTime(options.since, terminal.now());
  if (typeof since === 'object') return wrongUsage(`--since: ${since.refused}`);
  const last = options.lines ?? (since === undefined ? LAST_EVENTS : undefined);
  return {
    services: words,
    ...(since === undefined ? {} : { since }),
    ...(last === undefined ? {} : { last }),
  };
}

async function follow(call: Call, daemon: Daemon, request: Omit<EventRequest, 'follow'>): Promise<Exit> {
  const end = await daemon.events({ ...request, follow: true }, (event) => {
    if (call.options.json) printJson(call, event);
    else print(call, event);
  });
  return refuse(
    call,
    end ?? refusal('noDaemon', 'stream_ended', 'the daemon has ended, and with it the events'),
  );
}

/** A service whose file is gone is known by its events. */
async function unknownServices(call: Call, daemon: Daemon): Promise<Refusal | undefined> {
  if (call.words.length === 0) return undefined;
  const status = await daemon.status();
  if (isRefusal(status)) return status;
  const known = named(status.services, call.words);
  if (!isRefusal(known)) return undefined;
  for (const word of call.words) {
    if (status.services.some(({ name }) => name === word)) continue;
    let isFound = false;
    const end = await daemon.events({ services: [word], last: 1, follow: false }, () => {
      isFound = true;
    });
    if (end !== undefined) return end;
    if (!isFound) return known;
  }
  return undefined;
}

/** undefined: there is nothing to read. */
async function fromDisk(
  call: Call,
  daemon: Daemon,
  request: Omit<EventRequest, 'follow'>,
  tell: (event: NumberedEvent) => void,
): Promise<Exit | undefined> {
  const { eventsOnDisk } = await import('./read-events.ts');
  const read = eventsOnDisk(call, daemon.socket);
  if (read === undefined) return undefined;
  call.terminal.complain(`pmctl: no daemon at ${safeText(daemon.socket)}; read from the files\n`);
  await read({ ...request, services: request.services ?? [] }, tell);
  return 'fine';
}

function print(call: Call, event: NumberedEvent): void {
  printLines(call, [renderEvent(event, call.paint)]);
}
