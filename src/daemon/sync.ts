/** How does the directory come to the newest commit of its branch, and only to one that is right? */
import type { OnFailure } from '../api/changes.ts';
import { configError, type DiffView, type UpdateRequest, type UpdateView } from '../api/contract.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import { commitFiles } from '../world/commit-files.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import { finishMove, type Move, type MoveEnd } from '../world/half-checkout.ts';
import { type Clock, type Files, isFailure } from '../world/world.ts';
import type { Unfinished } from './unfinished.ts';

export interface SyncTools {
  /** The checkout around the configuration directory; undefined: it lies in none. */
  readonly checkout: () => GitCheckout | undefined;
  readonly directory: string;
  readonly files: Files;
  readonly clock: Clock;
  /** Milliseconds between two synchronisations without being asked; null: only when asked. */
  readonly interval: number | null;
  /** What becomes of the rest of a commit when a service fails, unless a request says otherwise. */
  readonly onFailure: OnFailure;
  /** What was begun; also by an earlier daemon. */
  readonly unfinished: Unfinished;
  /** What the directory would say if its files were these; nothing is kept of it. */
  readonly readAs: (files: Files) => DesiredState;
  readonly planned: (desired: DesiredState) => DiffView;
  readonly reconcile: (request: UpdateRequest, trigger: 'sync') => Promise<UpdateView>;
  /** Why files are not followed at present; undefined: they are. */
  readonly frozen: () => string | undefined;
  /** The files can be followed again. */
  readonly changed: () => void;
  readonly complain: (problem: Problem) => void;
  readonly tell: (message: string) => void;
}

/** How soon it is looked again whether Git is at work. Milliseconds. */
const LOOK_AGAIN = 100;

/**
 * How soon it is tried again to finish what was begun, and how soon at last: each time takes a dozen runs of Git, and
 * somebody may let days pass. Milliseconds.
 */
