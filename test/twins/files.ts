/** A file system in memory: directories, symbolic links, modes, odd files, and calls that fail when told to. */
import { posix } from 'node:path';
import type { Credentials } from '../../src/model/spec.ts';
import type { Failure, FileMaking, FileStatus, Files } from '../../src/world/world.ts';

type Node =
  | { readonly kind: 'file'; text: string; mode: number; version: number; readonly inode: number }
  | { readonly kind: 'directory'; readonly names: Map<string, Node>; version: number; readonly inode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other'; readonly inode: number };

/** What stands at a path once links are followed. */
type Found = Exclude<Node, { kind: 'link' }> | 'loop' | undefined;

export type Call = 'status' | 'list' | 'read' | 'replace' | 'remove' | 'create';

/** Links followed before ELOOP, as in path_resolution(7). */
const MOST_LINKS = 40;

export class TwinFiles implements Files, FileMaking {
  /** Every call, as `read /etc/web.yaml`. */
  readonly calls: string[] = [];
  readonly #root: Extract<Node, { kind: 'directory' }>;
  readonly #faults = new Map<string, string>();
  readonly #surprises = new Map<string, () => void>();
  #count = 0;

  /** @param texts files by absolute path; parents are made */
  constructor(texts: Readonly<Record<string, string>> = {}) {
    this.#root = this.#directory();
    for (const [path, text] of Object.entries(texts)) this.write(path, text);
  }

  // What somebody else does to the files.

  write(path: string, text: string, mode = 0o644): void {
    const parent = this.#parent(path);
    const name = posix.basename(path);
    const old = parent.names.get(name);
    if (old?.kind === 'file') {
      old.text = text;
      old.mode = mode;
      old.version = ++this.#count;
    } else {
      this.#put(path, { kind: 'file', text, mode, version: ++this.#count, inode: ++this.#count });
    }
  }

  mkdir(path: string): void {
    if (posix.basename(path) !== '') this.#put(path, this.#directory());
  }

  link(path: string, target: string): void {
    this.#put(path, { kind: 'link', target });
  }

  /** A fifo, socket or device. */
  odd(path: string): void {
    this.#put(path, { kind: 'other', inode: ++this.#count });
  }

  delete(path: string): void {
    const parent = this.#parent(path);
    parent.version = ++this.#count;
    parent.names.delete(posix.basename(path));
  }

  rename(from: string, to: string): void {
    const node = this.#parent(from).names.get(posix.basename(from));
    if (node === undefined) throw new Error(`no ${from}`);
    this.delete(from);
    this.#put(to, node);
  }

  /** The call fails with this code until it is mended with undefined. */
  fail(call: Call, path: string, code: string | undefined): void {
    if (code === undefined) this.#faults.delete(`${call} ${path}`);
    else this.#faults.set(`${call} ${path}`, code);
  }

  /** Something happens right after the next such call. */
  after(call: Call, path: string, happens: () => void): void {
    this.#surprises.set(`${call} ${path}`, happens);
  }

  /** The text of a file, undefined when there is none. */
  text(path: string): string | undefined {
    const node = this.#find(path);
    return typeof node === 'object' && node.kind === 'file' ? node.text : undefined;
  }

  // The port.

  status(path: string): FileStatus | Failure {
    return this.#call('status', path, () => {
      const node = this.#find(path);
      if (node === undefined) return { failed: 'ENOENT' };
      if (node === 'loop') return { failed: 'ELOOP' };
      const size = node.kind === 'file' ? Buffer.byteLength(node.text) : 0;
      const version = `${node.inode}.${node.kind === 'other' ? 0 : node.version}`;
      const mode = node.kind === 'file' ? node.mode : 0o755;
      return { kind: node.kind, size, mode, uid: 0, gid: 0, version };
    });
  }

  list(directory: string): readonly string[] | Failure {
    return this.#call('list', directory, () => {
      const node = this.#find(directory);
      if (node === undefined) return { failed: 'ENOENT' };
      if (node === 'loop') return { failed: 'ELOOP' };
      return node.kind === 'directory' ? [...node.names.keys()].sort() : { failed: 'ENOTDIR' };
    });
  }

  read(path: string, limit: number): string | Failure {
    return this.#call('read', path, () => {
      const node = this.#find(path);
      if (node === undefined) return { failed: 'ENOENT' };
      if (node === 'loop') return { failed: 'ELOOP' };
      if (node.kind === 'directory') return { failed: 'EISDIR' };
      if (node.kind !== 'file') return { failed: 'ENOTREG' };
      return Buffer.byteLength(node.text) > limit ? { failed: 'EFBIG' } : node.text;
    });
  }

  replace(path: string, text: string, options: { mode: number }): Failure | undefined {
    return this.#call('replace', path, () => {
      this.#put(path, {
        kind: 'file',
        text,
        mode: options.mode,
        version: ++this.#count,
        inode: ++this.#count,
      });
      return undefined;
    });
  }

  async settle(_paths: readonly string[]): Promise<void> {
    // What was written here is never lost.
  }

  create(path: string, text: string, options: { mode: number }): Failure | undefined {
    return this.#call('create', path, () => {
      if (this.#parent(path).names.has(posix.basename(path))) return { failed: 'EEXIST' };
      this.write(path, text, options.mode);
      return undefined;
    });
  }

  linkTarget(path: string): string | undefined | Failure {
    const node = this.#parent(path).names.get(posix.basename(path));
    if (node === undefined) return { failed: 'ENOENT' };
    return node.kind === 'link' ? node.target : undefined;
  }

  remove(path: string): Failure | undefined {
    return this.#call('remove', path, () => {
      if (!this.#parent(path).names.has(posix.basename(path))) return { failed: 'ENOENT' };
      this.delete(path);
      return undefined;
    });
  }

  executable(path: string, _credentials: Credentials | null): boolean {
    const node = this.#find(path);
    return typeof node === 'object' && node.kind === 'file' && (node.mode & 0o111) !== 0;
  }

  #call<Answer>(call: Call, path: string, perform: () => Answer): Answer | Failure {
    const key = `${call} ${path}`;
    this.calls.push(key);
    const failed = this.#faults.get(key);
    const answer = failed === undefined ? perform() : { failed };
    const surprise = this.#surprises.get(key);
    this.#surprises.delete(key);
    surprise?.();
    return answer;
  }

  #put(path: string, node: Node): void {
    const parent = this.#parent(path);
    parent.version = ++this.#count;
    parent.names.set(posix.basename(path), node);
  }

  /** The directory that holds this path; made when it is missing. */
  #parent(path: string): Extract<Node, { kind: 'directory' }> {
    const directory = posix.dirname(path);
    if (directory === '/') return this.#root;
    const found = this.#find(directory);
    if (typeof found === 'object' && found.kind === 'directory') return found;
    if (found !== undefined) throw new Error(`${directory} is no directory`);
    this.mkdir(directory);
    return this.#parent(path);
  }

  #find(path: string, links = 0): Found {
    let node: Exclude<Node, { kind: 'link' }> = this.#root;
    let at = '/';
    for (const name of posix.resolve(path).split('/').filter(Boolean)) {
      const child: Node | undefined = node.kind === 'directory' ? node.names.get(name) : undefined;
      if (child === undefined) return undefined;
      if (child.kind === 'link') {
        if (links >= MOST_LINKS) return 'loop';
        const followed = this.#find(posix.resolve(at, child.target), links + 1);
        if (followed === 'loop' || followed === undefined) return followed;
        node = followed;
      } else {
        node = child;
      }
      at = posix.join(at, name);
    }
    return node;
  }

  #directory(): Extract<Node, { kind: 'directory' }> {
    return { kind: 'directory', names: new Map(), version: ++this.#count, inode: ++this.#count };
  }
}
