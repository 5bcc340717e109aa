/** Which message goes to a sink next, and which are given up? One at a time, in order. */
import type { Notification, NotifySink } from '../model/notification.ts';
import { retryDelay } from '../policy/notify.ts';
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

interface Waiting {
  readonly notification: Notification;
  readonly since: number;
}

export class NotifyQueue {
  readonly #tools: QueueTools;
  readonly #waiting: Waiting[] = [];
  #current: Waiting | undefined;
  #dropped = 0;
  #attempts = 0;
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: QueueTools) {
    this.#tools = tools;
  }

  get isIdle(): boolean {
    return this.#current === undefined;
  }

  add(notification: Notification): void {
    const { sink, clock } = this.#tools;
    if (this.#isClosed || !sink.events.includes(notification.event)) return;
    this.#waiting.push({ notification, since: clock.now() });
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
    this.#current = this.#waiting.shift();
    this.#attempts = 0;
    if (this.#current !== undefined) this.#attempt(this.#current);
  }

  #attempt({ notification, since }: Waiting): void {
    const { sink, deliver, clock, random } = this.#tools;
    const dropped = this.#dropped;
    const told = dropped === 0 ? notification : { ...notification, dropped };
    this.#cancel = deliver(sink, told, (result: Delivered) => {
      this.#attempts += 1;
      if (result.ok) {
        this.#dropped -= dropped;
        this.#done(notification, undefined);
        return;
      }
      const delay = result.again ? retryDelay(this.#attempts, clock.now() - since, random.next()) : undefined;
      if (delay === undefined) this.#done(notification, result.why);
      else this.#cancel = clock.after(delay, () => this.#attempt({ notification, since }));
    });
  }

  #done(notification: Notification, why: string | undefined): void {
    if (why !== undefined) this.#dropped += 1;
    this.#current = undefined;
    this.#next();
    this.#tools.settled(notification, why);
  }
}
