/** How does what is read of the directory become what is in force, and what came of it? The one way for all triggers. */
import type {
  ChangeResult,
  DiffView,
  HeldRemovals,
  UnderWayResult,
  UpdateRequest,
  UpdateView,
} from '../api/changes.ts';
import { configError } from '../api/config-error.ts';
import type { Trigger } from '../api/deploys.ts';
import type { Change, Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { firstAndMore } from '../model/shown-words.ts';
import type { DesiredState } from '../model/spec.ts';
import type { World } from '../world/world.ts';
import { changeOutcome, outcomeOf } from './change-outcome.ts';
import { desiredHash } from './comparison.ts';
import { type DeployTools, LocalDeploys } from './deploys.ts';
import { failedServices } from './failed-services.ts';
import type { Verdicts } from './failing.ts';
import { isSameReading } from './following.ts';
import type { Cause } from './history.ts';
import { holdsIn } from './holds.ts';
import { lastWords } from './last-words.ts';
import type { Loop } from './loop.ts';
import type { Outcome } from './outcome.ts';
import { changesBrought } from './plan.ts';
import { scaleOf } from './scaling.ts';
import { underWay } from './under-way.ts';
import { untilSettled } from './waiting.ts';

export interface ReconcilingTools {
  readonly world: Pick<World, 'clock'>;
  readonly loop: Loop;
  /** The directory was read, and is followed now. */
  readonly followed: (cause: Cause) => void;
  readonly manager: (name: string, fields: Event['fields']) => void;
  /** Absent where no directory is followed. */
  readonly deploy?: DeployTools | undefined;
}

const NOTHING_TO_DO: UpdateView = {
  changes: [],
  errors: [],
  warnings: [],
  unchanged: 0,
  held: [],
  prune: null,
};

/** Services that failed, in the line that tells how an update ended. */
const MOST_NAMED = 5;

/** Nobody is told of it: a service has one such change at most that is waited for. */
const OVERTAKEN: Outcome = { result: 'done', detail: 'a newer change of it has come' };

export class Reconciling {
  readonly #tools: ReconcilingTools;
  /** The last change of each service that was brought and has not come about yet. */
  readonly #newest = new Map<ServiceName, Change>();
  /** Undefined where no directory is followed. */
  readonly deploys: LocalDeploys | undefined;
  /** Readings that were followed, and how long the last one took; milliseconds. */
  pace: { readonly count: number; readonly last: number | null } = { count: 0, last: null };

  constructor(tools: ReconcilingTools) {
    this.#tools = tools;
    this.deploys =
      tools.deploy &&
      new LocalDeploys(tools.deploy, { reconcile: (request, trigger) => this.reconcile(request, trigger) });
  }

  /** What following the files would do. */
  diff(): DiffView {
    const { loop } = this.#tools;
    const view = this.planned(this.deploys?.files() ?? loop.peek());
    return this.deploys === undefined ? view : { ...view, frozen: this.deploys.frozen ?? null };
  }

  /** What would be done if a reading was followed. */
  planned(desired: DesiredState): DiffView {
    return { ...this.#view(desired, this.#tools.loop.plan(desired)), desired: desiredHash(desired) };
  }

  /** What saved files, SIGHUP, the slow look and `update` have in common. Silent when nothing was asked or changes. */
  async reconcile(request: UpdateRequest, trigger: Trigger): Promise<UpdateView> {
    const { loop, manager, world } = this.#tools;
    const begun = world.clock.now();
    const asked = trigger !== 'watch' && trigger !== 'resync';
    const by = request.by === undefined ? {} : { by: request.by };
    const instead = this.deploys?.begin(request, trigger);
    if (instead !== undefined) return instead;
    if (asked) manager('manager_reload_requested', { signal: trigger, ...by });
    const only = request.services.length === 0 ? undefined : new Set(request.services);
    const fresh = loop.peek();
    // The slow look finds nothing new nearly always: then nobody has to plan.
    if (!asked && isSameReading(fresh, loop.desired)) return NOTHING_TO_DO;
    const planned = loop.plan(fresh, request.prune, only);
    const view = this.#view(fresh, planned);
    const before = loop.desired;
    const own = changesBrought(planned, before, loop.use(fresh, only));
    this.pace = { count: this.pace.count + 1, last: world.clock.now() - begun };
    this.#tools.followed({ trigger, by: request.by ?? null });
    const refused = request.prune ? loop.prune(only) : undefined;
    const isTold = asked || own.length > 0;
    if (isTold) manager('manager_reload_started', { trigger, changes: own.length, ...by });
    const verdicts = this.deploys?.watch(request, trigger, planned, before);
    for (const change of own) this.#newest.set(change.service, change);
    // Whoever reads the answer is told of the whole way to what the files say; for the lines, its own part counts.
    const brought = new Set(own);
    const isAwaited = asked && trigger !== 'HUP' && request.own !== true;
    const { wait, gone } = request;
    // What the watch has begun before somebody asked is a part of that way.
    const isToTell = isAwaited && wait > 0 && (trigger === 'update' || trigger === 'sync');
    const others = isToTell ? underWay(loop, planned, only) : [];
    const underway = others.map((service) => this.#outcomeOf(service, request, () => verdicts?.of(service)));
    const results = (isAwaited ? planned : own).map(async (change) => {
      // Of who has gone, only what is told in the lines is waited for.
      const isRead = () => isAwaited && gone?.aborted !== true;
      const isOver = () => !isRead() && this.#newest.get(change.service) !== change;
      const verdict = () => (isOver() ? OVERTAKEN : verdicts?.of(change.service));
      const waiting = { wait, gone: brought.has(change) ? undefined : gone };
      const result = await this.#resultOf(change, waiting, refused, verdict);
      if (this.#newest.get(change.service) === change) this.#newest.delete(change.service);
      return result;
    });
    const changes = judged(await Promise.all(results), verdicts);
    if (isTold) this.#tellEnd(changes, own, view.errors.length);
    const awaited = judged(await Promise.all(underway), verdicts);
    const failure = verdicts?.failure;
    return {
      ...view,
      failed: failedServices(loop, new Set(changes.map(({ service }) => service))),
      prune: heldBy(loop.removals),
      changes,
      ...(awaited.length === 0 ? {} : { underway: awaited }),
      ...(this.deploys === undefined ? {} : { frozen: this.deploys.frozen ?? null }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  #tellEnd(results: readonly ChangeResult[], own: readonly Change[], errors: number): void {
    const names = new Set(own.map(({ service }) => service));
    const bad = results.filter(({ service, result }) => names.has(service) && result === 'failed');
    const failed = bad.length;
    const which = bad.map(({ service }) => service);
    const named = failed === 0 ? {} : { failed_services: firstAndMore(which, MOST_NAMED) };
    const fields = { changes: own.length, failed, errors, ...named };
    this.#tools.manager(failed + errors > 0 ? 'manager_reload_failed' : 'manager_reload_completed', fields);
  }

  /** @param verdict what is said of it besides what is seen */
  async #resultOf(
    change: Change,
    { wait, gone }: Pick<UpdateRequest, 'wait' | 'gone'>,
    refused: Problem | undefined,
    verdict: () => Outcome | undefined,
  ): Promise<ChangeResult> {
    if (change.action === 'keep') {
      return { ...change, result: 'refused', detail: refused?.message ?? change.reason };
    }
    const ask = () => verdict() ?? changeOutcome(change, this.#tools.loop);
    return { ...change, ...(await this.#settled(change.service, { wait, gone }, ask)) };
  }

  /** Of a service of which nothing is left to be begun. */
  async #outcomeOf(
    service: ServiceName,
    { wait, gone }: Pick<UpdateRequest, 'wait' | 'gone'>,
    verdict: () => Outcome | undefined,
  ): Promise<UnderWayResult> {
    const ask = () => verdict() ?? outcomeOf(service, this.#tools.loop);
    return { service, ...(await this.#settled(service, { wait, gone }, ask)) };
  }

  async #settled(
    service: ServiceName,
    { wait, gone }: Pick<UpdateRequest, 'wait' | 'gone'>,
    ask: () => Outcome,
  ): Promise<Omit<UnderWayResult, 'service'>> {
    const { loop, world } = this.#tools;
    const settled = await untilSettled(loop, world.clock, wait, ask, gone);
    const { again: _, ...outcome } = { again: 0, ...settled };
    return { ...outcome, ...lastWords(outcome, () => loop.situation(service)) };
  }

  #view(desired: DesiredState, changes: readonly Change[]): DiffView {
    const { loop, world } = this.#tools;
    const names = new Set([...desired.services.keys(), ...loop.names()]);
    const held = holdsIn(desired, names, loop, world.clock.now());
    const scaled = [...desired.services.values()].flatMap((each) => {
      const scale = scaleOf(each, loop.intent(each.name));
      return scale === undefined ? [] : [{ service: each.name, ...scale }];
    });
    return {
      changes,
      errors: desired.problems.filter((problem) => problem.severity === 'error').map(configError),
      warnings: desired.problems.filter((problem) => problem.severity === 'warning').map(configError),
      unchanged: names.size - changes.length - held.filter(({ change }) => change !== undefined).length,
      held,
      failed: failedServices(loop, new Set(changes.map(({ service }) => service))),
      scaled,
      prune: heldBy(loop.removalsOf(desired)),
    };
  }
}

/** What the guard holds back; null: nothing. */
export function heldBy(removals: Loop['removals']): HeldRemovals | null {
  return removals.held.length === 0 ? null : { services: removals.held, reason: removals.reason };
}

/** A change that came about first is undone all the same when another one of the update fails. */
function judged<Result extends Pick<ChangeResult, 'result' | 'detail'> & { readonly service: ServiceName }>(
  changes: readonly Result[],
  verdicts: Verdicts | undefined,
): readonly Result[] {
  return changes.map((change) => {
    const verdict = verdicts?.of(change.service);
    if (verdict === undefined || change.result !== 'done') return change;
    return { ...change, result: verdict.result, detail: verdict.detail };
  });
}
