/** A fast-forward was interrupted, and files of two commits lie side by side: how is it finished? */
import fs from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { firstOf } from '../model/shown-words.ts';
import { codeOf } from './errno.ts';
import { COARSE_FILE_TICK } from './file-time.ts';
import type { ChangedFile, GitCheckout } from './git-checkout.ts';
import { AT_WORK, gitIsAtWork, leftBehind } from './index-lock.ts';

/** What was begun. */
export interface Move {
  readonly branch: string;
  /** Commits. */
  readonly from: string;
  readonly to: string;
  /** When, in milliseconds since 1970 by the clock of the host. */
  readonly at: number;
}

/**
 * `finished`: the newer commit is checked out. `never_begun`: everything is as the older one has it. `elsewhere`: somebody
 * has taken the branch to another commit. `half`: one sentence, why it is neither.
 */
export type MoveEnd = 'finished' | 'never_begun' | 'elsewhere' | { readonly half: string };

/** Mode of a submodule in a tree: its files are none of ours. */
const SUBMODULE = '160000';

/**
 * Git writes the files first, then the index, then the branch (and it removes a file before it writes it anew). So as
 * long as the branch stands at the older commit, each file that differs between the two is as one of them has it, or is
 * missing, or is the beginning of the newer one. Where one is anything else, somebody has edited it, and nothing is done.
 * Otherwise the index is told what already lies there, and Git itself does the rest, with all its own care.
 */
export async function finishMove(checkout: GitCheckout, move: Move): Promise<MoveEnd> {
  const { from, to } = move;
  const [head, branch] = await Promise.all([checkout.commit('HEAD'), checkout.branch()]);
  if (head === undefined) return { half: 'Git cannot tell which commit is checked out' };
  if (head === to) return 'finished';
  if (head !== from || branch !== move.branch) return 'elsewhere';
  const lock = fs.statSync(checkout.indexLock, { throwIfNoEntry: false });
  if (lock !== undefined && gitIsAtWork(checkout)) return { half: AT_WORK };
  // A Git that was killed leaves its lock behind: that of ours is not older than what we began.
  const isOurs = lock !== undefined && lock.mtimeMs >= move.at - COARSE_FILE_TICK;
  if (isOurs) fs.rmSync(checkout.indexLock, { force: true });
  const files = await filesOf(checkout, from, to);
  if (typeof files === 'string') return { half: files };
  // Git looks for what nobody has committed and what lies in its way before it writes the first file.
  const isUntouched = ({ is, wasThere }: MovedFile): boolean =>
    is === 'old' || (is === 'strange' && !wasThere);
  if (files.every(isUntouched)) return 'never_begun';
  if (lock !== undefined && !isOurs) return { half: leftBehind(checkout) };
  const strange = files.filter(({ is }) => is === 'strange').map(({ name }) => name);
  if (strange.length > 0) return { half: `changed by hand meanwhile: ${firstOf(strange, 5)}` };
  const failed = (await putBack(checkout, from, files)) ?? (await tellIndex(checkout, files));
  if (failed !== undefined) return { half: failed };
  const { code, stderr } = await checkout.fastForward(to);
  return code === 0 ? 'finished' : { half: stderr };
}

interface MovedFile {
  /** Relative to the top of the checkout. */
  readonly name: string;
  readonly path: string;
  /** The older commit has it. */
  readonly wasThere: boolean;
  readonly is: 'old' | 'new' | 'broken' | 'strange';
}

