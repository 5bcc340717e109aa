/** When does the loop run next? It owns the only timer. */
import type { Host } from '../world/host.ts';
import type { Clock } from '../world/world.ts';
import type { Loop } from './loop.ts';

/** However busy the loop is, nobody waits longer than this for it to settle. Milliseconds. */
const PATIENCE = 2000;

/** A pass gives way to other work after this long. Milliseconds. */
const BUDGET = 25;

/** Runs a pass whenever something is due, and when the loop asked to be woken. */
export class Schedule {
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #host: Host;
  #queued = false;
  #running = true;
  #cancel = () => {};
  #idle: { readonly since: number; readonly resolve: () => void }[] = [];

  constructor(loop: Loop, clock: Clock, host: Host) {
    this.#loop = loop;
    this.#clock = clock;
    this.#host = host;
    loop.onDue = () => this.soon();
  }

  /** A pass as soon as the events that are pending now are through. */
  soon(): void {
    if (this.#queued || !this.#running) return;
    this.#queued = true;
    this.#host.soon(() => this.#turn());
  }

  /** Resolves when nothing is due, or when something always is. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push({ since: this.#clock.now(), resolve });
      this.soon();
    });
  }

  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  #turn(): void {
    this.#queued = false;
    if (!this.#running) return;
    this.#cancel();
    const { more, wakeAt } = this.#loop.pass(BUDGET);
    const now = this.#clock.now();
    for (const waiting of this.#idle) if (!more || now - waiting.since > PATIENCE) waiting.resolve();
    if (!more) this.#idle = [];
    if (more) {
      this.soon();
      return;
    }
    if (wakeAt === undefined) return;
    this.#cancel = this.#clock.after(Math.max(0, wakeAt - this.#clock.now()), () => this.soon());
  }
}
