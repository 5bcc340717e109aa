/** Which logs were kept in order, so that the rotated files of a service that is gone are not forgotten? */
import { isServiceName, type ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import type { RotationSpec } from '../policy/rotation.ts';
import type { LogCare } from '../world/log-care.ts';
import { type Clock, isFailure } from '../world/world.ts';
import type { Wrote } from './state-problems.ts';

/** A log that has rotated files. */
export interface RememberedLog {
  /** Where it really is, absolute. */
  readonly place: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
  readonly services: readonly ServiceName[];
  /** The rules that held last. */
  readonly spec: RotationSpec;
  /** When the newest of the files that rotation made was written last; milliseconds since 1970. */
  readonly newest: number;
}

export interface LogMemoryTools {
  readonly care: Pick<LogCare, 'recall' | 'remember'>;
  readonly clock: Clock;
  readonly complain: (problem: Problem) => void;
  readonly wrote: Wrote;
  readonly logs: () => readonly RememberedLog[];
}

/** After a rotation it is written down within this time: with many logs, once for all of them. Milliseconds. */
const SOON = 10_000;

export class LogMemory {
  readonly #tools: LogMemoryTools;
  #written: string | undefined;
  #isClosed = false;
  #cancel: (() => void) | undefined;

  constructor(tools: LogMemoryTools) {
    this.#tools = tools;
  }

  /** What cannot be read back counts as nothing: then files stay that could go. */
  recall(): readonly RememberedLog[] {
    const text = this.#tools.care.recall();
    this.#written = text === undefined ? textOf([]) : isFailure(text) ? undefined : text;
    if (text === undefined) return [];
    const logs = isFailure(text) ? undefined : parsed(text);
    if (logs !== undefined) return logs;
    const message =
      'what is known of the logs of removed services cannot be read back: their rotated files stay';
    this.#tools.complain({ code: 'state-corrupt', severity: 'warning', message });
    return [];
  }

  changed(): void {
    this.#cancel ??= this.#tools.clock.after(SOON, () => this.#write());
  }

  close(): void {
    this.#isClosed = true;
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#write();
  }

  #write(): void {
    this.#cancel = undefined;
    const text = textOf(this.#tools.logs());
    const { care, wrote } = this.#tools;
    const failure = text === this.#written ? undefined : care.remember(text);
    if (failure === undefined) {
      this.#written = text;
      wrote('rotations', undefined);
      return;
    }
    const message = `it cannot be written down which logs have rotated files (${failure.failed}): those of services that are removed may stay`;
    wrote('rotations', { code: 'state-unwritable', severity: 'warning', message });
    if (!this.#isClosed) this.changed();
  }
}

function textOf(logs: readonly RememberedLog[]): string {
  return `${JSON.stringify({ format: 1, logs })}\n`;
}

function parsed(text: string): readonly RememberedLog[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !Array.isArray(value['logs'])) return undefined;
    return value['logs'].filter(isRemembered);
  } catch {
    return undefined;
  }
}

function isRemembered(value: unknown): value is RememberedLog {
  if (!isObject(value)) return false;
  const { place, credentials, services, spec, newest } = value;
  const isOwn = credentials === null;
  const isUser = isObject(credentials) && areNumbers(credentials['uid'], credentials['gid']);
  return (
    typeof place === 'string' &&
    place.startsWith('/') &&
    (isOwn || isUser) &&
    Array.isArray(services) &&
    services.every((name) => typeof name === 'string' && isServiceName(name)) &&
    isSpec(spec) &&
    areNumbers(newest)
  );
}

/** The rules say which files are removed: one that is not understood removes nothing. */
function isSpec(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { mode, max_age, size, backups, compress } = value;
  return (
    (mode === 'time' || mode === 'size') &&
    (max_age === null || areNumbers(max_age)) &&
    areNumbers(size, backups) &&
    typeof compress === 'boolean'
  );
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'number' && value >= 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
