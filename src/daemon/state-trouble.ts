/** What is wrong with the state directory beside what is written at this moment, and is told while it lasts? */
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { isSame } from '../model/same.ts';
import type { Clock, Files } from '../world/world.ts';
import type { Reports } from './reports.ts';
import { type Part, RARE, type RarePart } from './state-problems.ts';

/** Something that was lost before this daemon started. */
export interface Lost {
  readonly problem: Problem;
  /** False once somebody has dealt with it. */
  readonly lasts: () => boolean;
}

export interface StateTroubleTools {
  readonly files: Files;
  readonly clock: Pick<Clock, 'after'>;
  readonly stateDirectory: string;
  readonly reports: Pick<Reports, 'lasting'>;
  /** What is written rarely can perhaps be written again; how that went is told by `wrote`. */
  readonly mended: (part: RarePart) => void;
}

/** A part that could not be written is tried again this often. Milliseconds; as with the rest of the state. */
const AGAIN = 10_000;

export class StateTrouble {
  readonly #tools: StateTroubleTools;
  #lost: readonly Lost[] = [];
  readonly #unwritten = new Map<Part, Problem>();
  #cancel: (() => void) | undefined;

  constructor(tools: StateTroubleTools) {
    this.#tools = tools;
  }

  get problems(): readonly Problem[] {
    return [...this.#lost.map(({ problem }) => problem), ...this.#unwritten.values()];
  }

  /** Of which every service may have lost something. */
  get losses(): readonly Problem[] {
    return this.#lost.map(({ problem }) => problem).filter(({ code }) => code === 'state-corrupt');
  }

  /** What was found at the start. */
  found(lost: readonly Lost[]): void {
    this.#lost = lost;
    this.#tools.reports.lasting([], this.problems);
  }

  /** Drops what somebody has dealt with. */
  look(): void {
    const over = this.#lost.filter(({ lasts }) => !lasts());
    if (over.length === 0) return;
    this.#lost = this.#lost.filter((each) => !over.includes(each));
    this.#tools.reports.lasting(
      over.map(({ problem }) => problem),
      [],
    );
  }

  /** @param problem undefined: it was written */
  wrote(part: Part, problem: Problem | undefined): void {
    const before = this.#unwritten.get(part);
    if (isSame(before, problem)) return;
    if (problem === undefined) this.#unwritten.delete(part);
    else this.#unwritten.set(part, problem);
    const listed = (each: Problem | undefined) => (each === undefined ? [] : [each]);
    this.#tools.reports.lasting(listed(before), listed(problem));
    this.#tryAgainLater();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#unwritten.clear();
  }

  #tryAgain(): void {
    this.#cancel = undefined;
    const { files, stateDirectory, mended } = this.#tools;
    for (const part of RARE) {
      if (!this.#unwritten.has(part)) continue;
      const path = join(stateDirectory, part, '.probe');
      const failure = files.replace(path, 'ok\n', { mode: 0o600, durable: false });
      files.remove(path);
      // Where there is room for so little, there may be none for the rest: it is told as mended when that is written.
      if (failure === undefined) mended(part);
    }
    this.#tryAgainLater();
  }

  #tryAgainLater(): void {
    if (!RARE.some((part) => this.#unwritten.has(part))) return;
    this.#cancel ??= this.#tools.clock.after(AGAIN, () => this.#tryAgain());
  }
}
