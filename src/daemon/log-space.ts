/** Is there room for what services write? Where their disk is full they go on, and nobody else would tell. */
import { dirname } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { LogCare } from '../world/log-care.ts';
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
  readonly #full = new Set<string>();
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
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const seen = new Set<string>();
    for (const directory of this.#directories) {
      const space = this.#tools.care.space(directory);
      if (space === undefined || seen.has(space.device)) continue;
      seen.add(space.device);
      this.#judge(directory, space.device, space.free < NO_SPACE);
    }
    this.#cancel = this.#tools.clock.after(EVERY, () => this.#look());
  }

  #judge(directory: string, device: string, isFull: boolean): void {
    if (isFull === this.#full.has(device)) return;
    if (!isFull) {
      this.#full.delete(device);
      this.#tools.tell(`there is room for logs again in ${directory}`);
      return;
    }
    this.#full.add(device);
    const message = `no room is left in ${directory}: what services write to their logs there is lost`;
    this.#tools.complain({ code: 'log-disk-full', severity: 'error', message });
  }
}
