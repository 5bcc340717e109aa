/** How does the directory come to the newest commit of its branch, and only to one that is right? */
import { configError, type DiffView, type UpdateRequest, type UpdateView } from '../api/contract.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import { commitFiles } from '../world/commit-files.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import type { Clock, Files } from '../world/world.ts';

export interface SyncTools {
  /** The checkout around the configuration directory; undefined: it lies in none. */
  readonly checkout: () => GitCheckout | undefined;
  readonly directory: string;
  readonly files: Files;
  readonly clock: Clock;
  /** Milliseconds between two synchronisations without being asked; null: only when asked. */
  readonly interval: number | null;
  /** What the directory would say if its files were these; nothing is kept of it. */
  readonly readAs: (files: Files) => DesiredState;
  readonly planned: (desired: DesiredState) => DiffView;
  readonly reconcile: (request: UpdateRequest, trigger: 'sync') => Promise<UpdateView>;
  /** Why files are not followed at present; undefined: they are. */
  readonly frozen: () => string | undefined;
  readonly complain: (problem: Problem) => void;
  readonly tell: (message: string) => void;
}

/** How soon it is looked again whether Git is at work. Milliseconds. */
const LOOK_AGAIN = 100;

/** Shown of what a synchronisation brings. */
const MOST_COMMITS = 20;

const NOTHING: SyncView = {
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

/** One at a time. Never a merge, never a forced checkout: a branch that cannot be fast-forwarded is left alone. */
export class Sync {
  readonly #tools: SyncTools;
  #last: Promise<unknown> = Promise.resolve();
  #isWriting = false;
  #isAwaited = false;
  #said: string | undefined;
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: SyncTools) {
    this.#tools = tools;
  }

  /**
   * While Git brings files in, by us or by hand, what they say is neither the old nor the new state.
   * @returns true if they are still now; otherwise `again` is called once, when it may be asked again
   */
  isStill(again: () => void): boolean {
    const { checkout, clock } = this.#tools;
    const isBusy = this.#isWriting || checkout()?.isBusy(clock.wall()) === true;
    if (isBusy && !this.#isAwaited) {
      this.#isAwaited = true;
      clock.after(LOOK_AGAIN, () => {
        this.#isAwaited = false;
        again();
      });
    }
    return !isBusy;
  }

  /** Begins to synchronise by itself, if that is wanted. */
  begin(): void {
    const { interval, clock } = this.#tools;
    if (interval === null || this.#isClosed) return;
    this.#cancel = clock.after(interval, () => {
      void this.#byItself().finally(() => this.begin());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  sync(request: SyncRequest): Promise<SyncView> {
    const next = this.#last.then(() => this.#sync(request));
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Trouble is told once, until it changes or is over. */
  async #byItself(): Promise<void> {
    const { complain, tell, frozen } = this.#tools;
    if (frozen() !== undefined) return;
    const request: SyncRequest = { by: 'sync.interval', dryRun: false, prune: false, wait: 0 };
    // A mistake of ours ends neither the daemon nor what comes at the next interval.
    const view = await this.sync(request).catch((error: unknown) => refused(NOTHING, String(error)));
    const reason = view.result === 'refused' ? (view.reason ?? 'refused') : undefined;
    if (reason !== undefined && reason !== this.#said) {
      complain({ code: 'sync-refused', severity: 'error', message: reason });
    }
    if (reason === undefined && this.#said !== undefined) tell('the checkout can be synchronised again');
    this.#said = reason;
  }

  async #sync({ dryRun, prune, wait }: SyncRequest): Promise<SyncView> {
    const { checkout: find, directory, files, readAs, planned, reconcile, frozen, tell } = this.#tools;
    const checkout = find();
    if (checkout === undefined) return refused(NOTHING, `${directory} lies in no Git checkout`);
    const held = frozen();
    if (held !== undefined && !dryRun) return refused(NOTHING, held);
    const fetched = await checkout.fetch();
    if (fetched.code !== 0) return refused(NOTHING, `git fetch failed: ${fetched.stderr}`);
    const [branch, from, to] = await Promise.all([
      checkout.branch(),
      checkout.commit('HEAD'),
      checkout.commit('@{upstream}'),
    ]);
    const known: SyncView = { ...NOTHING, branch: branch ?? null, from: from ?? null, to: to ?? null };
    if (branch === undefined) return refused(known, 'no branch is checked out');
    if (from === undefined) return refused(known, `${branch} has no commit yet`);
    if (to === undefined)
      return refused(known, `${branch} follows no branch of a remote (git branch --set-upstream-to)`);
    if (from === to || (await checkout.isAncestor(to, from))) return known;
    const commits = await checkout.commits(from, to, MOST_COMMITS);
    const view: SyncView = { ...known, commits };
    const obstacle = await obstacleTo(checkout, branch, from, to);
    if (obstacle !== undefined) return refused(view, obstacle);
    const changes = await checkout.changes(from, to);
    if (changes === undefined) return refused(view, 'what the commits change cannot be told');
    const overlaid = await commitFiles(files, checkout, changes, {
      path: directory,
      real: checkout.directory,
    });
    if (typeof overlaid === 'string') return refused(view, overlaid);
    const desired = readAs(overlaid);
    const errors = desired.problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0 || !desired.readable) {
      const reason = `${short(to)} is not applied: it has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`;
      return { ...refused(view, reason), errors: errors.map(configError) };
    }
    if (dryRun) return { ...view, result: 'would_apply', diff: planned(desired) };
    this.#isWriting = true;
    const moved = await checkout.fastForward(to).finally(() => {
      this.#isWriting = false;
    });
    if (moved.code !== 0) return refused(view, `git merge --ff-only failed: ${moved.stderr}`);
    tell(`${branch} was brought from ${short(from)} to ${short(to)}`);
    const update = await reconcile({ services: [], prune, wait }, 'sync');
    return { ...view, result: 'applied', update };
  }
}

async function obstacleTo(
  checkout: GitCheckout,
  branch: string,
  from: string,
  to: string,
): Promise<string | undefined> {
  if (!(await checkout.isAncestor(from, to))) {
    return `${branch} has commits of its own; bring it and its remote together by hand`;
  }
  const changed = await checkout.changedByHand();
  if (changed === undefined) return 'Git cannot tell whether files were changed by hand';
  const [first] = changed;
  if (first === undefined) return undefined;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
  return `changed by hand: ${first}${more}; commit or undo that first`;
}

function refused(view: SyncView, reason: string): SyncView {
  return { ...view, result: 'refused', reason };
}

function short(commit: string): string {
  return commit.slice(0, 10);
}
