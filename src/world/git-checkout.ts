/** What does Git say about the directory with the service files, and how does it come to a newer commit? */
import fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { codeOf } from './errno.ts';
import { onOneLine, withoutCredentials } from './git-words.ts';
import { type GroupAnswer, runInGroup } from './group-command.ts';
import { makeDirectories } from './make-directories.ts';
import { pathBehind } from './path-behind.ts';

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  /** On one line, to be part of a sentence. */
  readonly stderr: string;
}

/** Which files differ between two commits. */
export interface ChangedFile {
  /** Absolute. */
  readonly path: string;
  /** The object with the new content; null: it is removed. */
  readonly blob: string | null;
  /** Octal as Git has it: `100644`, `120000` for a symbolic link. */
  readonly mode: string;
}

export interface FetchAnswer extends GitAnswer {
  /** The remote was reached, and has no such branch. */
  readonly isGone?: true;
}

/** What a branch follows. */
export interface Upstream {
  /** A name, or an address. */
  readonly remote: string;
  /** At the remote: `refs/heads/main`. */
  readonly ref: string;
}

export interface Commit {
  readonly id: string;
  readonly subject: string;
}

/** A lock that is older was left by a Git that died. Milliseconds. */
const STALE = 30_000;

/** Longest time for what needs no network; milliseconds. */
const LOCAL = 20_000;
/** Longest time for a fetch; milliseconds. */
const REMOTE = 120_000;

const MOST_OUTPUT = 64 * 1024 * 1024;

/** So much of what Git complains of is told; a remote may add to it as it likes. Characters. */
const MOST_WORDS = 4096;

/** Nobody is there who could type a password; and a lock is not taken only to refresh the index. */
const ENVIRONMENT = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' } as const;

/** What a hook inherits about its own repository (githooks(5)): a daemon that a hook has started has another one. */
const OF_ANOTHER = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_QUARANTINE_PATH',
  'GIT_SHALLOW_FILE',
  'GIT_GRAFT_FILE',
  'GIT_REPLACE_REF_BASE',
];

const WORDS: ReadonlyMap<string, string> = new Map([
  ['missing', 'git is not installed'],
  ['too_slow', 'it took too long'],
  ['too_much', 'it said too much'],
  ['cancelled', 'the daemon ends'],
]);

export interface GitOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  /** A list is given line by line, a text as it is. */
  readonly input?: readonly string[] | string;
  /** Taken in the place of the one of the checkout. */
  readonly index?: string;
  /** Its end is the end of Git. */
  readonly cancel?: AbortSignal | undefined;
}

/** A checkout, found without running Git. */
export class GitCheckout {
  /** Absolute: the directory that has `.git`. */
  readonly top: string;
  /** Where the directory really is around which the checkout was looked for. */
  readonly directory: string;
  /** Absolute: where Git keeps index and branches of this checkout. */
  readonly gitDirectory: string;

  private constructor(directory: string, top: string, gitDirectory: string) {
    this.directory = directory;
    this.top = top;
    this.gitDirectory = gitDirectory;
  }

  /**
   * Also around a directory that is missing: Git removes one together with its last file.
   * @returns undefined: the directory lies in no checkout, or it is closed to us
   */
  static around(directory: string): GitCheckout | undefined {
    try {
      const real = pathBehind(directory);
      for (let at = real; ; at = dirname(at)) {
        const found = gitDirectoryOf(at);
        if (found !== undefined) return new GitCheckout(real, at, found);
        if (dirname(at) === at) return undefined;
      }
    } catch {
      return undefined;
    }
  }

  /**
   * True while Git writes files into the checkout (index.lock, see gitrepository-layout(5)). Of a Git directory that is
   * closed to us nobody could ever tell: its checkout is followed like any other directory.
   */
  isBusy(now: number): boolean {
    try {
      const lock = fs.statSync(this.indexLock, { throwIfNoEntry: false });
      // One of the future is of a clock that was set back since.
      return lock !== undefined && Math.abs(now - lock.mtimeMs) < STALE;
    } catch {
      return false;
    }
  }

