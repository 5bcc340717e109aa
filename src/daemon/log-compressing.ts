/** When is a rotated file compressed, and when is it tried again after it could not be? */
import { dirname } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { CaredLog, LogCare } from '../world/log-care.ts';
import type { Clock } from '../world/world.ts';

/** A log, and where it really is. */
export interface CompressedLog extends CaredLog {
  readonly place: string;
}

export interface CompressingTools {
  readonly care: Pick<LogCare, 'compress' | 'space'>;
  readonly clock: Clock;
  readonly isRotated: (base: string, name: string) => boolean;
  readonly complain: (log: CompressedLog, problem: Problem) => void;
  /** Something is well again. */
  readonly tell: (message: string) => void;
  /** One is compressed, or could not be. */
  readonly ended: (place: string) => void;
}

interface Trouble {
  readonly problem: Problem;
  /** Bytes that have to be free; null: that would not help. */
  readonly needs: number | null;
  /** Milliseconds, and by the clock on the wall. */
  readonly pause: number;
  readonly until: number;
}

/** With each failure the pause becomes twice as long. Milliseconds. */
const PAUSE = 30_000;
const LONGEST_PAUSE = 3600_000;

/** How often it is looked for room, which costs next to nothing. Milliseconds. */
const LOOK = 30_000;

export class Compressing {
  readonly #tools: CompressingTools;
  readonly #busy = new Set<string>();
  readonly #troubles = new Map<string, Trouble>();
  #isClosed = false;

  constructor(tools: CompressingTools) {
    this.#tools = tools;
  }

  /** Answers when to ask again, milliseconds since 1970; null: it is under way, and `ended` will be called. */
  begin(log: CompressedLog, name: string): number | null {
    if (this.#busy.has(log.place)) return null;
    const now = this.#tools.clock.wall();
    const trouble = this.#troubles.get(log.place);
    const left = (trouble?.until ?? now) - now;
    // Where the clock was set back since, nobody waits for it.
    if (left > 0 && left <= LONGEST_PAUSE) return now + left;
    if (trouble !== undefined && trouble.needs !== null) {
      const space = this.#tools.care.space(dirname(log.place));
      if (space !== undefined && space.free < trouble.needs) return now + LOOK;
    }
    this.#busy.add(log.place);
    void this.#compress(log, name);
    return null;
  }

  isBusy(place: string): boolean {
    return this.#busy.has(place);
  }

  /** Why rotated files of this log are not compressed. */
  problem(place: string): Problem | undefined {
    return this.#troubles.get(place)?.problem;
  }

  /** Nothing of it is left to be compressed. */
  forget(place: string): void {
    this.#troubles.delete(place);
  }

  /** Says nothing any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #compress(log: CompressedLog, name: string): Promise<void> {
    const { care, clock, isRotated } = this.#tools;
    const answer = await care.compress(log, name, isRotated).catch((error: unknown) => brokenOf(log, error));
    this.#busy.delete(log.place);
    if (this.#isClosed) return;
    const before = this.#troubles.get(log.place);
    const problem = 'code' in answer ? answer : answer.kind === 'no-room' ? noRoom(log) : undefined;
    if (problem === undefined) {
      this.#troubles.delete(log.place);
      if (before !== undefined) this.#tools.tell(`rotated files of ${log.path} are compressed again`);
    } else {
      const pause = before === undefined ? PAUSE : Math.min(LONGEST_PAUSE, before.pause * 2);
      const needs = 'code' in answer || answer.kind !== 'no-room' ? null : answer.bytes;
      const until = clock.wall() + (needs === null ? pause : LOOK);
      this.#troubles.set(log.place, { problem, needs, pause, until });
      if (before?.problem.message !== problem.message) this.#tools.complain(log, problem);
    }
    this.#tools.ended(log.place);
  }
}

function noRoom({ path, place }: CompressedLog): Problem {
  return {
    code: 'log-not-rotated',
    severity: 'error',
    message: `rotated files of ${path} are not compressed: there is too little room in ${dirname(place)}`,
    hint: 'they stay as they are, and are compressed when there is room',
  };
}

function brokenOf({ path }: CompressedLog, error: unknown): Problem {
  const message = `rotated files of ${path} cannot be compressed: ${String(error)}`;
  return { code: 'log-not-rotated', severity: 'error', message };
}
