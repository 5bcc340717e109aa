/** Which rotated files go when all of them together take too much? */

export interface BudgetUser {
  /** Whose they are; users with one name count together. */
  readonly name: string;
  readonly files: readonly BudgetFile[];
}

export interface BudgetFile {
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/**
 * Whoever uses most at that moment gives up the oldest file, until the rest fits.
 * @param most bytes that all may take together; null: any number
 * @returns paths, in the order in which they go
 */
export function overBudget(users: readonly BudgetUser[], most: number | null): readonly string[] {
  if (most === null) return [];
  const shares = new Map<string, Share>();
  for (const { name, files } of users) {
    const share = shares.get(name) ?? { name, size: 0, files: [] };
    for (const file of files) share.size += file.size;
    share.files.push(...files);
    shares.set(name, share);
  }
  const all = [...shares.values()];
  for (const share of all) share.files.sort(newestFirst);
  let total = all.reduce((sum, { size }) => sum + size, 0);
  const going: string[] = [];
  while (total > most) {
    const largest = all.reduce<Share | undefined>((found, each) => largerOf(found, each), undefined);
    const file = largest?.files.pop();
    if (largest === undefined || file === undefined) break;
    largest.size -= file.size;
    total -= file.size;
    going.push(file.path);
  }
  return going;
}

interface Share {
  readonly name: string;
  size: number;
  /** The oldest comes last. */
  readonly files: BudgetFile[];
}

function largerOf(found: Share | undefined, each: Share): Share | undefined {
  if (each.files.length === 0) return found;
  return found === undefined || each.size > found.size ? each : found;
}

function newestFirst(a: BudgetFile, b: BudgetFile): number {
  return b.modified - a.modified || (a.path < b.path ? -1 : 1);
}
