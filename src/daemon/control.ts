/** How is what people and programs ask answered? The one command path behind the socket and the embedding API. */
import {
  type ChangeResult,
  type CommandRequest,
  type CommandResult,
  type CommandView,
  type Control,
  configError,
  type DiffView,
  type DoctorView,
  type LogsRequest,
  type LogsView,
  PROTOCOL,
  type ServiceView,
  type StatusView,
  type UpdateRequest,
  type UpdateView,
  type VersionView,
  type WaitRequest,
  type WaitView,
  type WhyView,
} from '../api/contract.ts';
import type { DefineRequest, DefineView, DeleteRequest } from '../api/definition.ts';
import type { Change, Event } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import { isServiceName, type ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState } from '../model/spec.ts';
import { changeOf } from '../reconcile/change.ts';
import type { Situation } from '../reconcile/situation.ts';
import { holdOf } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import { changeOutcome } from './change-outcome.ts';
import { fulfilment, intentAfter } from './commands.ts';
import { Definitions, type ServiceFileTools } from './definitions.ts';
import { isSameReading } from './following.ts';
import { goalOutcome } from './goal.ts';
import type { Journal } from './journal.ts';
import type { Loop } from './loop.ts';
import type { Outcome } from './outcome.ts';
import { readExcerpts } from './service-logs.ts';
import { iso, Views } from './views.ts';
import { untilSettled } from './waiting.ts';
import { whyView } from './why.ts';

export interface ControlTools {
  readonly world: World;
  readonly loop: Loop;
  readonly journal: Journal;
  readonly settings: Settings;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Sets `enabled:` in the file of a service; everything else in the file stays as it is. */
  readonly setEnabled: (desired: DesiredState, service: ServiceName, enabled: boolean) => Problem | undefined;
  readonly serviceFiles: ServiceFileTools;
  readonly readLogs: (request: LogsRequest, desired: DesiredState) => LogsView;
  /** What keeps the logs of a service from being rotated. */
  readonly logWarnings: (service: ServiceName) => readonly Problem[];
  readonly examine: () => DoctorView;
  /** The directory was read, and is followed now. */
  readonly followed: () => void;
  /** Tells an event of the manager itself. */
  readonly manager: (name: string, fields: Event['fields']) => void;
  readonly shutdown: (options: { readonly stopServices: boolean; readonly by: string }) => void;
}

/** Lines of stderr that `why` shows. */
const TAIL = 10;

/** Lines that are shown of a definition that failed to take over. */
const LAST_WORDS = 8;

const NOTHING_TO_DO: UpdateView = {
  changes: [],
  errors: [],
  warnings: [],
  unchanged: 0,
  held: [],
  prune: null,
};

export class LocalControl implements Control {
  readonly #tools: ControlTools;
  readonly #views: Views;
  readonly #definitions: Definitions;

  constructor(tools: ControlTools) {
    this.#tools = tools;
    this.#views = new Views(tools.world, tools.loop.jobs);
    this.#definitions = new Definitions(tools);
  }

