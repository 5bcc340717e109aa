/** When is one service restarted for its changed files, and what is told of one that changes them itself? */
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { firstAndMore } from '../model/shown-words.ts';
import { printDuration } from '../model/units.ts';
import { brake, LONGEST_WAIT, NO_ROW, type QuickRow, rowEnds } from '../policy/watch-brake.ts';
import type { RunTimes } from '../reconcile/run-times.ts';
import type { Clock } from '../world/world.ts';

export interface Restart {
  /** How many have changed. */
  readonly files: number;
  /** The first of them, in words. */
  readonly shown: string;
}

export interface WatchRestartsTools {
  readonly service: ServiceName;
  /** Milliseconds. */
  readonly debounce: number;
  readonly clock: Clock;
  readonly times: () => RunTimes;
  readonly restart: (restart: Restart) => void;
  readonly lasting: (before: readonly Problem[], now: readonly Problem[]) => void;
}

/** More files than this are counted only. */
const MOST_NAMED = 3;

export class WatchRestarts {
  readonly #tools: WatchRestartsTools;
  #row: QuickRow = NO_ROW;
  #problems: readonly Problem[] = [];
  #askedAt = 0;
  /** When the newest change was told. */
  #changedAt = 0;
  /** What has changed since the last restart. */
  readonly #changed = new Set<string>();
  #cancel: (() => void) | undefined;
  #cancelCalm: (() => void) | undefined;

  constructor(tools: WatchRestartsTools) {
    this.#tools = tools;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  changed(files: readonly string[]): void {
    const { clock, debounce, times } = this.#tools;
    const { startedAt, goneAt } = times();
    const now = clock.now();
    const age = now - Math.max(this.#askedAt, startedAt);
    const gone = goneAt === undefined ? 0 : now - goneAt;
    const waits = this.#cancel !== undefined;
    const { row, wait } = brake(this.#row, { files, age, debounce, gone, waits });
    this.#row = row;
    this.#changedAt = now;
    for (const file of files) this.#changed.add(file);
    if (wait === 0) this.#restart();
    else this.#cancel ??= clock.after(wait, () => this.#waited());
    if (row.length === 0) this.#tell([]);
    else if (wait > 0 && this.#problems.length === 0) this.#tell([this.#problem(files)]);
    this.#awaitCalm();
  }

  close(): void {
    this.#taken();
    this.#cancelCalm?.();
    this.#tell([]);
  }

  #waited(): void {
    const { renewedAt, isPrepared } = this.#tools.times();
    // Somebody else has started it meanwhile, with all that had changed.
    if (!isPrepared && renewedAt > this.#changedAt) this.#taken();
    else this.#restart();
    this.#awaitCalm();
  }

  /** No change comes to say that there are no more changes: a row that was told of ends by itself. */
  #awaitCalm(delay = rowEnds(this.#tools.debounce)): void {
    this.#cancelCalm?.();
    const isTold = this.#problems.length > 0;
    const waits = this.#cancel !== undefined;
    this.#cancelCalm = isTold && !waits ? this.#tools.clock.after(delay, () => this.#calm()) : undefined;
  }

  #calm(): void {
    const { clock, debounce, times } = this.#tools;
    const { startedAt, goneAt, renewedAt } = times();
    // What takes its time to stop may change them when it is started again.
    const isUnderWay = goneAt === undefined && renewedAt < this.#askedAt;
    const left = rowEnds(debounce) - (clock.now() - Math.max(this.#askedAt, startedAt));
    if (isUnderWay) this.#awaitCalm();
    else if (left > 0) this.#awaitCalm(left);
    else {
      this.#row = NO_ROW;
      this.#tell([]);
    }
  }

  /** What has changed, and waits no longer. */
  #taken(): readonly string[] {
    this.#cancel?.();
    this.#cancel = undefined;
    const files = [...this.#changed];
    this.#changed.clear();
    return files;
  }

  #restart(): void {
    const files = this.#taken();
    this.#askedAt = this.#tools.clock.now();
    this.#tools.restart({ files: files.length, shown: firstAndMore(files, MOST_NAMED) });
  }

  #problem(files: readonly string[]): Problem {
    const [are, them] = files.length === 1 ? ['is', 'it'] : ['are', 'them'];
    return {
      code: 'watch-restless',
      severity: 'warning',
      service: this.#tools.service,
      message: `${firstAndMore(files, MOST_NAMED)} ${are} changed by the service itself, or all the time: restarts for ${them} wait, up to ${printDuration(LONGEST_WAIT)}`,
      hint: `add ${them} to watch.ignore`,
    };
  }

  #tell(problems: readonly Problem[]): void {
    if (problems.length === 0 && this.#problems.length === 0) return;
    this.#tools.lasting(this.#problems, problems);
    this.#problems = problems;
  }
}
