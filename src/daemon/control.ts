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
import type { Change, Event } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import { isServiceName, type ServiceName } from '../model/names.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState } from '../model/spec.ts';
import { changeOf } from '../reconcile/change.ts';
import { holdOf } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import { fulfilment, intentAfter } from './commands.ts';
import type { Journal } from './journal.ts';
import type { Loop } from './loop.ts';
import { isDown, isUp, type Outcome } from './outcome.ts';
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
  readonly readLogs: (request: LogsRequest, desired: DesiredState) => LogsView;
  readonly examine: () => DoctorView;
  /** The directory was read, and is followed now. */
  readonly followed: () => void;
  /** Tells an event of the manager itself. */
  readonly manager: (name: string, fields: Event['fields']) => void;
  readonly shutdown: (options: { readonly stopServices: boolean; readonly by: string }) => void;
}

/** Lines of stderr that `why` shows. */
const TAIL = 10;

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

  constructor(tools: ControlTools) {
    this.#tools = tools;
    this.#views = new Views(tools.world);
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
        return { service, ...outcome };
      }),
    );
    return { results: [...results, ...outcomes].sort((a, b) => (a.service < b.service ? -1 : 1)) };
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
      warnings: loop.warnings(name),
      stderrTail: logs.filter((line) => line.stream === 'stderr').map((line) => line.line),
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
    const outcome = await this.#until(request.timeout, () => {
      const glance = loop.glance(name);
      if (request.for === 'stopped') return patient(isDown(glance, () => loop.situation(name).observed));
      const up = patient(isUp(glance));
      const completed = glance.decision?.slots.some((phase) => phase.phase === 'completed') ?? false;
      if (request.for === 'completed') return completed ? up : { result: 'pending', detail: '' };
      return completed ? { result: 'pending', detail: 'it completed' } : up;
    });
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
    const { loop } = this.#tools;
    const answer = (outcome: Omit<Outcome, 'again'>): ChangeResult => ({ ...change, ...outcome });
    switch (change.action) {
      case 'keep':
        return { ...change, result: 'refused', detail: refused?.message ?? change.reason };
      case 'stop':
        return answer(
          await this.#until(wait, () => {
            const glance = loop.glance(change.service);
            if (change.reason.startsWith('more instances')) return isUp(glance);
            const down = isDown(glance, () => loop.situation(change.service).observed);
            // A removed service is over when nothing is kept of it either: only then no status shows it any more.
            if (down.result !== 'done' || glance.desired !== undefined) return down;
            return loop.names().includes(change.service) ? { ...down, result: 'pending' } : down;
          }),
        );
      case 'live':
        return answer(
          await this.#until(wait, () =>
            changeOf(loop.situation(change.service)) === undefined
              ? { result: 'done', detail: 'applied' }
              : { result: 'pending', detail: 'not applied yet' },
          ),
        );
      case 'start':
      case 'roll':
      case 'reload':
      case 'replace':
        return answer(await this.#until(wait, () => isUp(loop.glance(change.service))));
    }
  }

  async #until(limit: number, ask: () => Outcome): Promise<Omit<Outcome, 'again'>> {
    const { result, detail } = await untilSettled(this.#tools.loop, this.#tools.world.clock, limit, ask);
    return { result, detail };
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

/** Two readings of the directory say the same; definitions of unchanged files are the same objects. */
function isSameReading(a: DesiredState, b: DesiredState): boolean {
  return (
    a.readable === b.readable &&
    a.files === b.files &&
    a.services.size === b.services.size &&
    a.problems.length === b.problems.length &&
    a.problems.every((problem, at) => sentence(problem) === sentence(b.problems[at] ?? problem)) &&
    [...a.services].every(([name, service]) => b.services.get(name) === service)
  );
}

/** `wait` outlasts a failure: a service in back-off may still come up. */
function patient(outcome: Outcome): Outcome {
  return outcome.result === 'failed' ? { ...outcome, result: 'pending' } : outcome;
}
