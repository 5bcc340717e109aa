/** How is what people and programs ask answered? The one command path behind the socket and the embedding API. */
import {
  type ChangeResult,
  type CommandRequest,
  type CommandResult,
  type CommandView,
  type Control,
  type DiffView,
  type DoctorView,
  type LogsRequest,
  type LogsView,
  PROTOCOL,
  type ServiceView,
  type ShutdownRequest,
  type ShutdownView,
  type StatusView,
  type UpdateRequest,
  type UpdateView,
  type VersionView,
  type WaitRequest,
  type WaitView,
  type WhyView,
} from '../api/contract.ts';
import type { DefineRequest, DefineView, DeleteRequest } from '../api/definition.ts';
import type { Trigger } from '../api/deploys.ts';
import type { Measures } from '../api/measures.ts';
import type { StatsView } from '../api/stats.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import type { Event } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import { isServiceName, type RunKey, type ServiceName } from '../model/names.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState } from '../model/spec.ts';
import { changeOf } from '../reconcile/change.ts';
import { changeWhenReleased } from '../reconcile/release.ts';
import type { World } from '../world/world.ts';
import { withBlockers } from './blockers.ts';
import { commandEvents } from './command-events.ts';
import { fulfilment, intentAfter } from './commands.ts';
import { Definitions, type ServiceFileTools } from './definitions.ts';
import type { DeployTools, LocalDeploys } from './deploys.ts';
import { type Applied, type EnablingTools, enableInFiles } from './enabling.ts';
import { Gate } from './gate.ts';
import { goalOutcome } from './goal.ts';
import type { Cause } from './history.ts';
import type { Journal } from './journal.ts';
import { lastWords, stderrWords } from './last-words.ts';
import type { LogKeeping } from './log-keeping.ts';
import type { Loop } from './loop.ts';
import { Measuring } from './measuring.ts';
import type { Outcome } from './outcome.ts';
import { heldBy, Reconciling } from './reconciling.ts';
import { excerptsOf } from './run-excerpts.ts';
import { readHistory } from './service-logs.ts';
import type { StateTrouble } from './state-trouble.ts';
import { statsOf } from './stats.ts';
import { toldHeap } from './told-heap.ts';
import { iso, Views } from './views.ts';
import { untilDecided, untilSettled } from './waiting.ts';
import { whyNotInForce, whyView } from './why.ts';

export interface ControlTools {
  readonly world: World;
  readonly loop: Loop;
  readonly journal: Journal;
  readonly settings: Settings;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly setEnabled: EnablingTools['setEnabled'];
  readonly serviceFiles: ServiceFileTools;
  readonly readLogs: (request: LogsRequest, desired: DesiredState) => LogsView;
  /** What is wrong with logs. */
  readonly logs: Pick<LogKeeping, 'problems' | 'warnings' | 'lost'>;
  /** What is wrong with how the sources of a service change. */
  readonly sources: (name: ServiceName) => readonly Problem[];
  readonly sync: (request: SyncRequest) => Promise<SyncView>;
  /** Why this host does not come to the newest commit by itself. */
  readonly syncProblems: () => readonly Problem[];
  /** What is wrong with the state directory. */
  readonly trouble: Pick<StateTrouble, 'problems' | 'losses'>;
  readonly examine: () => DoctorView;
  /** The directory was read, and is followed now. */
  readonly followed: (cause: Cause) => void;
  /** Absent where no directory is followed. */
  readonly deploy?: DeployTools | undefined;
  /** Tells an event of the manager itself. */
  readonly manager: (name: string, fields: Event['fields']) => void;
  /** The same of something that only the journal tells. */
  readonly note: (event: Omit<Event, 'at'>) => void;
  /** What the end of the daemon means for the services, asked to stop them or not. */
  readonly stopsServices: (asked: boolean) => ShutdownView;
  readonly shutdown: (options: { readonly stopServices: boolean; readonly by: string }) => void;
}

export class LocalControl implements Control {
  readonly #tools: ControlTools;
  /** Each may hold megabytes of lines. */
  readonly #readings = new Gate(2);
  readonly #views: Views;
  readonly #definitions: Definitions;
  readonly #measuring: Measuring;
  readonly #reconciling: Reconciling;
  readonly deploys?: LocalDeploys;

