/** What stands in the way of bringing a checkout to a newer commit? */
import fs from 'node:fs';
import { join } from 'node:path';
import type { GitCheckout } from './git-checkout.ts';
import { lockedBy } from './index-lock.ts';

/** Answers a sentence where Git could not do it, or would undo what somebody did. Nothing is changed by the look. */
export async function obstacleTo(
  checkout: GitCheckout,
  branch: string,
  from: string,
  to: string,
): Promise<string | undefined> {
  if (!(await checkout.isAncestor(from, to))) return divergence(checkout, branch, from);
  return lockedBy(checkout) ?? (await byHand(checkout)) ?? overwritten(checkout, from, to);
}

/** Answers a sentence where tracked files are not as their commit has them. */
export async function byHand(checkout: GitCheckout): Promise<string | undefined> {
  const changed = await checkout.changedByHand();
  if (changed === undefined) return 'Git cannot tell whether files were changed by hand';
  const [first] = changed;
  if (first === undefined) return undefined;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
  return `changed by hand: ${first}${more}; commit or undo that first`;
}

async function divergence(checkout: GitCheckout, branch: string, from: string): Promise<string> {
  if ((await checkout.forkPoint()) !== from)
    return `${branch} has commits of its own; bring it and its remote together by hand`;
  const way = `git -C ${checkout.top} reset --keep @{upstream}`;
  return `the remote branch of ${branch} was rewritten, and no longer has the commit that is checked out here; nothing was committed on this host: ${way} takes the new one`;
}

/** Files that nobody has committed lie where the newer commit has its own. Git itself is asked, and writes nothing. */
async function overwritten(checkout: GitCheckout, from: string, to: string): Promise<string | undefined> {
  // A copy: what Git notes in the index while it looks is nobody's wish.
  const index = join(checkout.gitDirectory, `processmaster-${process.pid}-look.index`);
  try {
    fs.copyFileSync(join(checkout.gitDirectory, 'index'), index);
    await checkout.git(['update-index', '-q', '--refresh'], { index });
    const { code, stderr } = await checkout.git(['read-tree', '--dry-run', '-m', '-u', from, to], { index });
    return code === 0 ? undefined : `${stderr.replace(/^error: /, '')}; move it away first`;
  } finally {
    fs.rmSync(index, { force: true });
    fs.rmSync(`${index}.lock`, { force: true });
  }
}
