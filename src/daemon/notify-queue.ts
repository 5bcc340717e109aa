/** Which message goes to a sink next, and which are given up? One at a time, in order. */
import type { Notification, NotifySink } from '../model/notification.ts';
import { pauseAfter, retryDelay } from '../policy/notify.ts';
import type { Clock, Random } from '../world/world.ts';
import type { Deliver, Delivered } from './notify-delivery.ts';

export interface QueueTools {
  readonly sink: NotifySink;
  readonly deliver: Deliver;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly random: Random;
  /** A message is done with: `why` it was given up, or undefined. */
  readonly settled: (notification: Notification, why: string | undefined) => void;
}

/** Messages that wait; the oldest ones give way. */
export const MOST_WAITING = 100;

export class NotifyQueue {
  readonly #tools: QueueTools;
  readonly #waiting: Notification[] = [];
  #current: Notification | undefined;
  #dropped = 0;
  /** Attempts in a row that the sink did not take, of whichever message. */
  #failures = 0;
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: QueueTools) {
    this.#tools = tools;
  }

  get isIdle(): boolean {
    return this.#current === undefined;
  }

  add(notification: Notification): void {
    if (this.#isClosed || !this.#tools.sink.events.includes(notification.event)) return;
    this.#waiting.push(notification);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #next(): void {
    if (this.#current !== undefined || this.#isClosed) return;
    const next = this.#waiting.shift();
    this.#current = next;
    if (next === undefined) {
      // Whoever comes later finds a sink of which nothing is known.
      this.#failures = 0;
      return;
    }
    const { clock, random } = this.#tools;
    // The time of each message begins with its own first attempt, and a sink that is down is not asked sooner for it.
    if (this.#failures === 0) this.#attempt(next, clock.now());
    else {
      const pause = pauseAfter(this.#failures, random.next());
      this.#cancel = clock.after(pause, () => this.#attempt(next, clock.now()));
    }
  }

  #attempt(notification: Notification, since: number): void {
    const { sink, deliver, clock, random } = this.#tools;
    const dropped = this.#dropped;
    const told = dropped === 0 ? notification : { ...notification, dropped };
    this.#cancel = deliver(sink, told, (result: Delivered) => {
      this.#failures = result.ok || !result.again ? 0 : this.#failures + 1;
      if (result.ok) {
        this.#dropped -= dropped;
        this.#done(notification, undefined);
        return;
      }
      const delay = result.again ? retryDelay(this.#failures, clock.now() - since, random.next()) : undefined;
      if (delay === undefined) this.#done(notification, result.why);
      else this.#cancel = clock.after(delay, () => this.#attempt(notification, since));
    });
  }

  #done(notification: Notification, why: string | undefined): void {
    if (why !== undefined) this.#dropped += 1;
    this.#current = undefined;
    this.#next();
    this.#tools.settled(notification, why);
  }
}