async function filesOf(
  checkout: GitCheckout,
  from: string,
  to: string,
): Promise<readonly MovedFile[] | string> {
  const [newer, older] = [await checkout.changes(from, to), await checkout.changes(to, from)];
  if (newer === undefined || older === undefined) return 'Git cannot tell what differs between the commits';
  const [unlikeOld, unlikeNew] = [await unlike(checkout, from), await unlike(checkout, to)];
  if (unlikeOld === undefined || unlikeNew === undefined)
    return 'Git cannot tell which files are as it has them';
  const before = new Map(older.map((file) => [file.path, file]));
  const files: MovedFile[] = [];
  for (const after of newer) {
    const { path } = after;
    const was = before.get(path);
    if (after.mode === SUBMODULE || was?.mode === SUBMODULE) continue;
    const lies = liesAt(path);
    const isAs = (file: ChangedFile | undefined, others: ReadonlySet<string>): boolean =>
      (file?.blob ?? null) === null ? !lies : lies && !others.has(path);
    const is = isAs(was, unlikeOld)
      ? 'old'
      : isAs(after, unlikeNew)
        ? 'new'
        : !lies || (await isBeginning(checkout, path, after.blob))
          ? 'broken'
          : 'strange';
    files.push({ name: relative(checkout.top, path), path, wasThere: (was?.blob ?? null) !== null, is });
  }
  return files;
}

/** Files of a commit that do not lie in the checkout as it has them; undefined when that cannot be told. */
function unlike(checkout: GitCheckout, commit: string): Promise<ReadonlySet<string> | undefined> {
  return withIndexOf(checkout, commit, async (index) => {
    // Says by its exit code that something differs, which is no failure.
    await checkout.git(['update-index', '-q', '--refresh'], { index });
    const { code, stdout } = await checkout.git(['diff-files', '--name-only', '-z'], { index });
    if (code !== 0) return undefined;
    const names = stdout.split('\0').filter((name) => name !== '');
    return new Set(names.map((name) => resolve(checkout.top, name)));
  });
}

/** Of whatever is no directory: for Git there are none. */
function liesAt(path: string): boolean {
  try {
    return !fs.lstatSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

async function isBeginning(checkout: GitCheckout, path: string, blob: string | null): Promise<boolean> {
  const found = fs.lstatSync(path);
  if (blob === null || !found.isFile()) return false;
  const { code, stdout } = await checkout.git(['cat-file', 'blob', blob]);
  // One byte is one character here.
  return code === 0 && found.size < stdout.length && stdout.startsWith(fs.readFileSync(path, 'latin1'));
}

/** What is missing or cut off becomes what it was; nothing of it is anybody's work. */
async function putBack(
  checkout: GitCheckout,
  from: string,
  files: readonly MovedFile[],
): Promise<string | undefined> {
  const broken = files.filter(({ is }) => is === 'broken');
  for (const { path, wasThere } of broken) if (!wasThere) fs.rmSync(path, { force: true });
  const names = broken.filter(({ wasThere }) => wasThere).map(({ name }) => `${name}\0`);
  if (names.length === 0) return undefined;
  const answer = await withIndexOf(checkout, from, (index) =>
    checkout.git(['checkout-index', '--force', '-z', '--stdin'], { input: names.join(''), index }),
  );
  return answer?.code === 0 ? undefined : (answer?.stderr ?? 'Git cannot read the older commit');
}

/** What lies there is what the index has, or Git would take it for somebody's work. */
async function tellIndex(checkout: GitCheckout, files: readonly MovedFile[]): Promise<string | undefined> {
  const [lying, gone] = [files.filter(({ path }) => liesAt(path)), files.filter(({ path }) => !liesAt(path))];
  // First what goes: a directory may have come in its place.
  for (const [how, some] of [['--force-remove', gone] as const, ['--replace', lying] as const]) {
    const names = some.map(({ name }) => `${name}\0`).join('');
    if (names === '') continue;
    const args = ['update-index', '--add', how, '-z', '--stdin'];
    const { code, stderr } = await checkout.git(args, { input: names });
    if (code !== 0) return stderr;
  }
  return undefined;
}

/** Lends an index of its own with the files of a commit. */
async function withIndexOf<Answer>(
  checkout: GitCheckout,
  commit: string,
  use: (index: string) => Promise<Answer>,
): Promise<Answer | undefined> {
  const index = join(checkout.gitDirectory, `processmaster-${process.pid}.index`);
  try {
    const { code } = await checkout.git(['read-tree', commit], { index });
    return code === 0 ? await use(index) : undefined;
  } finally {
    fs.rmSync(index, { force: true });
    fs.rmSync(`${index}.lock`, { force: true });
  }
}
