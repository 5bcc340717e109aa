/** When does a service run, what happens around that, and what does it wait for, according to a complete tree? */
import { resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { HookSpec, Hooks, ScheduleSpec, ServiceSpec, Watch } from '../model/spec.ts';
import { argv } from './argv.ts';
import type { CompleteService } from './generated/types.ts';
import { type Origin, type Path, pathText, problemAt } from './raw-tree.ts';

type WrittenHook = NonNullable<CompleteService['hooks']['pre_start']>;

/** Reads a part and notes what is wrong with it: a part that is `null` with a problem is not there, but wrong. */
export class LifeReader {
  readonly problems: Problem[] = [];
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  schedule(written: CompleteService['process']['schedule']): ScheduleSpec | null {
    if (written === undefined) return null;
    const { cron, timezone, not_before, not_after, max_time_per_run, ...rest } = written;
    const path = ['process', 'schedule'];
    if (cron === undefined)
      this.#missing([...path, 'cron'], 'when should it run?', 'for example cron: 0 3 * * *');
    if (max_time_per_run === 0) this.#wrong([...path, 'max_time_per_run'], '0 leaves no time to run');
    if (not_before !== undefined && not_after !== undefined && not_after < not_before) {
      this.#wrong([...path, 'not_after'], 'lies before not_before, so that it never runs');
    }
    return {
      cron: cron ?? '',
      timezone: timezone ?? null,
      overlap: rest.overlap,
      missed: rest.missed,
      jitter: rest.jitter,
      not_before: not_before ?? null,
      not_after: not_after ?? null,
      max_time_per_run: max_time_per_run ?? null,
    };
  }

  hooks(written: CompleteService['hooks']): Hooks {
    return {
      pre_start: this.#hook('pre_start', written.pre_start),
      post_start: this.#hook('post_start', written.post_start),
      pre_stop: this.#hook('pre_stop', written.pre_stop),
      post_stop: this.#hook('post_stop', written.post_stop),
    };
  }

  /** @param home where relative paths start; undefined: that is known only when a process starts */
  watch(written: CompleteService['watch'], home: string | undefined): Watch | null {
    if (written === undefined) return null;
    if (written.paths === undefined) {
      this.#missing(['watch', 'paths'], 'what should be watched?', 'for example paths: [src]');
      return null;
    }
    const paths = listOf(written.paths).map((path, index) => {
      if (home !== undefined || path.startsWith('/')) return resolve(home ?? '/', path);
      const at = typeof written.paths === 'string' ? ['watch', 'paths'] : ['watch', 'paths', index];
      const says = 'must be absolute, because process.working_directory is known only when a process starts';
      this.#wrong(at, says);
      return path;
    });
    return { paths, ignore: listOf(written.ignore), debounce: written.debounce };
  }

  #hook(name: keyof Hooks, written: WrittenHook | undefined): HookSpec | null {
    if (written === undefined) return null;
    if (written.command === undefined) {
      this.#missing(['hooks', name, 'command'], 'what should run?', 'for example command: [./hook.sh]');
      return null;
    }
    if (written.timeout === 0) this.#wrong(['hooks', name, 'timeout'], '0 leaves no time to run');
    return { command: argv(written.command), timeout: written.timeout };
  }

  #missing(path: Path, asks: string, hint: string): void {
    const message = `${pathText(path)} is missing: ${asks}`;
    const problem = problemAt(this.#origin, path, { code: 'key-missing', says: asks, hint });
    this.problems.push({ ...problem, message });
  }

  #wrong(path: Path, says: string): void {
    this.problems.push(problemAt(this.#origin, path, { code: 'value-invalid', says }));
  }
}

/** Names in a list must be ready. */
export function dependenciesOf(written: CompleteService['depends_on']): ServiceSpec['depends_on'] {
  if (!Array.isArray(written)) return { ...written };
  return Object.fromEntries(written.map((name) => [name, 'ready' as const]));
}

function listOf(written: string | readonly string[]): readonly string[] {
  return typeof written === 'string' ? [written] : written;
}
