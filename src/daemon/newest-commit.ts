/** Which commit is the newest of the branch, may it be brought in, and is it right? */
import { basename, dirname } from 'node:path';
import { configError, type UpdateView } from '../api/contract.ts';
import type { SyncView } from '../api/sync.ts';
import { isServiceFile } from '../config/service-files.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import { commitFiles } from '../world/commit-files.ts';
import { obstacleTo } from '../world/fast-forward.ts';
import type { ChangedFile, GitCheckout } from '../world/git-checkout.ts';
import { pathBehind } from '../world/path-behind.ts';
import type { Files } from '../world/world.ts';
import { filesBehind } from './files-behind.ts';

interface Newer {
  readonly is: 'newer';
  readonly view: SyncView;
  readonly branch: string;
  readonly from: string;
  readonly to: string;
}

export type Newest =
  | {
      /** `here`: it is checked out. `unreachable`: the remote may answer the next time. */
      readonly is: 'refused' | 'unreachable' | 'here';
      readonly view: SyncView;
    }
  | Newer;

export interface ReadingTools {
  readonly files: Files;
  readonly directory: string;
  readonly checkout: GitCheckout;
  /** What the directory would say if its files were these; nothing is kept of it. */
  readonly readAs: (files: Files) => DesiredState;
}

/** Shown of what a synchronisation brings. */
const MOST_COMMITS = 20;

export const NOTHING: SyncView = {
  result: 'nothing_new',
  reason: null,
  branch: null,
  from: null,
  to: null,
  commits: [],
  errors: [],
  diff: null,
  update: null,
};

/**
 * Asks the remote; the files of the checkout stay as they are.
 * @param limit for the remote; milliseconds
 */
export async function newestCommit(
  checkout: GitCheckout,
  limit: number,
  cancel: AbortSignal,
): Promise<Newest> {
  const branch = await checkout.branch();
  if (branch === undefined) {
    const { code, stderr } = await checkout.git(['rev-parse', '--git-dir']);
    return no(
      NOTHING,
      code === 0 ? 'no branch is checked out' : `Git cannot look at the checkout: ${stderr}`,
    );
  }
  const from = await checkout.commit('HEAD');
  const known: SyncView = { ...NOTHING, branch, from: from ?? null };
  if (from === undefined) return no(known, `${branch} has no commit yet`);
  const alone = `${branch} follows no branch of a remote (git branch --set-upstream-to)`;
  const upstream = await checkout.upstream(branch);
  if (upstream === undefined) return no(known, alone);
  const fetched = await checkout.fetch(upstream, limit, cancel);
  if (fetched.isGone) return no(known, fetched.stderr);
  if (fetched.code !== 0)
    return { is: 'unreachable', view: refused(known, `git fetch failed: ${fetched.stderr}`) };
  const to = await checkout.commit('@{upstream}');
  if (to === undefined) return no(known, alone);
  if (from === to) return { is: 'here', view: { ...known, to } };
  const view: SyncView = { ...known, to, commits: await checkout.commits(from, to, MOST_COMMITS) };
  const obstacle = await obstacleTo(checkout, branch, from, to);
  return obstacle === undefined ? { is: 'newer', view, branch, from, to } : no(view, obstacle);
}

/** What the directory would say at that commit; or why it is not brought in. */
export async function readCommit(
  { files, directory, checkout, readAs }: ReadingTools,
  { view, from, to }: Newer,
): Promise<{ readonly view: SyncView; readonly desired?: DesiredState }> {
  const changes = await checkout.changes(from, to);
  if (changes === undefined) return { view: refused(view, 'what the commits change cannot be told') };
  const place = { path: directory, real: checkout.directory };
  const overlaid = await commitFiles(files, checkout, changes, place);
  if (typeof overlaid === 'string') return { view: refused(view, overlaid) };
  const desired = readAs(overlaid);
  const errors = desired.problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && desired.readable) {
    const other_files = otherFiles(changes, desired, checkout);
    return { view: { ...view, other_files }, desired };
  }
  // Not all of them need be in its files: others may lie beside them.
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  const reason = `${short(to)} is not applied: with it the configuration has ${count}`;
  return { view: { ...refused(view, reason), errors: errors.map(configError) } };
}

/** How many files change that no definition is made of: whoever reads them goes on with what it has read. */
function otherFiles(
  changes: readonly ChangedFile[],
  desired: DesiredState,
  { directory }: GitCheckout,
): number {
  const named = new Set([...filesBehind(desired)].map(realPlace));
  const counts = ({ path }: ChangedFile): boolean =>
    !named.has(path) && !(dirname(path) === directory && isServiceFile(basename(path)));
  return changes.filter(counts).length;
}

/** A file that is closed to us is one that nobody could read as part of a definition. */
function realPlace(path: string): string {
  try {
    return pathBehind(path);
  } catch {
    return path;
  }
}

export function refused(view: SyncView, reason: string): SyncView {
  return { ...view, result: 'refused', reason };
}

export function short(commit: string): string {
  return commit.slice(0, 10);
}

/**
 * What a refusal means as long as it lasts.
 * @param isPassing the next time it may work, with nothing mended
 */
export function troubleOf({ reason, errors }: SyncView, isPassing = false): Problem {
  const [first] = errors;
  const { file = null, line = null, column = null, hint = null } = first ?? {};
  return {
    code: 'sync-refused',
    severity: isPassing ? 'warning' : 'error',
    message: `${reason ?? 'refused'}${first === undefined ? '' : `: ${first.message}`}`,
    ...(file === null ? {} : { file }),
    ...(line === null ? {} : { line }),
    ...(column === null ? {} : { column }),
    ...(hint === null ? {} : { hint }),
  };
}

/** Which service of a commit has failed, and what has become of the rest; undefined: none has. */
export function failureIn({ changes, failure }: UpdateView): string | undefined {
  const [first, ...more] = changes.filter(({ result }) => result === 'failed');
  if (first === undefined) return undefined;
  const rest = more.length === 0 ? '' : `, and ${more.length} more`;
  const all = `${first.service}: ${first.detail}${rest}`;
  if (failure === undefined) return all;
  if (failure.services.length === 0) return `${all}; ${failure.detail}`;
  const did = failure.did === 'rolled_back' ? 'it was rolled back' : 'the rest was not begun';
  return `${failure.detail}; ${did}`;
}

function no(view: SyncView, reason: string): Newest {
  return { is: 'refused', view: refused(view, reason) };
}
