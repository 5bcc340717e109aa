/** What does the name service of this host (nsswitch.conf(5)) say about a name, and who waits for it? */
import type { Failure } from './world.ts';

export type Database = 'passwd' | 'group';

/** Nobody knows: `late` when there was no answer in time. */
export interface Unanswered extends Failure {
  readonly late: boolean;
}

/** Lines of the database; none when there is surely no such entry. */
export type Said = string | Unanswered;

/** Asks the name service once. */
export interface Getent {
  /** Holds this program up until there is an answer, at most `patience` milliseconds. */
  now(database: Database, name: string, patience: number): Said;
  /** Holds nobody up: `done` is called once, after this call has returned. */
  soon(database: Database, name: string, patience: number, done: (said: Said) => void): void;
}

/** How long an answer is believed; milliseconds. */
const BELIEVED_FOR = 30_000;

/** What could not be asked is asked again so much later at the earliest; milliseconds. */
const AGAIN = 5000;

/** So long everybody waits for a name of which nothing is known; milliseconds. */
const PATIENCE = 2000;

/** So long nobody but the next question waits; milliseconds. */
const PATIENCE_SOON = 10_000;

interface Known {
  readonly said: Said;
  /** By the clock of this service; milliseconds. */
  readonly until: number;
}

interface Question {
  readonly database: Database;
  readonly name: string;
}

/**
 * The last answer stands for as long as there is no newer one. Entries that are known are asked for again in the
 * background; what the answer changes, the next question learns. Others are waited for, as there is nothing to go by.
 * But a directory server that hangs would hold up everything again and again: as soon as one answer comes late, all
 * questions go to the background, until one of them is answered.
 */
export class NameService {
  readonly #getent: Getent;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Asked one after the other, the first of them at this moment. */
  readonly #waiting = new Map<string, Question>();
  #hangs: Unanswered | undefined;

  /** @param now milliseconds, of a clock that is never set */
  constructor(getent: Getent, now: () => number) {
    this.#getent = getent;
    this.#now = now;
  }

  ask(database: Database, name: string): Said {
    const key = `${database} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#now()) return known.said;
    if (this.#hangs !== undefined || !isWorthWaiting(known?.said)) {
      this.#askSoon(key, { database, name });
      return known?.said ?? this.#hangs ?? '';
    }
    return this.#note(key, this.#getent.now(database, name, PATIENCE));
  }

  #askSoon(key: string, question: Question): void {
    const isFirst = this.#waiting.size === 0;
    if (!this.#waiting.has(key)) this.#waiting.set(key, question);
    if (isFirst) this.#askNext();
  }

  #askNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [key, { database, name }] = first;
    this.#getent.soon(database, name, PATIENCE_SOON, (said) => {
      this.#note(key, said);
      this.#waiting.delete(key);
      // The others would only wait as long: who still wants to know asks again.
      if (this.#hangs !== undefined) this.#waiting.clear();
      this.#askNext();
    });
  }

  #note(key: string, said: Said): Said {
    const isAnswer = typeof said === 'string';
    this.#hangs = !isAnswer && said.late ? said : undefined;
    const before = this.#known.get(key)?.said;
    const best = isAnswer || typeof before !== 'string' ? said : before;
    this.#known.set(key, { said: best, until: this.#now() + (isAnswer ? BELIEVED_FOR : AGAIN) });
    return best;
  }
}

/** An entry can be used as it was, and what kept everybody waiting once does so again. */
function isWorthWaiting(said: Said | undefined): boolean {
  return said === undefined || (typeof said === 'string' ? said === '' : !said.late);
}
