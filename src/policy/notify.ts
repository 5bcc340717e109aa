/** Which messages follow from how things are now, and from what people were told before? */
import type { NotificationName } from '../model/notification.ts';

/** What may be in trouble: a service in two ways, the configuration, the guard. */
export type Trouble = 'failed' | 'rolled_back' | 'configuration_invalid' | 'prune_held';

/** How something is now. */
export type Sight =
  | { readonly is: 'well' }
  /** `mark` tells one incident from the next of the same kind. */
  | { readonly is: 'in_trouble'; readonly mark: string; readonly detail: string }
  /** Nobody wants it any more: the trouble is over, though nothing was mended. */
  | { readonly is: 'unwanted'; readonly detail: string }
  /** Under way, or nobody could look: whatever was told holds. */
  | { readonly is: 'unclear' };

export interface Subject {
  readonly trouble: Trouble;
  /** undefined: the whole. */
  readonly service?: string;
  readonly sight: Sight;
}

/** What was told and is not over, by {@link keyOf}. */
export type Told = Readonly<Record<string, { readonly mark: string; readonly at: number }>>;

export interface Message {
  readonly event: NotificationName;
  readonly service?: string;
  readonly message: string;
  /** Since when the trouble that is over was known; milliseconds since 1970. */
  readonly since?: number;
}

/** Which message ends a trouble. */
const ENDS: Readonly<Record<Trouble, NotificationName>> = {
  failed: 'recovered',
  rolled_back: 'recovered',
  configuration_invalid: 'configuration_fixed',
  prune_held: 'prune_released',
};

/** What a message that ends a trouble says of it. */
const OVER: Readonly<Record<Trouble, string>> = {
  failed: 'runs again',
  rolled_back: 'runs by its newest definition',
  configuration_invalid: 'the configuration has no errors any more',
  prune_held: 'no removal is held back any more',
};

/**
 * One message when a trouble begins, none while it lasts, one when it is over.
 * @param subjects everything there is to look at: what was told of anything else is over
 * @param now milliseconds since 1970
 */
export function notify(
  told: Told,
  subjects: readonly Subject[],
  now: number,
): { readonly told: Told; readonly messages: readonly Message[] } {
  const next: Record<string, Told[string]> = {};
  const messages: Message[] = [];
  const seen = new Set<string>();
  for (const { trouble, service, sight } of subjects) {
    const key = keyOf(trouble, service);
    seen.add(key);
    const before = told[key];
    switch (sight.is) {
      case 'in_trouble':
        next[key] = before?.mark === sight.mark ? before : { mark: sight.mark, at: now };
        if (before?.mark !== sight.mark) messages.push(begun(trouble, service, sight.detail));
        break;
      case 'unclear':
        if (before !== undefined) next[key] = before;
        break;
      case 'well':
      case 'unwanted': {
        const detail = sight.is === 'well' ? overOf(trouble, service) : sight.detail;
        if (before !== undefined) messages.push(ended(trouble, service, detail, before.at));
        break;
      }
    }
  }
  for (const [key, { at }] of Object.entries(told)) {
    if (seen.has(key)) continue;
    const { trouble, service } = subjectOf(key);
    if (trouble !== undefined) messages.push(ended(trouble, service, 'is not there any more', at));
  }
  return { told: next, messages };
}

function overOf(trouble: Trouble, service: string | undefined): string {
  return trouble === 'rolled_back' && service === undefined ? 'the files are followed again' : OVER[trouble];
}

/** `failed web`, `prune_held`. */
export function keyOf(trouble: Trouble, service: string | undefined): string {
  return service === undefined ? trouble : `${trouble} ${service}`;
}

function subjectOf(key: string): {
  readonly trouble: Trouble | undefined;
  readonly service: string | undefined;
} {
  const [trouble = '', service] = key.split(' ');
  return { trouble: trouble in ENDS ? (trouble as Trouble) : undefined, service };
}

function begun(event: Trouble, service: string | undefined, detail: string): Message {
  return { event, ...named(service), message: service === undefined ? detail : `${service}: ${detail}` };
}

function ended(trouble: Trouble, service: string | undefined, detail: string, since: number): Message {
  const message = service === undefined ? detail : `${service}: ${detail}`;
  return { event: ENDS[trouble], ...named(service), message, since };
}

function named(service: string | undefined): { readonly service?: string } {
  return service === undefined ? {} : { service };
}

/** The first pause after an attempt that failed, and the longest. Milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** After so long a message is given up; milliseconds since the first attempt. */
const GIVEN_UP = 180_000;

/**
 * How long a sink is left alone: doubling, and by chance between half of it and all, so that not everybody comes back at
 * once.
 * @param attempts in a row that failed, at least one
 * @param chance 0 <= chance < 1
 */
export function pauseAfter(attempts: number, chance: number): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(attempts - 1, 20), LONGEST_PAUSE);
  return Math.round(pause / 2 + (pause / 2) * chance);
}

/**
 * How long to wait before the next attempt with the same message.
 * @param since its first attempt, milliseconds
 * @returns undefined: no more
 */
export function retryDelay(attempts: number, since: number, chance: number): number | undefined {
  const delay = pauseAfter(attempts, chance);
  return since + delay > GIVEN_UP ? undefined : delay;
}
