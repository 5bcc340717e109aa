/** How does the directory come to the newest commit of its branch, and only to one that is right? */
import type { UpdateRequest, UpdateView } from '../api/contract.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import { type Problem, sentence } from '../model/problem.ts';
import { byHand } from '../world/fast-forward.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import { finishMove, type Move, type MoveEnd } from '../world/half-checkout.ts';
import { isFailure } from '../world/world.ts';
import { type Hold, THAWS } from './freeze.ts';
import { failureIn, NOTHING, newestCommit, readCommit, refused, short, troubleOf } from './newest-commit.ts';
import type { SyncTools } from './sync-tools.ts';

type Asked = SyncRequest & Pick<UpdateRequest, 'own'>;

/** One synchronisation. */
interface Task {
  readonly request: Asked;
  /** When it has to be over; by the clock of the daemon. */
  readonly until: number;
  /** Where the newest commit is checked out, it is left at that. */
  readonly onlyNewer: boolean;
}

/** What was found, and what was begun: nobody has to wait for one so that the next one can begin. */
interface Begun {
  readonly view: SyncView;
  readonly outcome?: Promise<UpdateView>;
  /** It may work the next time, with nothing mended. */
  readonly isPassing?: boolean;
}

/** How soon it is looked again whether Git is at work. Milliseconds. */
const LOOK_AGAIN = 100;

/**
 * How soon it is tried again to finish what was begun, and how soon at last: each time takes a dozen runs of Git, and
 * somebody may let days pass. Milliseconds.
 */
const FINISH_AGAIN = 5000;
const SELDOM = 60_000;

/** Nobody waits: it is told when everything is there or has failed. Milliseconds. */
const LONGEST = 24 * 3600_000;

/** A commit answers for the services that it changes, as in the history. */
const BY_ITSELF = {
  by: 'sync.interval',
  dryRun: false,
  prune: false,
  wait: LONGEST,
  own: true,
} as const;

/** One at a time. Never a merge, never a forced checkout: a branch that cannot be fast-forwarded is left alone. */
export class Sync {
  readonly #tools: SyncTools;
  #last: Promise<unknown> = Promise.resolve();
  #isWriting = false;
  #isAwaited = false;
  #trouble: readonly Problem[] = [];
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

