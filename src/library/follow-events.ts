/** How does a program hear all that happens, also when the connection to the daemon is lost in between? */
import { type daemonAt, eventStream, type NumberedEvent } from '../cli/daemon.ts';
import type { Address } from '../cli/http-over-socket.ts';
import { isRefusal, type Refusal } from '../cli/refusal.ts';
import { refusedBy } from './processmaster-error.ts';
import { listOf } from './service-names.ts';
import { pause } from './surroundings.ts';

export interface EventsOptions {
  /** Only events with a higher number; without it, what happens from now on. */
  readonly after?: number;
  /** Only those of these services. */
  readonly services?: readonly string[];
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal;
  /** So long is a daemon waited for that does not answer any more; 60 s unless said otherwise. Milliseconds. */
  readonly patience?: number;
  /** Called when events after that number are not kept any more: some were missed. */
  readonly onGap?: (after: number) => void;
}

export interface EventSource {
  readonly address: Address;
  readonly daemon: Pick<ReturnType<typeof daemonAt>, 'events'>;
  readonly now: () => number;
}

const PATIENCE = 60_000;

/** Pauses between two attempts to come back, milliseconds: each twice the one before, up to the second number. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2000;

/** @param ready where the daemon is, and after which number to begin; asked for when the loop is made, not when it is begun */
export async function* followEvents(
  ready: Promise<{ readonly source: EventSource; readonly after: number } | Refusal>,
  options: EventsOptions,
): AsyncGenerator<NumberedEvent, void, void> {
  const begun = await ready;
  if (isRefusal(begun)) {
    if (begun.refused.exit === 'interrupted') return;
    throw refusedBy(begun);
  }
  const { services = [], patience = PATIENCE, onGap } = options;
  const { address, now } = begun.source;
  const { cancel } = address;
  let { after } = begun;
  let lostSince: number | undefined;
  let wait = FIRST_PAUSE;
  while (!cancel.aborted) {
    const stream = eventStream(address, { after, services: listOf(services) });
    let end: Refusal | undefined;
    try {
      for (;;) {
        const next = await stream.next();
        if (next.done === true) {
          end = next.value;
          break;
        }
        lostSince = undefined;
        wait = FIRST_PAUSE;
        const event = next.value as NumberedEvent | { readonly after: number };
        if (!('id' in event)) {
          onGap?.(event.after);
          continue;
        }
        after = event.id;
        yield event;
      }
    } finally {
      await stream.return(undefined);
    }
    if (cancel.aborted) return;
    lostSince ??= now();
    if (end !== undefined && (!comesBack(end) || now() - lostSince >= patience)) throw refusedBy(end);
    await pause(wait, cancel);
    wait = Math.min(wait * 2, LONGEST_PAUSE);
  }
}

/** The number of the newest event; 0 when nothing has happened yet. */
export async function newestEvent({ daemon }: EventSource): Promise<number | Refusal> {
  let newest = 0;
  const end = await daemon.events({ last: 1, follow: false }, ({ id }) => {
    newest = id;
  });
  return end ?? newest;
}

/** A daemon that is started again, or a network that is there again. */
function comesBack({ refused }: Refusal): boolean {
  return ['no_daemon', 'connection_lost', 'no_answer', 'unreachable', 'too_many_listeners'].includes(
    refused.code,
  );
}
