/** At which commit does a checkout stand, and is a directory of it as that commit has it? */
import { GitCheckout } from './git-checkout.ts';

export interface CommitState {
  readonly oid: string;
  /** null: none is checked out. */
  readonly branch: string | null;
  /** Something below the directory is changed, or not tracked. */
  readonly dirty: boolean;
}

/** A Git that takes longer is not waited for. Milliseconds. */
const PATIENCE = 5000;

/**
 * Never rejects, and runs nothing where no `.git` is above the directory.
 * @returns null: no checkout, no commit yet, no Git, or one that is too slow or refuses
 */
export async function commitOf(directory: string): Promise<CommitState | null> {
  let checkout: GitCheckout | undefined;
  try {
    checkout = GitCheckout.around(directory);
  } catch {
    return null;
  }
  if (checkout === undefined) return null;
  // What a repository names as its monitor would be run.
  const own = ['-c', 'core.fsmonitor=false', 'status', '--porcelain=v2', '--branch'];
  const { code, stdout } = await checkout.git([...own, '--', checkout.directory], { timeout: PATIENCE });
  return code === 0 ? stateOf(stdout) : null;
}

/** git-status(1), Porcelain Format Version 2. */
export function stateOf(text: string): CommitState | null {
  const lines = text.split('\n').filter((line) => line !== '');
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length);
  const oid = header('oid');
  if (oid === undefined || oid === '(initial)') return null;
  const head = header('head');
  const branch = head === undefined || head === '(detached)' ? null : head;
  return { oid, branch, dirty: lines.some((line) => !line.startsWith('#')) };
}