  /** Why this host does not come to the newest commit by itself. */
  get problems(): readonly Problem[] {
    return this.#trouble;
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

  async sync(request: SyncRequest): Promise<SyncView> {
    const begun = await this.#begin(request, false);
    if (begun.view.result !== 'refused' && !request.dryRun) this.#isIn([]);
    return begun.outcome === undefined ? begun.view : { ...begun.view, update: await begun.outcome };
  }

  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Where its turn does not come in time, nothing is done. */
  #begin(request: Asked, onlyNewer: boolean): Promise<Begun> {
    const { clock } = this.#tools;
    const limit = request.wait > 0 ? request.wait : (request.limit ?? 0);
    const until = limit > 0 ? clock.now() + limit : Number.POSITIVE_INFINITY;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const late = (): void => {
        isLate = true;
        resolve({ view: refused(NOTHING, 'another synchronisation is still under way') });
      };
      const cancel = limit > 0 ? clock.after(limit, late) : () => {};
      this.#inTurn(async () => {
        cancel();
        if (!isLate) resolve(await this.#sync({ request, until, onlyNewer }));
      }).catch(reject);
    });
  }

  async #byItself(): Promise<void> {
    if (this.#tools.frozen()?.untilNewer === false) {
      // What stood in the way may be mended by now: that nothing is followed is told as what it is.
      this.#isIn(
        [],
        'what stood in the way of a synchronisation is not looked at while the files are not followed',
      );
      return;
    }
    const { view, outcome, isPassing }: Begun = await this.#begin(BY_ITSELF, true).catch(
      // A mistake of ours ends neither the daemon nor what comes at the next interval.
      (error: unknown) => ({ view: refused(NOTHING, String(error)) }),
    );
    if (this.#isClosed) return;
    // Of half a checkout it is told elsewhere.
    this.#isIn(view.result === 'refused' && this.#half === undefined ? [troubleOf(view, isPassing)] : []);
    const broke = (error: unknown): void => this.#isIn([troubleOf(refused(view, String(error)))]);
    void outcome?.then((update) => this.#ended(view, update)).catch(broke);
  }

  /** Trouble is told once, until it changes or is over; `over` says why it is. */
  #isIn(trouble: readonly Problem[], over = 'the checkout can be synchronised again'): void {
    const before = this.#trouble;
    if (before.map(sentence).join() === trouble.map(sentence).join()) return;
    this.#trouble = trouble;
    this.#tools.troubled(before, trouble);
    if (trouble.length === 0) this.#tools.tell(over);
  }

  #ended({ to }: SyncView, update: UpdateView): void {
    const what = failureIn(update);
    if (what === undefined) return;
    const message = `${short(to ?? '')} did not come up as a whole: ${what}`;
    this.#tools.complain({ code: 'deploy-failed', severity: 'error', message });
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
    if (end === 'finished') this.#tools.checkout()?.keepDirectory();
    if (this.#half !== undefined) tell(`the checkout is whole again (${end})`);
    this.#half = undefined;
    return end === 'finished' ? 'finished' : 'given_up';
  }

  async #endOf(move: Move): Promise<MoveEnd> {
    const { checkout: find, directory, files } = this.#tools;
    const checkout = find();
    const end = checkout === undefined ? 'elsewhere' : await finishMove(checkout, move);
    if (end !== 'elsewhere') return end;
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
        if (end === 'finished') void this.#follow({ ...BY_ITSELF, by: 'sync' });
        if (end === 'given_up') this.#tools.changed();
      });
    });
  }

  #follow(
    { by, prune, wait, on_failure, gone, own }: Asked,
    until = Number.POSITIVE_INFINITY,
  ): Promise<UpdateView> {
    const { reconcile, onFailure, clock } = this.#tools;
    const rest = wait === 0 ? 0 : Math.max(1, Math.min(wait, until - clock.now()));
    const asked = {
      services: [],
      prune,
      wait: rest,
      by,
      on_failure: on_failure ?? onFailure,
      gone,
      ...(own && { own }),
    };
    return reconcile(asked, 'sync');
  }

  async #sync(task: Task): Promise<Begun> {
    const { request, until } = task;
    if (request.dryRun) {
      return this.#half === undefined ? this.#newest(task) : { view: refused(NOTHING, this.#half) };
    }
    const { move } = this.#tools.unfinished;
    const end = await this.#finish();
    if (end === 'half') return { view: refused(NOTHING, this.#half ?? 'half') };
    if (end === 'given_up') this.#tools.changed();
    if (end !== 'finished' || move === undefined) return this.#newest(task);
    const outcome = this.#follow(request, until);
    const begun = await this.#newest({ ...task, onlyNewer: true });
    // What was finished just now is what has come of it, where nothing newer has.
    if (begun.view.result !== 'nothing_new') return begun;
    return { view: { ...begun.view, result: 'applied', from: move.from }, outcome };
  }

  async #newest(task: Task): Promise<Begun> {
    const { request, until } = task;
    const { checkout: find, directory, files, readAs, planned, frozen, clock } = this.#tools;
    const checkout = find();
    if (checkout === undefined) return { view: refused(NOTHING, `${directory} lies in no Git checkout`) };
    const hold = frozen();
    if (hold?.untilNewer === false && !request.dryRun) return { view: refused(NOTHING, refusalBy(hold)) };
    const newest = await newestCommit(checkout, until - clock.now(), this.#end.signal);
    if (newest.is === 'here') return task.onlyNewer ? newest : this.#rest(task, checkout, newest.view);
    if (newest.is !== 'newer') return { view: newest.view, isPassing: newest.is === 'unreachable' };
    const { branch, from, to } = newest;
    const { view, desired } = await readCommit({ files, directory, checkout, readAs }, newest);
    if (desired === undefined) return { view };
    if (request.dryRun) {
      const shown = { ...view, diff: planned(desired) };
      const isHeld = hold?.untilNewer === false;
      return { view: isHeld ? refused(shown, refusalBy(hold)) : { ...shown, result: 'would_apply' } };
    }
    const trouble = await this.#move(checkout, branch, from, to);
    if (trouble !== undefined) return { view: refused(view, trouble) };
    return { view: { ...view, result: 'applied' }, outcome: this.#follow(request, until) };
  }

  /** The newest commit is checked out; but what runs may be another one. */
  async #rest({ request, until }: Task, checkout: GitCheckout, view: SyncView): Promise<Begun> {
    const { frozen, pending, files, directory } = this.#tools;
    const hold = frozen();
    if (hold !== undefined) {
      const shown = request.dryRun ? { ...view, diff: pending().diff } : view;
      return { view: refused(shown, refusalBy(hold)) };
    }
    // Another Git may have taken the directory away with its last file.
    const isMissing = !request.dryRun && isFailure(files.status(directory));
    if (isMissing && (await byHand(checkout)) === undefined) checkout.keepDirectory();
    const { diff, failed, isUnderWay } = pending();
    const { changes, errors, prune } = diff;
    const isInForce =
      errors.length === 0 && prune === null && changes.every(({ action }) => action === 'keep');
    if (isInForce) {
      const shown = failed.length === 0 ? view : { ...view, failed };
      const isAwaited = isUnderWay && !request.dryRun && request.wait > 0;
      return isAwaited ? { view: shown, outcome: this.#follow(request, until) } : { view: shown };
    }
    const edited = await byHand(checkout);
    if (edited !== undefined) return { view: refused(view, edited) };
    if (request.dryRun) return { view: { ...view, result: 'would_apply', diff } };
    return { view: { ...view, result: 'applied' }, outcome: this.#follow(request, until) };
  }

  /** Answers a sentence when the files are not as the newer commit has them. */
  async #move(checkout: GitCheckout, branch: string, from: string, to: string): Promise<string | undefined> {
    const { unfinished, clock, tell } = this.#tools;
    const refusal = unfinished.begin({ branch, from, to, at: clock.wall() });
    if (refusal !== undefined) return refusal.message;
    this.#isWriting = true;
    try {
      const moved = await checkout.fastForward(to);
      if (moved.code === 0) {
        unfinished.end();
        checkout.keepDirectory();
      } else if ((await this.#finish()) !== 'finished') {
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

/** Why the checked out commit is not followed. */
function refusalBy({ text, untilNewer }: Hold): string {
  return `${text}; ${untilNewer ? 'a newer commit is followed, and ' : ''}${THAWS}`;
}
