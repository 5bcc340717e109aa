/** Which fast-forward of the checkout was begun and is not known to have ended? Also one of an earlier daemon. */
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Move } from '../world/half-checkout.ts';
import { type Files, isFailure } from '../world/world.ts';
import { newerState, readState, STATE_FORMAT } from './state-format.ts';

const MOST_BYTES = 4096;

/** `sync.json` in the state directory: there only while files are brought in, and on disk before the first of them. */
export class Unfinished {
  readonly #files: Files;
  readonly #path: string;
  #move: Move | undefined;

  constructor(files: Files, stateDirectory: string) {
    this.#files = files;
    this.#path = join(stateDirectory, 'sync.json');
  }

  get move(): Move | undefined {
    return this.#move;
  }

  /**
   * Reads what an earlier daemon left.
   * @returns a Problem when the file is there but cannot be read: what lies in the directory may be half of something
   */
  load(): Problem | undefined {
    const text = this.#files.read(this.#path, MOST_BYTES);
    if (isFailure(text)) return text.failed === 'ENOENT' ? undefined : this.#unreadable(text.failed);
    const state = readState(text);
    if (state.is === 'newer') return newerState(this.#path, state.format);
    this.#move = state.is === 'ours' ? moveOf(state.value['move']) : undefined;
    // It is replaced as a whole: what is damaged was not written by us.
    if (this.#move === undefined) this.#files.remove(this.#path);
    return undefined;
  }

  /** On disk when it answers undefined; otherwise nothing may be begun. */
  begin(move: Move): Problem | undefined {
    const text = `${JSON.stringify({ version: STATE_FORMAT, move })}\n`;
    const failure = this.#files.replace(this.#path, text, { mode: 0o600, durable: true });
    if (failure !== undefined) {
      const message = `${this.#path} cannot be written (${failure.failed}), so nothing was done`;
      return { code: 'state-unwritable', severity: 'error', message };
    }
    this.#move = move;
    return undefined;
  }

  end(): void {
    this.#move = undefined;
    this.#files.remove(this.#path);
  }

  #unreadable(failed: string): Problem {
    return {
      code: 'state-unreadable',
      severity: 'error',
      message: `${this.#path} cannot be read (${failed})`,
      hint: 'mend what keeps it from being read; remove it only if the checkout is as its commit has it',
    };
  }
}

function moveOf(value: unknown): Move | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { branch, from, to, at } = value as Partial<Record<keyof Move, unknown>>;
  const isWhole =
    typeof branch === 'string' &&
    typeof from === 'string' &&
    typeof to === 'string' &&
    typeof at === 'number';
  return isWhole ? { branch, from, to, at } : undefined;
}
