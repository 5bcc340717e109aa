/** Where does a simulated daemon keep its state? A file system in memory that can be full. */
import type { Failure, FileStatus, Files } from '../../src/world/world.ts';
import type { Injector } from './injector.ts';

export class MemoryFiles implements Files {
  readonly contents = new Map<string, string>();
  /** Every write fails with this code. */
  failing: string | undefined;
  /** How often a write has failed. */
  failures = 0;
  readonly #injector: Injector;
  #version = 0;
  readonly #versions = new Map<string, number>();

  constructor(injector: Injector) {
    this.#injector = injector;
  }

  status(path: string): FileStatus | Failure {
    const text = this.contents.get(path);
    const base = { uid: 0, gid: 0 };
    if (text !== undefined) {
      const version = String(this.#versions.get(path) ?? 0);
      return { ...base, kind: 'file', size: text.length, mode: 0o600, version };
    }
    return this.list(path).length > 0
      ? { ...base, kind: 'directory', size: 0, mode: 0o700, version: '' }
      : { failed: 'ENOENT' };
  }

  list(directory: string): readonly string[] {
    const names = [...this.contents.keys()]
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => path.slice(directory.length + 1).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }

  read(path: string, limit: number): string | Failure {
    const text = this.contents.get(path);
    if (text === undefined) return { failed: 'ENOENT' };
    return text.length > limit ? { failed: 'EFBIG' } : text;
  }

  replace(path: string, text: string): Failure | undefined {
    return this.#injector.perform(`write ${path}`, () => {
      if (this.failing !== undefined) {
        this.failures += 1;
        return { failed: this.failing };
      }
      this.set(path, text);
      return undefined;
    });
  }

  async settle(): Promise<void> {
    // What was written here is never lost.
  }

  remove(path: string): Failure | undefined {
    return this.#injector.perform(`remove ${path}`, () =>
      this.contents.delete(path) ? undefined : { failed: 'ENOENT' },
    );
  }

  executable(): boolean {
    return true;
  }

  /** By somebody else than the daemon. */
  set(path: string, text: string): void {
    this.#version += 1;
    this.#versions.set(path, this.#version);
    this.contents.set(path, text);
  }
}
