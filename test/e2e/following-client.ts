/** Is everybody answered? A client without retries that asks only whom the daemon calls ready, and asks all the time. */
import { request } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import type { StatusView } from '../../src/api/contract.ts';

export interface FollowingOptions {
  readonly service: string;
  /** `GET /api/status`. */
  readonly status: () => Promise<StatusView>;
  /** Requests that are under way at the same time. */
  readonly inFlight: number;
}

export interface Told {
  readonly answered: number;
  /** One sentence for each request that was not answered. */
  readonly failed: readonly string[];
  /** How often each text was answered. */
  readonly texts: ReadonlyMap<string, number>;
  /** The longest time without any answer. Milliseconds. */
  readonly longestSilence: number;
}

/** What the daemon said is relied on for so long; shorter than the time that a leaving instance serves on. ms. */
const RELIED_ON = 100;

/** Milliseconds. */
const ASKED_EVERY = 20;
const PATIENCE = 10_000;

export class FollowingClient {
  readonly #options: FollowingOptions;
  readonly #work: readonly Promise<void>[];
  readonly #texts = new Map<string, number>();
  readonly #failed: string[] = [];
  #over = false;
  #turn = 0;
  #answered = 0;
  #last = performance.now();
  #longest = 0;
  /** The ports of the ready instances, and when the daemon was asked. */
  #known: { readonly ports: readonly number[]; readonly at: number } = {
    ports: [],
    at: Number.NEGATIVE_INFINITY,
  };

  constructor(options: FollowingOptions) {
    this.#options = options;
    const asking = Array.from({ length: options.inFlight }, () => this.#askOn());
    this.#work = [this.#follow(), ...asking];
  }

  get answered(): number {
    return this.#answered;
  }

  get told(): Told {
    const silence = Math.max(this.#longest, this.#over ? 0 : performance.now() - this.#last);
    return { answered: this.#answered, failed: this.#failed, texts: this.#texts, longestSilence: silence };
  }

  /** Lets what is under way come to its end. */
  async end(): Promise<Told> {
    this.#longest = Math.max(this.#longest, performance.now() - this.#last);
    this.#over = true;
    await Promise.all(this.#work);
    return this.told;
  }

  async #follow(): Promise<void> {
    while (!this.#over) {
      const at = performance.now();
      const { services } = await this.#options.status();
      const service = services.find(({ name }) => name === this.#options.service);
      const ready = service?.instances.filter((instance) => instance.ready) ?? [];
      this.#known = { ports: ready.flatMap(({ port }) => port ?? []), at };
      await after(ASKED_EVERY);
    }
  }

  async #askOn(): Promise<void> {
    while (!this.#over) {
      while (!this.#over && performance.now() - this.#known.at > RELIED_ON) await after(2);
      if (this.#over) return;
      const { ports } = this.#known;
      const port = ports[this.#turn++ % ports.length];
      try {
        if (port === undefined) throw new Error('no instance is ready');
        const text = await get(port);
        this.#texts.set(text, (this.#texts.get(text) ?? 0) + 1);
        this.#answered += 1;
        this.#longest = Math.max(this.#longest, performance.now() - this.#last);
        this.#last = performance.now();
      } catch (error) {
        this.#failed.push(`${new Date().toISOString()} port ${port}: ${String(error)}`);
        await after(10);
      }
    }
  }
}

/** One request over a connection of its own; answers the text, and throws unless it was answered as a whole. */
export function get(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: PATIENCE } as const;
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('aborted', () => reject(new Error('the answer was cut off')));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end();
  });
}
