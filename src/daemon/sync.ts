/** How does the directory come to the newest commit of its branch, and only to one that is right? */
import type { OnFailure } from '../api/changes.ts';
import type { DiffView, UpdateRequest, UpdateView } from '../api/contract.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import { finishMove, type Move, type MoveEnd } from '../world/half-checkout.ts';
import { type Clock, type Files, isFailure } from '../world/world.ts';
import { NOTHING, newestCommit, readCommit, refused, short } from './newest-commit.ts';
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
    const newest = await newestCommit(checkout, this.#end.signal);
    if (newest.is !== 'newer') return newest.view;
    const { view, branch, from, to } = newest;
    const desired = await readCommit({ files, directory, checkout, readAs }, view, from, to);
    if ('result' in desired) return desired;
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