  status(): StatusView {
    const { loop } = this.#tools;
    const services = loop.names().map((name) => this.#view(name));
    const problems = [...loop.desired.problems, ...(loop.unseen === undefined ? [] : [loop.unseen])];
    return { services, problems, prune: this.#prune(loop.removals) };
  }

  diff(): DiffView {
    const { loop } = this.#tools;
    const fresh = loop.peek();
    return this.#diffView(fresh, loop.plan(fresh));
  }

  update(request: UpdateRequest): Promise<UpdateView> {
    return this.reconcile(request, 'update');
  }

  /** What saved files, SIGHUP, the slow look and `update` have in common. Silent when nothing was asked or changes. */
  async reconcile(
    request: UpdateRequest,
    trigger: 'update' | 'HUP' | 'watch' | 'resync',
  ): Promise<UpdateView> {
    const { loop, manager } = this.#tools;
    const asked = trigger === 'update' || trigger === 'HUP';
    if (asked) manager('manager_reload_requested', { signal: trigger });
    const only = request.services.length === 0 ? undefined : new Set(request.services);
    const fresh = loop.peek();
    // The slow look finds nothing new nearly always: then nobody has to plan.
    if (!asked && isSameReading(fresh, loop.desired)) return NOTHING_TO_DO;
    const planned = loop.plan(fresh, request.prune).filter((change) => only?.has(change.service) ?? true);
    const view = this.#diffView(fresh, planned);
    loop.use(fresh, only);
    this.#tools.followed();
    const refused = request.prune ? loop.prune() : undefined;
    const doing = planned.filter((change) => change.action !== 'keep').length;
    if (asked || doing > 0) manager('manager_reload_started', { trigger, changes: doing });
    const changes = await Promise.all(planned.map((change) => this.#resultOf(change, request.wait, refused)));
    if (asked || doing > 0) this.#tellEnd(changes, view.errors.length);
    return { ...view, prune: this.#prune(loop.removals), changes };
  }

  async command(request: CommandRequest): Promise<CommandView> {
    const { loop } = this.#tools;
    const names = request.services.filter(isServiceName);
    const known = new Set<string>(loop.names());
    const unknown = request.services.filter((name) => !known.has(name));
    if (unknown.length > 0) {
      // All or nothing: a mistyped name must not leave half of a command done.
      return {
        results: unknown.map((service) => ({
          service,
          result: 'unknown_service',
          detail: 'no such service',
        })),
      };
    }
    const intents = new Map<ServiceName, Intent>();
    const results: CommandResult[] = [];
    for (const name of names) {
      const answer = intentAfter(request, loop.situation(name));
      if ('refused' in answer) results.push({ service: name, result: 'refused', detail: answer.refused });
      else intents.set(name, answer.intent);
    }
    const problem = this.#apply(request, intents);
    const outcomes = await Promise.all(
      [...intents.keys()].map(async (service): Promise<CommandResult> => {
        const failed = problem.get(service);
        if (failed !== undefined) return { service, result: 'failed', detail: failed.message };
        const outcome = await this.#until(request.wait, () =>
          fulfilment(request.verb, loop.glance(service), () => loop.situation(service).observed),
        );
        return { service, ...outcome, ...this.#lastWords(service, outcome) };
      }),
    );
    return { results: [...results, ...outcomes].sort((a, b) => (a.service < b.service ? -1 : 1)) };
  }

  define(request: DefineRequest): Promise<DefineView> {
    return this.#definitions.define(request);
  }

  delete(request: DeleteRequest): Promise<CommandView> {
    return this.#definitions.delete(request);
  }

  why(service: string): WhyView | undefined {
    const { loop } = this.#tools;
    const name = this.#known(service);
    if (name === undefined) return undefined;
    const situation = loop.situation(name);
    const { logs } = this.#tools.readLogs({ services: [name], lines: TAIL }, loop.desired);
    return whyView({
      situation,
      view: this.#views.service(situation, loop.decision(name)),
      change: changeOf(situation),
      warnings: [...loop.warnings(name), ...this.#tools.logWarnings(name)],
      stderrTail: logs.filter((line) => line.stream === 'stderr').map((line) => line.line),
      excerpts: excerptsOf(situation),
    });
  }

  logs(request: LogsRequest): LogsView {
    return this.#tools.readLogs(request, this.#tools.loop.desired);
  }

  events(after: number): ReturnType<Control['events']> {
    return this.#tools.journal.after(after);
  }

  onEvent(listener: Parameters<Control['onEvent']>[0]): () => void {
    return this.#tools.journal.listen(listener);
  }

  async wait(request: WaitRequest): Promise<WaitView | undefined> {
    const { loop } = this.#tools;
    const name = this.#known(request.service);
    if (name === undefined) return undefined;
    loop.mark(name);
    const outcome = await this.#until(request.timeout, () =>
      goalOutcome(request.for, loop.glance(name), () => loop.situation(name).observed),
    );
    return { met: outcome.result === 'done', service: this.#view(name) };
  }

  version(): VersionView {
    const { version, pid, startedAt, settings, world } = this.#tools;
    return {
      name: 'processmaster',
      version,
      protocol: PROTOCOL,
      pid,
      started_at: iso(startedAt),
      config_directory: settings.config_directory,
      containment: world.containment.kind,
    };
  }

  doctor(): DoctorView {
    return this.#tools.examine();
  }

  shutdown(options: { readonly stopServices: boolean; readonly by: string }): void {
    this.#tools.shutdown(options);
  }

  #apply(
    request: CommandRequest,
    intents: ReadonlyMap<ServiceName, Intent>,
  ): ReadonlyMap<ServiceName, Problem> {
    const { loop, setEnabled } = this.#tools;
    const failed = new Map<ServiceName, Problem>();
    if (request.verb === 'enable' || request.verb === 'disable') {
      for (const name of intents.keys()) {
        const problem = setEnabled(loop.desired, name, request.verb === 'enable');
        if (problem !== undefined) failed.set(name, problem);
      }
      // Only these files are deployed: whatever else lies changed in the directory is not part of the command.
      loop.reload(new Set(intents.keys()));
      this.#tools.followed();
      return failed;
    }
    const problem = loop.setIntents(intents);
    if (problem !== undefined) for (const name of intents.keys()) failed.set(name, problem);
    return failed;
  }

  #tellEnd(changes: readonly ChangeResult[], errors: number): void {
    const failed = changes.filter((change) => change.result === 'failed').length;
    const fields = { changes: changes.length, failed, errors };
    this.#tools.manager(failed + errors > 0 ? 'manager_reload_failed' : 'manager_reload_completed', fields);
  }

  async #resultOf(change: Change, wait: number, refused: Problem | undefined): Promise<ChangeResult> {
    if (change.action === 'keep') {
      return { ...change, result: 'refused', detail: refused?.message ?? change.reason };
    }
    const outcome = await this.#until(wait, () => changeOutcome(change, this.#tools.loop));
    return { ...change, ...outcome, ...this.#lastWords(change.service, outcome) };
  }

  /** What a newer definition wrote before it failed: mostly it says why. */
  #lastWords(
    service: ServiceName,
    outcome: Pick<ChangeResult, 'result' | 'kept'>,
  ): { log?: readonly string[] } {
    if (outcome.kept !== true) return {};
    const { logs } = this.#tools.readLogs(
      { services: [service], lines: LAST_WORDS },
      this.#tools.loop.desired,
    );
    return { log: logs.slice(-LAST_WORDS).map(({ line }) => line) };
  }

  async #until(limit: number, ask: () => Outcome): Promise<Pick<ChangeResult, 'result' | 'detail' | 'kept'>> {
    const { loop, world } = this.#tools;
    const { result, detail, ...more } = await untilSettled(loop, world.clock, limit, ask);
    return 'kept' in more ? { result, detail, kept: true } : { result, detail };
  }

  #diffView(desired: DesiredState, changes: readonly Change[]): DiffView {
    const { loop, world } = this.#tools;
    const names = new Set([...desired.services.keys(), ...loop.names()]);
    const held = [...names].flatMap((service) => {
      const reason = holdOf({ intent: loop.intent(service), now: world.clock.now() });
      return reason === undefined ? [] : [{ service, reason }];
    });
    return {
      changes,
      errors: desired.problems.filter((problem) => problem.severity === 'error').map(configError),
      warnings: desired.problems.filter((problem) => problem.severity === 'warning').map(configError),
      unchanged: names.size - changes.length,
      held,
      prune: this.#prune(loop.removalsOf(desired)),
    };
  }

  #prune(removals: Loop['removals']): StatusView['prune'] {
    return removals.held.length === 0 ? null : { services: removals.held, reason: removals.reason };
  }

  #view(name: ServiceName): ServiceView {
    const { loop } = this.#tools;
    return this.#views.service(loop.situation(name), loop.decision(name));
  }

  #known(service: string): ServiceName | undefined {
    return this.#tools.loop.names().find((name) => name === service);
  }
}

/** A scheduled service has one place: its exits are in the order of its runs. */
function excerptsOf({ desired, memory }: Situation): readonly (readonly string[] | undefined)[] {
  if (desired?.kind !== 'defined' || desired.spec.process.schedule === null) return [];
  return readExcerpts(
    desired,
    (memory.slots[0]?.exits ?? []).map(({ logFrom }) => logFrom),
  );
}
