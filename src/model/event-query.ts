/** Which events does somebody ask for? */
import type { NumberedEvent } from './action.ts';

export interface EventQuery {
  /** Only events with a higher number. */
  readonly after?: number;
  /** Only events from then on; milliseconds since 1970. */
  readonly since?: number;
  /** Empty: all, also those of the manager itself. */
  readonly services: readonly string[];
  /** Only the last so many of what the rest selects. */
  readonly last?: number;
}

/** Some events, oldest first, and the number of the last one that was looked at for them. */
export interface EventPage {
  readonly events: readonly NumberedEvent[];
  readonly upTo: number;
}

/** All but `last`. */
export function isMeant(event: NumberedEvent, { after, since, services }: EventQuery): boolean {
  if (after !== undefined && event.id <= after) return false;
  if (since !== undefined && event.at < since) return false;
  return services.length === 0 || (event.service !== undefined && services.includes(event.service));
}
