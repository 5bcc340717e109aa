/** Is there room for what services write? Where their disk is full they go on, and nobody else would tell. */
import { dirname } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { LogCare, Space } from '../world/log-care.ts';
import type { Clock } from '../world/world.ts';

export interface LogSpaceTools {
  readonly care: Pick<LogCare, 'space'>;
  readonly clock: Clock;
  readonly complain: (problem: Problem) => void;
  /** Something is well again. */
  readonly tell: (message: string) => void;
}

/** Milliseconds between looks. */
const EVERY = 60_000;

/** Less than a page: nothing can be added to a file. Bytes. */
const NO_SPACE = 4096;

/** Looks once a minute at every file system with logs; each that is full is told once. */
export class LogSpace {
  readonly #tools: LogSpaceTools;
  /** By device. */
  readonly #full = new Map<string, Problem>();
  /** The device of each directory that was looked at. */
  readonly #devices = new Map<string, string>();
  #directories: ReadonlySet<string> = new Set();
  #cancel = () => {};

  constructor(tools: LogSpaceTools) {
    this.#tools = tools;
  }

  /** @param paths of all logs, absolute */
  watch(paths: Iterable<string>): void {
    this.#directories = new Set([...paths].map((path) => dirname(path)));
    this.#cancel();
    if (this.#directories.size > 0) this.#look();
    else this.#full.clear();
  }

  close(): void {
    this.#cancel();
  }

  /** One for each file system that is full. */
  get problems(): readonly Problem[] {
    return [...this.#full.values()];
  }

  /** Those of them that some of these logs are on. */
  problemsOf(paths: readonly string[]): readonly Problem[] {
    if (this.#full.size === 0) return [];
    const devices = new Set(paths.map((path) => this.#devices.get(dirname(path))));
    return [...this.#full].flatMap(([device, problem]) => (devices.has(device) ? [problem] : []));
  }

  #look(): void {
    const seen = new Set<string>();
    this.#devices.clear();
    for (const directory of this.#directories) {
      const space = this.#tools.care.space(directory);
      if (space === undefined) continue;
      this.#devices.set(directory, space.device);
      if (seen.has(space.device)) continue;
      seen.add(space.device);
      this.#judge(directory, space);
    }
    // What nobody writes to any more is nobody's trouble.
    for (const device of this.#full.keys()) if (!seen.has(device)) this.#full.delete(device);
    this.#cancel = this.#tools.clock.after(EVERY, () => this.#look());
  }

  #judge(directory: string, { device, free, freeForRoot }: Space): void {
    const before = this.#full.get(device);
    if (free >= NO_SPACE) {
      if (!this.#full.delete(device)) return;
      this.#tools.tell(`there is room for logs again in ${directory}`);
      return;
    }
    const message =
      freeForRoot < NO_SPACE
        ? `no room is left in ${directory}: what services write to their logs there is lost`
        : `no room is left in ${directory} but what is kept for root: what services of other users write to their logs there is lost`;
    if (before?.message === message) return;
    const problem: Problem = { code: 'log-disk-full', severity: 'error', message };
    this.#full.set(device, problem);
    this.#tools.complain(problem);
  }
}
