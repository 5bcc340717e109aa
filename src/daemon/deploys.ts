/** How does one look at applied states and go back to one, and when are the files followed again? */
import { join } from 'node:path';
import type { DiffView, FrozenView, UpdateRequest, UpdateView } from '../api/changes.ts';
import { configError } from '../api/config-error.ts';
import {
  type Deploys,
  type HistoryView,
  isUnfit,
  type ResumeRequest,
  type RollbackRequest,
  type SnapshotText,
  type SnapshotView,
  type Trigger,
  type Unfit,
} from '../api/deploys.ts';
import { withoutSecrets } from '../config/hidden-secrets.ts';
import type { Change, Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { firstOf } from '../model/shown-words.ts';
import type { DesiredState } from '../model/spec.ts';
import type { Clock } from '../world/world.ts';
import { changesBetween, spoiltSince } from './comparison.ts';
import { envDigest } from './entries.ts';
import { Failing, LONGEST_WATCH, NOWHERE, type Verdicts } from './failing.ts';
import { type Freeze, type Frozen, type KeptText, THAWS } from './freeze.ts';
import type { History } from './history.ts';
import { entryView, lastGood, type Marks, selected } from './history-views.ts';
import type { Loop } from './loop.ts';
import { staleness } from './saved-plan.ts';
import { idOf, type Snapshot, type Snapshots } from './snapshots.ts';
import { iso } from './views.ts';

export interface DeployTools {
  readonly clock: Clock;
  readonly loop: Loop;
  readonly freeze: Freeze;
  readonly history: History;
  readonly snapshots: Snapshots;
  readonly directory: string;
  /** What the files say, or what they would say with these texts; nothing is kept of it. */
  readonly peek: (texts?: readonly { readonly file: string; readonly text: string }[]) => DesiredState;
  readonly complain: (problem: Problem) => void;
  readonly manager: (name: string, fields: Event['fields']) => void;
}

export interface DeployActions {
  readonly reconcile: (
    request: UpdateRequest,
    trigger: 'rollback' | 'resume' | 'failure',
  ) => Promise<UpdateView>;
}

/** Looking at the files for those who ask how it stands is not repeated within this time. Milliseconds. */
const FRESH = 2000;

const NOTHING: UpdateView = { changes: [], errors: [], warnings: [], unchanged: 0, held: [], prune: null };

export class LocalDeploys implements Deploys {
  readonly #tools: DeployTools;
  readonly #actions: DeployActions;
  readonly #failing: Failing;
  #pending: { readonly at: number; readonly services: readonly string[] } | undefined;
  #told = '';

  constructor(tools: DeployTools, actions: DeployActions) {
    this.#tools = tools;
    this.#actions = actions;
    this.#failing = new Failing({
      clock: tools.clock,
      loop: tools.loop,
      goBack: (to, because) => this.#goBack(to, because),
      lastGood: () => this.#lastGood(),
      textsOf: (desired) => tools.history.textsOf(desired),
    });
  }

  // How it stands.

  /** undefined: the files are followed. */
  get frozen(): FrozenView | undefined {
    const { state } = this.#tools.freeze;
    if (state === undefined) return undefined;
    const { snapshot, since, by, reason, texts } = state;
    const what = texts === null ? NOT_KNOWN : { snapshot, since: iso(since), by };
    return { ...what, reason, pending: this.#pendingServices() };
  }

  /** One sentence about why the files are not followed. */
  get frozenText(): string | undefined {
    return this.#tools.freeze.hold?.text;
  }

  /** For `why`: what being frozen means for a service. */
  frozenSentences(service: string): readonly string[] {
    const text = this.frozenText;
    if (text === undefined) return [];
    const waits = this.#pendingServices().includes(service);
    return [text, waits ? `its file says otherwise than what is in force; ${THAWS}` : THAWS];
  }

  /** What the files say, whatever is in force. */
  files(): DesiredState {
    const { freeze, loop, peek } = this.#tools;
    return freeze.state === undefined ? loop.peek() : peek();
  }

  // Around an update.

  /** Called before anything is read. Answers when nothing is to be done. */
  begin(request: UpdateRequest, trigger: Trigger): UpdateView | undefined {
    const { freeze, history, loop } = this.#tools;
    history.look();
    const stale = request.plan && staleness(request.plan, this.files(), (files) => loop.plan(files));
    if (stale !== undefined) return refusedUpdate('plan-stale', stale);
    if (freeze.state === undefined || trigger === 'rollback' || trigger === 'failure') return undefined;
    const isAnswer = trigger === 'sync' && freeze.state.failed === true;
    if (trigger !== 'update' && trigger !== 'resume' && !isAnswer) {
      this.#tellPending();
      return NOTHING;
    }
    if (request.services.length > 0) {
      const hint = 'pmctl update without names, or pmctl resume, follows all files again';
      return refusedUpdate('frozen', `${this.frozenText}; ${hint}`);
    }
    const problem = freeze.clear();
    if (problem !== undefined) return { ...NOTHING, errors: [configError(problem)] };
    this.#tools.manager('manager_resumed', { by: request.by ?? trigger });
    return undefined;
  }

  /** Called when an update was begun. @param before what was followed until then */
  watch(
    request: UpdateRequest,
    trigger: Trigger,
    planned: readonly Change[],
    before: DesiredState,
  ): Verdicts {
    return this.#failing.watch(request, trigger, planned, before);
  }

  // Deploys.

  history(limit: number): HistoryView {
    const { snapshots, history } = this.#tools;
    history.look();
    const marks = this.#marks();
    const entries = snapshots.all(limit).map((each) => entryView(each, marks));
    return { entries, problems: snapshots.problems.map(({ message }) => message) };
  }

  show(id: string): SnapshotView | Unfit {
    const snapshot = this.#find(id);
    if (isUnfit(snapshot)) return snapshot;
    const now = new Map<string, string>();
    for (const desired of this.#tools.loop.desired.services.values()) {
      if (desired.kind !== 'defined') continue;
      for (const file of desired.spec.process.env_files) now.set(file.path, envDigest(file));
    }
    const sorted = [...snapshot.files].sort((a, b) => (a.service < b.service ? -1 : 1));
    const files = sorted.map(({ path, service, blob, hash, env_files }) => {
      const same = Object.entries(env_files).map(([file, digest]) => {
        return [file, now.has(file) ? now.get(file) === digest : null] as const;
      });
      return { path, service, blob, hash, env_files: Object.fromEntries(same) };
    });
    return { entry: entryView(snapshot, this.#marks()), files };
  }

  text(id: string, service: string): SnapshotText | Unfit {
    const snapshot = this.#find(id);
    if (isUnfit(snapshot)) return snapshot;
    const file = snapshot.files.find((each) => each.service === service);
    if (file === undefined) {
      return unfit('unknown_service', `snapshot ${snapshot.id} has no service ${JSON.stringify(service)}`);
    }
    const text = this.#tools.snapshots.text(file.blob);
    if (typeof text !== 'string') return unfit(text.code, text.message);
    return { id: snapshot.id, path: file.path, service, text: withoutSecrets(text) };
  }

  compare(from: string, to: string | undefined): DiffView | Unfit {
    const older = this.#reading(from);
    if (isUnfit(older)) return older;
    const newer = to === undefined ? this.#tools.loop.desired : this.#reading(to);
    if (isUnfit(newer)) return newer;
    const changes = changesBetween(older, newer);
    const names = new Set([...older.services.keys(), ...newer.services.keys()]);
    return { ...NOTHING, changes, unchanged: names.size - changes.length };
  }

  async rollback(request: RollbackRequest): Promise<UpdateView | Unfit> {
    const { id, ...asked } = request;
    const { prune, by } = asked;
    const snapshot = id === undefined ? this.#lastGood() : this.#find(id);
    if (snapshot === undefined) {
      return unfit('unknown_snapshot', `${NOWHERE}; name one`);
    }
    if (isUnfit(snapshot)) return snapshot;
    const texts = this.#textsOf(snapshot);
    if (isUnfit(texts)) return texts;
    const reading = this.#readingOf(texts);
    // As a whole or not at all; and the same command with --prune is to mean the same.
    const spoilt = spoiltSince(snapshot, reading);
    if (spoilt.length > 0) {
      const message = `nothing was done: snapshot ${snapshot.id} can no longer be applied as it was`;
      const all: readonly Problem[] = [{ code: 'snapshot-unfit', severity: 'error', message }, ...spoilt];
      return { ...NOTHING, errors: all.map(configError) };
    }
    const { held: services, reason } = this.#tools.loop.removalsOf(reading);
    if (services.length > 0 && !prune) return { ...NOTHING, prune: { services, reason } };
    const problem = this.#freezeAt({ texts, by, reason: backTo(snapshot) });
    if (problem !== undefined) return { ...NOTHING, errors: [configError(problem)] };
    return this.#actions.reconcile({ services: [], ...asked }, 'rollback');
  }

  resume(request: ResumeRequest): Promise<UpdateView> {
    return this.#actions.reconcile({ services: [], ...request }, 'resume');
  }

  /** Something of an update failed: this is in force now. Answers a sentence when it could not be. */
  #goBack(
    to: Snapshot | readonly KeptText[],
    { by, failed, detail }: { readonly by: string; readonly failed: ServiceName; readonly detail: string },
  ): string | undefined {
    const texts = 'files' in to ? this.#textsOf(to) : to;
    if (isUnfit(texts)) return texts.unfit.message;
    const reason = `update failed: ${failed}: ${detail}`;
    const problem = this.#freezeAt({ texts, by, reason, failed: true });
    if (problem !== undefined) return problem.message;
    const { complain } = this.#tools;
    complain({ code: 'frozen', severity: 'error', message: this.frozenText ?? reason, hint: THAWS });
    this.#tools.history.failed(failed);
    this.#takeBack(texts);
    // Nobody waits: it is told when everything is back.
    void this.#actions.reconcile({ services: [], prune: false, wait: LONGEST_WATCH, by }, 'failure');
    return undefined;
  }

  /** What only the failed update has brought goes again, however much it is: that is no directory that was lost. */
  #takeBack(texts: readonly KeptText[]): void {
    const { loop, complain } = this.#tools;
    const { services } = this.#readingOf(texts);
    const brought = [...loop.desired.services.keys()].filter((name) => !services.has(name));
    const approved = brought.map((name) => [name, { ...loop.intent(name), removalApproved: true }] as const);
    const problem = approved.length === 0 ? undefined : loop.setIntents(new Map(approved));
    // The guard holds them back then, and that is told.
    if (problem !== undefined) complain(problem);
  }

  #freezeAt(
    at: Pick<Frozen, 'by' | 'reason' | 'failed'> & { readonly texts: readonly KeptText[] },
  ): Problem | undefined {
    const { clock, freeze, manager } = this.#tools;
    const snapshot = idOf(at.texts);
    const problem = freeze.set({ ...at, snapshot, since: clock.now() });
    this.#pending = undefined;
    if (problem === undefined) manager('manager_frozen', { snapshot, by: at.by, reason: at.reason });
    return problem;
  }

  #reading(id: string): DesiredState | Unfit {
    const snapshot = this.#find(id);
    if (isUnfit(snapshot)) return snapshot;
    const texts = this.#textsOf(snapshot);
    return isUnfit(texts) ? texts : this.#readingOf(texts);
  }

  #readingOf(texts: readonly KeptText[]): DesiredState {
    const { peek, directory } = this.#tools;
    return peek(texts.map(({ path, text }) => ({ file: join(directory, path), text })));
  }

  #textsOf(snapshot: Snapshot): readonly KeptText[] | Unfit {
    const texts: KeptText[] = [];
    for (const { path, blob } of snapshot.files) {
      const text = this.#tools.snapshots.text(blob);
      if (typeof text !== 'string')
        return unfit(text.code, `snapshot ${snapshot.id}: ${path}: ${text.message}`);
      texts.push({ path, text });
    }
    return texts;
  }

  #find(id: string): Snapshot | Unfit {
    return selected(id, this.#tools.snapshots.all());
  }

  #lastGood(): Snapshot | undefined {
    const { snapshots, history } = this.#tools;
    return lastGood(snapshots.all(), history.current);
  }

  #marks(): Marks {
    const { history, freeze } = this.#tools;
    const { current } = history;
    return { current: current?.id ?? null, newest: current?.number ?? 0, frozen: freeze.state !== undefined };
  }

  #pendingServices(): readonly string[] {
    const now = this.#tools.clock.now();
    if (this.#pending !== undefined && now - this.#pending.at < FRESH) return this.#pending.services;
    const services = changesBetween(this.#tools.loop.desired, this.#tools.peek()).map(
      ({ service }) => service,
    );
    this.#pending = { at: now, services };
    return services;
  }

  /** Files changed, and that is all that happens. */
  #tellPending(): void {
    this.#pending = undefined;
    const services = this.#pendingServices();
    const told = services.join();
    if (told === this.#told) return;
    this.#told = told;
    if (services.length === 0) return;
    this.#tools.manager('manager_changes_held', { services: services.length });
    this.#tools.complain({
      code: 'frozen',
      severity: 'warning',
      message: `${this.frozenText}; not in force: ${firstOf(services, 10)}`,
      hint: THAWS,
    });
  }
}

const NOT_KNOWN = { snapshot: null, since: null, by: null };

function unfit(code: string, message: string): Unfit {
  return { unfit: { code, message } };
}

/** Whoever types it twice goes forth again: so it is told where to. */
function backTo({ at, commit }: Snapshot): string {
  const oid =
    commit === null ? '' : `, commit ${commit.oid.slice(0, 10)}${commit.dirty ? ' and changes' : ''}`;
  return `rolled back to what was applied at ${iso(at)}${oid}`;
}

function refusedUpdate(code: Problem['code'], message: string): UpdateView {
  return { ...NOTHING, errors: [configError({ code, severity: 'error', message })] };
}