  get indexLock(): string {
    return join(this.gitDirectory, 'index.lock');
  }

  /** Hooks and monitors of the repository are not run: what it brings along must not run as the daemon. */
  async git(args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
    const { timeout = LOCAL, input = [], index, cancel } = options;
    const own = [
      ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.quotePath=false'],
      // What somebody has edited stays where it is.
      'merge.autoStash=false',
    ];
    const env = { ...process.env, ...Object.fromEntries(OF_ANOTHER.map((name) => [name, undefined])) };
    const answer = await runInGroup({
      argv: ['git', '-C', this.top, ...own.flatMap((setting) => ['-c', setting]), ...args],
      environment: { ...env, ...ENVIRONMENT, ...(index === undefined ? {} : { GIT_INDEX_FILE: index }) },
      input: typeof input === 'string' ? input : input.map((line) => `${line}\n`).join(''),
      ...{ timeout, cancel, most: MOST_OUTPUT },
    });
    const words = wordsOf(answer).trim().slice(0, MOST_WORDS);
    return {
      code: answer.code,
      // Objects are bytes: latin1 keeps each of them.
      stdout: answer.stdout.toString(args[0] === 'cat-file' ? 'latin1' : 'utf8'),
      stderr: onOneLine(withoutCredentials(words)),
    };
  }

