/** Is the directory followed, or what else is in force instead of it, since when, and by whom? */
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { type Files, isFailure } from '../world/world.ts';
import { newerState, readState, STATE_FORMAT } from './state-format.ts';
import { writeAdvice } from './state-problems.ts';

/** A text of the directory; the path is relative to it. */
export interface KeptText {
  readonly path: string;
  readonly text: string;
}

export interface Frozen {
  /** Id of the snapshot. */
  readonly snapshot: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly by: string;
  /** One sentence. */
  readonly reason: string;
  /** null: what was in force cannot be read back. */
  readonly texts: readonly KeptText[] | null;
  /** An update failed, which a newer commit may mend; absent: somebody wants it so. */
  readonly failed?: true;
}

/** What somebody has to know who would follow the files. */
export interface Hold {
  /** One sentence. */
  readonly text: string;
  /** No longer than until a newer commit is there. */
  readonly untilNewer: boolean;
}

/** What ends it. */
export const THAWS = 'pmctl resume or pmctl update follows the files again';

/** Bytes: a thousand service files of the largest size are no configuration. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * `frozen.json` in the state directory. It holds the texts themselves, so that being frozen depends on one file only,
 * which is replaced as a whole and is on disk before anything is done about it.
 */
export class Freeze {
  readonly problems: Problem[] = [];
  readonly #files: Files;
  readonly #path: string;
  readonly #directory: string;
  #frozen: Frozen | undefined;

  constructor(files: Files, stateDirectory: string, configDirectory: string) {
    this.#files = files;
    this.#path = join(stateDirectory, 'frozen.json');
    this.#directory = configDirectory;
  }

  get state(): Frozen | undefined {
    return this.#frozen;
  }

  /** Why the files are not followed; undefined: they are. */
  get hold(): Hold | undefined {
    if (this.#frozen === undefined) return undefined;
    const { snapshot, since, by, reason, texts, failed } = this.#frozen;
    if (texts === null) return { text: `the files are not followed: ${reason}`, untilNewer: false };
    const when = new Date(since).toISOString();
    const text = `the files are not followed: frozen at snapshot ${snapshot} since ${when} by ${by} (${reason})`;
    return { text, untilNewer: failed === true };
  }

  /** What is to be read instead of the files; undefined: the files. */
  get texts():
    | readonly { readonly file: string; readonly text: string }[]
    | { readonly unknown: string }
    | undefined {
    if (this.#frozen === undefined) return undefined;
    const { texts } = this.#frozen;
    if (texts === null) return { unknown: `is not followed: ${this.#path} cannot be read back` };
    return texts.map(({ path, text }) => ({ file: join(this.#directory, path), text }));
  }

  /**
   * Reads what an earlier daemon left. Damage is taken for frozen at what was in force last: following files that
   * somebody has turned away from would do harm.
   * @returns a Problem when the file is there but cannot be read: nothing may be decided then
   */
  load(): Problem | undefined {
    const text = this.#files.read(this.#path, MOST_BYTES);
    if (isFailure(text)) return text.failed === 'ENOENT' ? undefined : this.#unreadable(text.failed);
    const state = readState(text);
    if (state.is === 'newer') return newerState(this.#path, state.format);
    if (state.is === 'ours' && state.value['frozen'] === null) return undefined;
    this.#frozen = state.is === 'ours' ? frozenOf(state.value['frozen']) : undefined;
    if (this.#frozen !== undefined) return undefined;
    this.#frozen = { ...UNKNOWN };
    this.problems.push({
      code: 'state-corrupt',
      severity: 'error',
      message: `${this.#path} cannot be read back, so the files are not followed`,
      hint: 'what runs goes on as it is; pmctl resume follows the files again',
    });
    return undefined;
  }

  /** On disk when it answers undefined; otherwise nothing has changed. */
  set(frozen: Frozen): Problem | undefined {
    return this.#write(frozen);
  }

  clear(): Problem | undefined {
    return this.#frozen === undefined ? undefined : this.#write(undefined);
  }

  #write(frozen: Frozen | undefined): Problem | undefined {
    const text = `${JSON.stringify({ version: STATE_FORMAT, frozen: frozen ?? null })}\n`;
    const failure = this.#files.replace(this.#path, text, { mode: 0o600, durable: true });
    if (failure === undefined) {
      this.#frozen = frozen;
      return undefined;
    }
    return {
      code: 'state-unwritable',
      severity: 'error',
      message: `${this.#path} cannot be written (${failure.failed}), so nothing was done`,
      hint: writeAdvice(failure.failed),
    };
  }

  #unreadable(failed: string): Problem {
    return {
      code: 'state-unreadable',
      severity: 'error',
      message: `${this.#path} cannot be read (${failed})`,
      hint: 'mend what keeps it from being read; remove it only if the files are to be followed',
    };
  }
}

const UNKNOWN: Frozen = {
  snapshot: 'unknown',
  since: 0,
  by: 'unknown',
  reason: 'what was rolled back to cannot be read back',
  texts: null,
};

function frozenOf(value: unknown): Frozen | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { snapshot, since, by, reason, texts, failed } = value as Partial<Record<keyof Frozen, unknown>>;
  const whole =
    typeof snapshot === 'string' &&
    typeof since === 'number' &&
    typeof by === 'string' &&
    typeof reason === 'string' &&
    Array.isArray(texts) &&
    texts.every(isText);
  return whole ? { snapshot, since, by, reason, texts, ...(failed === true ? { failed } : {}) } : undefined;
}

function isText(value: unknown): value is KeptText {
  if (typeof value !== 'object' || value === null || !('path' in value) || !('text' in value)) return false;
  return typeof value.path === 'string' && typeof value.text === 'string';
}