  constructor(tools: ControlTools) {
    this.#tools = tools;
    this.#views = new Views(tools.world, tools.loop.jobs);
    this.#measuring = new Measuring(tools);
    this.#reconciling = new Reconciling(tools);
    const { deploys } = this.#reconciling;
    if (deploys !== undefined) this.deploys = deploys;
    this.#definitions = new Definitions({ ...tools, frozen: () => deploys?.frozenText });
  }

  status(): StatusView {
    const { loop, trouble, logs, syncProblems } = this.#tools;
    const services = this.#views.only(loop.names()).map((name) => this.#view(name));
    const { desired, unseen, unwritten } = loop;
    const standing = [unseen, unwritten, ...trouble.problems].flatMap((problem) => problem ?? []);
    const problems = [...desired.problems, ...standing, ...logs.problems, ...syncProblems()];
    const frozen = this.deploys?.frozen ?? null;
    return { services, problems, prune: heldBy(loop.removals), frozen };
  }

  stats(): StatsView {
    const { loop, world } = this.#tools;
    const figures = (run: RunKey) => world.containment.figures(run);
    const rowOf = (name: ServiceName) => {
      const { observed, desired } = loop.situation(name);
      const view = this.#view(name);
      return statsOf(view, observed, figures, toldHeap(view, desired));
    };
    return { services: this.#views.only(loop.names()).map(rowOf) };
  }

  diff(): DiffView {
    return this.#reconciling.diff();
  }

  /** What would be done if a reading was followed. */
  planned(desired: DesiredState): DiffView {
    return this.#reconciling.planned(desired);
  }

  sync(request: SyncRequest): Promise<SyncView> {
    return this.#tools.sync(request);
  }

  update(request: UpdateRequest): Promise<UpdateView> {
    return this.reconcile(request, 'update');
  }

  /** What saved files, SIGHUP, the slow look and `update` have in common. */
  reconcile(request: UpdateRequest, trigger: Trigger): Promise<UpdateView> {
    return this.#reconciling.reconcile(request, trigger);
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
      else if (isAboutFiles(request.verb) && this.deploys?.frozenText !== undefined) {
        results.push({ service: name, result: 'refused', detail: this.deploys.frozenText });
      } else intents.set(name, answer.intent);
    }
    const { problem, already } = this.#apply(request, intents);
    // What is so already changes nothing that the loop would look at; whoever waits is answered after it has looked.
    for (const name of intents.keys()) if (already.has(name)) loop.mark(name);
    for (const event of commandEvents(request, [...intents.keys()], problem)) this.#tools.note(event);
    const outcomes = await Promise.all(
      [...intents.keys()].map(async (service): Promise<CommandResult> => {
        const failed = problem.get(service);
        if (failed !== undefined) return { service, result: 'failed', detail: sentence(failed) };
        const settled = await this.#until(
          request.wait,
          () => fulfilment(request.verb, loop.glance(service), () => loop.situation(service).observed),
          request.gone,
        );
        const blocked = withBlockers(settled, loop.glance(service).decision, this.#tools.world.containment);
        const outcome = already.has(service)
          ? { ...blocked, detail: `${request.verb}d already; ${blocked.detail}` }
          : blocked;
        return { service, ...outcome, ...lastWords(outcome, () => loop.situation(service)) };
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
    if (name === undefined) return this.#whyNotInForce(service);
    const { logs, sources, trouble } = this.#tools;
    const situation = loop.situation(name);
    const view = whyView({
      situation,
      view: this.#views.service(situation, loop.decision(name)),
      change: changeOf(situation) ?? changeWhenReleased(situation),
      warnings: [...loop.warnings(name), ...logs.warnings(name), ...sources(name), ...trouble.losses],
      stderr: stderrWords(situation, loop.desired, this.#tools.readLogs),
      excerpts: excerptsOf(situation),
    });
    return { ...view, because: [...view.because, ...(this.deploys?.frozenSentences(name) ?? [])] };
  }

  /** Of a service that only the files know, as they are not followed, or not yet. */
  #whyNotInForce(service: string): WhyView | undefined {
    if (!isServiceName(service)) return undefined;
    const files = this.deploys?.files();
    const desired = files?.services.get(service);
    if (files === undefined || desired === undefined) return undefined;
    const view = this.#views.service(this.#tools.loop.situation(desired.name, files), undefined);
    return whyNotInForce(view, desired, this.deploys?.frozenSentences(service) ?? []);
  }

  async logs(request: LogsRequest): Promise<LogsView> {
    const view = await this.#readings.through(() => readHistory(request, this.#tools.loop.desired));
    const services = [...new Set(view.files.map(({ service }) => service))].filter(isServiceName);
    // Where nothing is shown, this may be why.
    const lost = services.flatMap((service) => this.#tools.logs.lost(service));
    return lost.length === 0 ? view : { ...view, problems: [...view.problems, ...lost] };
  }

  events(after: number): ReturnType<Control['events']> {
    return this.#tools.journal.after(after);
  }

  get feed(): Control['feed'] {
    return this.#tools.journal;
  }

  onEvent(listener: Parameters<Control['onEvent']>[0]): () => void {
    return this.#tools.journal.listen(listener);
  }

  async wait(request: WaitRequest): Promise<WaitView | undefined> {
    const { loop } = this.#tools;
    const name = this.#known(request.service);
    if (name === undefined) return undefined;
    loop.mark(name);
    // Without time to wait it is judged once all the same, and that by a decision of now.
    if (request.timeout === 0) {
      await untilDecided(loop, this.#tools.world.clock, () => loop.glance(name).due === true);
    }
    const outcome = await this.#until(
      request.timeout,
      () => goalOutcome(request.for, loop.glance(name), () => loop.situation(name).observed),
      request.gone,
    );
    const met = outcome.result === 'done';
    // Deleted meanwhile; what would be told of it is how one is whose removal is held back.
    if (!met && this.#known(name) === undefined) return undefined;
    return { met, service: this.#view(name) };
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
    const view = this.#tools.examine();
    const frozen = this.deploys?.frozenText;
    if (frozen === undefined) return view;
    const hint = 'pmctl resume, or pmctl update, follows the files again';
    const following = { name: 'following', ok: false, level: 'failure', detail: frozen, hint } as const;
    return { checks: [...view.checks, following] };
  }

  measures(): Promise<Measures> {
    return this.#measuring.measures(this.#reconciling.pace);
  }

  shutdown({ answered, ...options }: ShutdownRequest): ShutdownView {
    const { stopsServices, shutdown } = this.#tools;
    // Asked before it begins: then nothing is under way yet.
    const view = stopsServices(options.stopServices);
    if (answered === undefined) shutdown(options);
    else void answered.then(() => shutdown(options));
    return view;
  }

  #apply(request: CommandRequest, intents: ReadonlyMap<ServiceName, Intent>): Applied {
    const { loop } = this.#tools;
    if (isAboutFiles(request.verb)) return enableInFiles(this.#tools, request, intents.keys());
    const problem = loop.setIntents(intents);
    const failed = problem === undefined ? [] : [...intents.keys()].map((name) => [name, problem] as const);
    return { problem: new Map(failed), already: new Set() };
  }

  async #until(
    limit: number,
    ask: () => Outcome,
    gone: AbortSignal | undefined,
  ): Promise<Pick<ChangeResult, 'result' | 'detail' | 'kept'>> {
    const { loop, world } = this.#tools;
    const { result, detail, ...more } = await untilSettled(loop, world.clock, limit, ask, gone);
    return 'kept' in more ? { result, detail, kept: true } : { result, detail };
  }

  #view(name: ServiceName): ServiceView {
    const { loop } = this.#tools;
    return this.#views.service(loop.situation(name), loop.decision(name));
  }

  #known(service: string): ServiceName | undefined {
    return this.#tools.loop.names().find((name) => name === service);
  }
}

/** It edits the file of the service. */
function isAboutFiles(verb: CommandRequest['verb']): boolean {
  return verb === 'enable' || verb === 'disable';
}
