/** How far have the logs been forwarded? Kept, so that the next daemon goes on there. */
import type { Mark } from '../logs/log-position.ts';
import type { Problem } from '../model/problem.ts';
import { type Files, isFailure } from '../world/world.ts';

/** Bytes; more than any host has logs for. */
const MOST_BYTES = 64 << 20;

/** A mark by the path of its log, as it really is. */
export class ForwardMarks {
  readonly #files: Pick<Files, 'read' | 'replace'>;
  readonly #path: string;
  #marks = new Map<string, Mark>();
  #isChanged = false;

  /** @param path of the file that they are kept in */
  constructor(files: Pick<Files, 'read' | 'replace'>, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** A file that cannot be read back counts as none, with the Problem that says so. */
  load(): Problem | undefined {
    const text = this.#files.read(this.#path, MOST_BYTES);
    if (isFailure(text) && text.failed === 'ENOENT') return undefined;
    const marks = isFailure(text) ? undefined : parsed(text);
    if (marks !== undefined) {
      this.#marks = marks;
      return undefined;
    }
    const message = `${this.#path} cannot be read back: forwarding begins anew at the ends of the logs`;
    return { code: 'state-corrupt', severity: 'warning', message };
  }

  get(path: string): Mark | undefined {
    return this.#marks.get(path);
  }

  set(path: string, mark: Mark): void {
    const known = this.#marks.get(path);
    if (known?.position === mark.position && known.after?.identity === mark.after?.identity) return;
    this.#marks.set(path, mark);
    this.#isChanged = true;
  }

  keepOnly(isKept: (path: string) => boolean): void {
    for (const path of [...this.#marks.keys()]) {
      if (!isKept(path)) this.#isChanged = this.#marks.delete(path);
    }
  }

  /** Atomically; what could not be written is tried again next time. */
  save(): Problem | undefined {
    if (!this.#isChanged) return undefined;
    const text = JSON.stringify({ format: 1, logs: Object.fromEntries(this.#marks) });
    const failure = this.#files.replace(this.#path, `${text}\n`, { mode: 0o600, durable: false });
    if (failure === undefined) this.#isChanged = false;
    if (failure === undefined) return undefined;
    const message = `${this.#path} cannot be written (${failure.failed}): after a restart lines are forwarded again`;
    return { code: 'state-unwritable', severity: 'warning', message };
  }
}

function parsed(text: string): Map<string, Mark> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !isObject(value['logs'])) return undefined;
    const entries = Object.entries(value['logs']);
    return new Map(entries.flatMap(([path, mark]) => (isMark(mark) ? [[path, mark]] : [])));
  } catch {
    return undefined;
  }
}

function isMark(value: unknown): value is Mark {
  if (!isObject(value)) return false;
  const { after, position, tail } = value;
  const isKnown =
    isObject(after) &&
    typeof after['identity'] === 'string' &&
    typeof after['modified'] === 'number' &&
    typeof after['born'] === 'number';
  return (after === null || isKnown) && typeof position === 'number' && typeof tail === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
