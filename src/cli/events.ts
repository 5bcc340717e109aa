/** `events`: what happened, and what happens now? */
import { type Call, printJson, printLines, refuse } from './call.ts';
import type { Daemon, NumberedEvent } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { localTime } from './quantities.ts';
import { isRefusal, refusal } from './refusal.ts';
import { named } from './selection.ts';
import { safeText } from './terminal-safe.ts';

const LAST_EVENTS = 50;

export async function events(call: Call): Promise<Exit> {
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  if (call.words.length > 0) {
    const status = await daemon.status();
    const known = isRefusal(status) ? status : named(status.services, call.words);
    if (isRefusal(known)) return refuse(call, known);
  }
  const past: NumberedEvent[] = [];
  const end = await daemon.events({ after: 0, follow: false }, (event) => past.push(event));
  if (end !== undefined) return refuse(call, end);
  const asked = ({ service }: NumberedEvent): boolean =>
    call.words.length === 0 || (service !== undefined && call.words.includes(service));
  const matching = past.filter(asked);
  const last = matching.slice(Math.max(0, matching.length - (call.options.lines ?? LAST_EVENTS)));
  if (call.options.follow) return follow(call, daemon, { last, after: past.at(-1)?.id ?? 0, asked });
  if (call.options.json) printJson(call, { events: last });
  else printLines(call, last.map(renderEvent));
  return 'fine';
}

async function follow(
  call: Call,
  daemon: Daemon,
  from: {
    readonly last: readonly NumberedEvent[];
    /** The number of the newest event that is known. */
    readonly after: number;
    readonly asked: (event: NumberedEvent) => boolean;
  },
): Promise<Exit> {
  const print = (event: NumberedEvent): void => {
    if (call.options.json) printJson(call, event);
    else printLines(call, [renderEvent(event)]);
  };
  from.last.forEach(print);
  const end = await daemon.events({ after: from.after, follow: true }, (event) => {
    if (from.asked(event)) print(event);
  });
  return refuse(
    call,
    end ?? refusal('noDaemon', 'stream_ended', 'the daemon has ended, and with it the events'),
  );
}

/** `2026-02-03 04:05:06  worker_exited  service=web instance=0 status=3`. */
export function renderEvent(event: NumberedEvent): string {
  const service = event.service === undefined || 'service' in event.fields ? {} : { service: event.service };
  const fields = Object.entries({ ...service, ...event.fields }).map(
    ([key, value]) => `${key}=${quoted(value)}`,
  );
  return safeText([localTime(event.at), '', event.name, '', ...fields].join(' ')).trimEnd();
}

/** As in the lifecycle lines: a value with a blank, quote, `=` or newline is JSON. */
function quoted(value: string | number): string {
  const text = String(value);
  return text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