  /**
   * Exactly this branch: that it is gone from the remote is a failure then.
   * @param limit milliseconds
   * @param cancel its end is the end of Git, and of what it has started to reach the remote
   */
  async fetch({ remote, ref }: Upstream, limit = REMOTE, cancel?: AbortSignal): Promise<FetchAnswer> {
    const timeout = Math.min(REMOTE, limit);
    const args = ['fetch', '--quiet', '--no-recurse-submodules', '--', remote, ref];
    const answer = await this.git(args, { timeout, cancel });
    if (!answer.stderr.includes("couldn't find remote ref")) return answer;
    const name = ref.replace(/^refs\/heads\//, 'branch ');
    const advice = 'git branch --set-upstream-to follows another one';
    return { ...answer, stderr: `${remote} has no ${name} any more; ${advice}`, isGone: true };
  }

  /** undefined: the branch follows none. */
  async upstream(branch: string): Promise<Upstream | undefined> {
    const [remote, ref] = await Promise.all(
      ['remote', 'merge'].map((key) => this.git(['config', '--get', `branch.${branch}.${key}`])),
    );
    if (remote?.code !== 0 || ref?.code !== 0) return undefined;
    return { remote: remote.stdout.trim(), ref: ref.stdout.trim() };
  }

  /** Where the branch left the one it follows, as far as it is known what that one was; undefined: it is not. */
  async forkPoint(): Promise<string | undefined> {
    const { code, stdout } = await this.git(['merge-base', '--fork-point', '@{upstream}', 'HEAD']);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** undefined: there is no such revision. */
  async commit(revision: string): Promise<string | undefined> {
    const { code, stdout } = await this.git(['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** undefined: no branch is checked out. */
  async branch(): Promise<string | undefined> {
    // Git's own short name is another one as soon as a tag is called the same.
    const { code, stdout } = await this.git(['symbolic-ref', '--quiet', 'HEAD']);
    return code === 0 ? stdout.trim().replace(/^refs\/heads\//, '') : undefined;
  }

  /** Names of tracked files with changes that no commit has, submodules left out; undefined when it cannot be told. */
  async changedByHand(): Promise<readonly string[] | undefined> {
    // A fast-forward leaves them as they are, and from then on they are not as their commit has them.
    const ours = ['--untracked-files=no', '--ignore-submodules=all'];
    const { code, stdout } = await this.git(['status', '--porcelain', '-z', ...ours]);
    if (code !== 0) return undefined;
    return stdout
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => entry.slice(3));
  }

  async isAncestor(older: string, newer: string): Promise<boolean> {
    const { code } = await this.git(['merge-base', '--is-ancestor', older, newer]);
    return code === 0;
  }

  /** Newest first, at most `count`. */
  async commits(older: string, newer: string, count: number): Promise<readonly Commit[]> {
    const { stdout } = await this.git([
      'log',
      '-z',
      `--max-count=${count}`,
      '--format=%H %s',
      `${older}..${newer}`,
    ]);
    return stdout
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => ({
        id: entry.slice(0, entry.indexOf(' ')),
        subject: entry.slice(entry.indexOf(' ') + 1).trim(),
      }));
  }

  /** undefined when it cannot be told. */
  async changes(older: string, newer: string): Promise<readonly ChangedFile[] | undefined> {
    const { code, stdout } = await this.git([
      'diff',
      '--raw',
      '-z',
      '--no-abbrev',
      '--no-renames',
      older,
      newer,
    ]);
    if (code !== 0) return undefined;
    const fields = stdout.split('\0');
    const changes: ChangedFile[] = [];
    // `:old-mode new-mode old-blob new-blob letter`, then the path (git-diff(1), RAW OUTPUT FORMAT).
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [, mode = '', , blob = '', letter = ''] = (fields[at] ?? '').slice(1).split(' ');
      const path = resolve(this.top, fields[at + 1] ?? '');
      changes.push({ path, mode, blob: letter === 'D' ? null : blob });
    }
    return changes;
  }

  /** Git has removed the directory together with its last file; for the services that is an empty one. */
  keepDirectory(): void {
    try {
      makeDirectories(this.directory);
    } catch {
      // Something else lies there now, which whoever reads the directory tells.
    }
  }

  /** Moves branch and files to a commit that follows the present one; nothing else is ever done to them. */
  fastForward(commit: string): Promise<GitAnswer> {
    return this.git(['merge', '--ff-only', '--quiet', commit], { timeout: REMOTE });
  }
}

/** Objects up to `most` bytes as text, in two calls of Git however many there are; others are left out. */
export async function textsOf(
  checkout: GitCheckout,
  blobs: readonly string[],
  most: number,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const sizes = await checkout.git(['cat-file', '--batch-check'], { input: blobs });
  let total = 0;
  const small = sizes.stdout.split('\n').flatMap((line) => {
    const [blob = '', kind, size] = line.split(' ');
    if (kind !== 'blob' || Number(size) > most || total + Number(size) > MOST_OUTPUT / 2) return [];
    total += Number(size);
    return [blob];
  });
  if (small.length === 0) return texts;
  const { code, stdout } = await checkout.git(['cat-file', '--batch'], { input: small });
  // Cut off, for it took too long: half a file may look like a whole one.
  if (code !== 0) return texts;
  const bytes = Buffer.from(stdout, 'latin1');
  // `<object> blob <size>`, the content, a newline (git-cat-file(1), BATCH OUTPUT).
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    const [blob = '', , size] = bytes.toString('latin1', at, end).split(' ');
    const from = end + 1;
    at = from + Number(size) + 1;
    texts.set(blob, bytes.toString('utf8', from, at - 1));
  }
  return texts;
}

function gitDirectoryOf(directory: string): string | undefined {
  const path = join(directory, '.git');
  let found: fs.Stats | undefined;
  try {
    found = fs.statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A commit may have made a file of the directory: it lies in its checkout all the same.
    if (codeOf(error) !== 'ENOTDIR') throw error;
  }
  if (found?.isDirectory()) return path;
  if (!found?.isFile()) return undefined;
  // A worktree or submodule: `gitdir: <path>` (gitrepository-layout(5)).
  const elsewhere = /^gitdir: (.+)$/m.exec(fs.readFileSync(path, 'utf8'))?.[1];
  return elsewhere === undefined ? undefined : resolve(directory, elsewhere);
}

function wordsOf({ failed, stderr }: GroupAnswer): string {
  const said = stderr.toString('utf8');
  if (failed === undefined || said.trim() !== '') return said;
  return WORDS.get(failed) ?? failed;
}
