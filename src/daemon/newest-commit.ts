/** Which commit is the newest of the branch, may it be brought in, and is it right? */
import { configError } from '../api/contract.ts';
import type { SyncView } from '../api/sync.ts';
import type { DesiredState } from '../model/spec.ts';
import { commitFiles } from '../world/commit-files.ts';
import { obstacleTo } from '../world/fast-forward.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import type { Files } from '../world/world.ts';

export type Newest =
  | {
      /** `here`: it is checked out. */
      readonly is: 'refused' | 'here';
      readonly view: SyncView;
    }
  | {
      readonly is: 'newer';
      readonly view: SyncView;
      readonly branch: string;
      readonly from: string;
      readonly to: string;
    };

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

/** Asks the remote; the files of the checkout stay as they are. */
export async function newestCommit(checkout: GitCheckout, cancel: AbortSignal): Promise<Newest> {
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
  const fetched = await checkout.fetch(upstream, undefined, cancel);
  if (fetched.code !== 0) return no(known, `git fetch failed: ${fetched.stderr}`);
  const to = await checkout.commit('@{upstream}');
  if (to === undefined) return no(known, alone);
  if (from === to || (await checkout.isAncestor(to, from))) return { is: 'here', view: { ...known, to } };
  const view: SyncView = { ...known, to, commits: await checkout.commits(from, to, MOST_COMMITS) };
  const obstacle = await obstacleTo(checkout, branch, from, to);
  return obstacle === undefined ? { is: 'newer', view, branch, from, to } : no(view, obstacle);
}

/** What the directory would say at that commit; or why it is not brought in. */
export async function readCommit(
  { files, directory, checkout, readAs }: ReadingTools,
  view: SyncView,
  from: string,
  to: string,
): Promise<DesiredState | SyncView> {
  const changes = await checkout.changes(from, to);
  if (changes === undefined) return refused(view, 'what the commits change cannot be told');
  const place = { path: directory, real: checkout.directory };
  const overlaid = await commitFiles(files, checkout, changes, place);
  if (typeof overlaid === 'string') return refused(view, overlaid);
  const desired = readAs(overlaid);
  const errors = desired.problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && desired.readable) return desired;
  const reason = `${short(to)} is not applied: it has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`;
  return { ...refused(view, reason), errors: errors.map(configError) };
}

export function refused(view: SyncView, reason: string): SyncView {
  return { ...view, result: 'refused', reason };
}

export function short(commit: string): string {
  return commit.slice(0, 10);
}

function no(view: SyncView, reason: string): Newest {
  return { is: 'refused', view: refused(view, reason) };
}