const FINISH_AGAIN = 5000;
const SELDOM = 60_000;

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
  /** One sentence: files of two commits lie in the checkout. */
  #half: string | undefined;
  #pause = FINISH_AGAIN;
  #cancel = () => {};
  #cancelFinishing = () => {};
  readonly #end = new AbortController();
  #isClosed = false;

  constructor(tools: SyncTools) {
    this.#tools = tools;
    if (tools.unfinished.move !== undefined) this.#half = 'a fast-forward was interrupted';
  }

  /** What the files say is neither the old nor the new state, and nobody may follow it. */
  get unknown(): { readonly unknown: string } | undefined {
    if (this.#isWriting) return { unknown: 'is being brought to another commit' };
    return this.#half === undefined ? undefined : { unknown: `is not followed: ${this.#half}` };
  }

  /** Finishes what an earlier daemon has begun, if it can be finished. */
  async settle(): Promise<void> {
    if (this.#half !== undefined) await this.#inTurn(() => this.#finish());
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

  /** A fetch under way ends at once; files that Git is writing are written to the end. */
  close(): void {
    this.#isClosed = true;
    this.#end.abort();
    this.#cancel();
    this.#cancelFinishing();
  }

  sync(request: SyncRequest): Promise<SyncView> {
    return this.#inTurn(() => this.#sync(request));
  }

  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const next = this.#last.then(work);
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
    if (reason !== undefined && reason !== this.#said && this.#half === undefined) {
      complain({ code: 'sync-refused', severity: 'error', message: reason });
    }
    if (reason === undefined && this.#said !== undefined) tell('the checkout can be synchronised again');
    this.#said = reason;
  }

  /** @returns undefined: there was nothing to finish */
  async #finish(): Promise<'finished' | 'given_up' | 'half' | undefined> {
    const { unfinished, tell } = this.#tools;
    const { move } = unfinished;
    if (move === undefined) return undefined;
    // What cannot be told is no reason to follow half of something.
    const end = await this.#endOf(move).catch((error: unknown) => ({ half: String(error) }));
    if (typeof end === 'object') {
      this.#remainsHalf(`files of ${short(move.from)} and ${short(move.to)} lie side by side: ${end.half}`);
      return 'half';
    }
    unfinished.end();
    if (this.#half !== undefined) tell(`the checkout is whole again (${end})`);
    this.#half = undefined;
    return end === 'finished' ? 'finished' : 'given_up';
  }

  async #endOf(move: Move): Promise<MoveEnd> {
    const { checkout: find, directory, files } = this.#tools;
    const checkout = find();
    if (checkout !== undefined) return finishMove(checkout, move);
    // It may be mounted later.
    const found = files.status(directory);
    return isFailure(found) ? { half: `${directory} cannot be looked at (${found.failed})` } : 'elsewhere';
  }

  #remainsHalf(reason: string): void {
    const { complain, clock } = this.#tools;
    this.#pause = this.#half === reason ? Math.min(SELDOM, this.#pause * 2) : FINISH_AGAIN;
    if (this.#half !== reason) {
      const hint = 'what runs goes on as it is; it is tried again, or bring the checkout to a commit by hand';
      complain({ code: 'sync-refused', severity: 'error', message: reason, hint });
    }
    this.#half = reason;
    this.#cancelFinishing();
    if (this.#isClosed) return;
    this.#cancelFinishing = clock.after(this.#pause, () => {
      void this.#inTurn(async () => {
        const end = await this.#finish();
        if (end === 'finished') await this.#follow({ by: 'sync', prune: false, wait: 0 });
        if (end === 'given_up') this.#tools.changed();
      });
    });
  }

  #follow({ by, prune, wait, on_failure }: Omit<SyncRequest, 'dryRun'>): Promise<UpdateView> {
    const { reconcile, onFailure } = this.#tools;
    return reconcile({ services: [], prune, wait, by, on_failure: on_failure ?? onFailure }, 'sync');
  }

  async #sync(request: SyncRequest): Promise<SyncView> {
    if (request.dryRun) {
      return this.#half === undefined ? this.#newest(request) : refused(NOTHING, this.#half);
    }
    const begun = this.#tools.unfinished.move;
    const end = await this.#finish();
    if (end === 'half') return refused(NOTHING, this.#half ?? 'half');
    if (end === 'given_up') this.#tools.changed();
    if (end !== 'finished' || begun === undefined) return this.#newest(request);
    const update = await this.#follow(request);
    const view = await this.#newest(request);
    // What was finished just now is what has come of it, where nothing newer has.
    return view.result === 'nothing_new' ? { ...view, result: 'applied', from: begun.from, update } : view;
  }

  async #newest(request: SyncRequest): Promise<SyncView> {
    const { checkout: find, directory, files, readAs, planned, frozen } = this.#tools;
    const checkout = find();
    if (checkout === undefined) return refused(NOTHING, `${directory} lies in no Git checkout`);
    const held = frozen();
    if (held !== undefined && !request.dryRun) return refused(NOTHING, held);
    const fetched = await checkout.fetch(this.#end.signal);
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
    if (request.dryRun) return { ...view, result: 'would_apply', diff: planned(desired) };
    const trouble = await this.#move(checkout, branch, from, to);
    if (trouble !== undefined) return refused(view, trouble);
    const update = await this.#follow(request);
    return { ...view, result: 'applied', update };
  }

  /** Answers a sentence when the files are not as the newer commit has them. */
  async #move(checkout: GitCheckout, branch: string, from: string, to: string): Promise<string | undefined> {
    const { unfinished, clock, tell } = this.#tools;
    const refusal = unfinished.begin({ branch, from, to, at: clock.wall() });
    if (refusal !== undefined) return refusal.message;
    this.#isWriting = true;
    try {
      const moved = await checkout.fastForward(to);
      if (moved.code === 0) unfinished.end();
      else if ((await this.#finish()) !== 'finished') {
        const half = this.#half === undefined ? '' : `; ${this.#half}`;
        return `git merge --ff-only failed: ${moved.stderr}${half}`;
      }
    } finally {
      this.#isWriting = false;
    }
    tell(`${branch} was brought from ${short(from)} to ${short(to)}`);
    return undefined;
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
