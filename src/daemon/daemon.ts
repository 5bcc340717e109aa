/** The composition root: builds everything, starts it in order, and ends it in order. */
import type { LogsRequest, LogsView } from '../api/contract.ts';
import type { Kept } from '../config/load.ts';
import type { OpenLog, StartTools } from '../executor/start.ts';
import type { Event } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState } from '../model/spec.ts';
import { count } from '../model/units.ts';
import type { EventFiles } from '../world/event-files.ts';
import type { Host } from '../world/host.ts';
import { hostFacts } from '../world/host-facts.ts';
import type { LogCare } from '../world/log-care.ts';
import type { World } from '../world/world.ts';
import { type ControlTools, LocalControl } from './control.ts';
import type { ServiceFileTools } from './definitions.ts';
import { type DirectoryTools, deploymentOf } from './deployment.ts';
import type { DeployTools } from './deploys.ts';
import { Development, ownLogs } from './development.ts';
import { examine } from './doctor.ts';
import { everythingIsDown } from './everything-down.ts';
import { filesBehind } from './files-behind.ts';
import {
  type Foreground,
  type ForegroundTools,
  restartAll,
  tellExhausted,
  whenExhausted,
} from './foreground.ts';
import type { Freeze } from './freeze.ts';
import type { Cause } from './history.ts';
import { Journal } from './journal.ts';
import { type KeptState, readKeptState } from './kept-state.ts';
import { type Ending, endOf, tellLeft } from './leaving.ts';
import type { LogKeeping, LogKeepingTools } from './log-keeping.ts';
import { logKeepingOf } from './log-setup.ts';
import { Looks } from './looks.ts';
import { Loop } from './loop.ts';
import type { Notifications } from './notifications.ts';
import { notificationsOf } from './notify-setup.ts';
import { type Log, Reports } from './reports.ts';
import { Schedule } from './schedule.ts';
import { Serving } from './serving.ts';
import type { Wrote } from './state-problems.ts';
import { StateTrouble } from './state-trouble.ts';
import type { Sync } from './sync.ts';
import { syncOf } from './sync-setup.ts';
import type { SyncTools } from './sync-tools.ts';
import { untilSettled } from './waiting.ts';

export interface DaemonTools {
  readonly world: World;
  readonly host: Host;
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  /** The files, or these texts in their place. */
  readonly read: (texts?: Freeze['texts']) => DesiredState;
  /** Absent where no directory is followed. */
  readonly directory?: DirectoryTools;
  readonly checkout: SyncTools['checkout'];
  readonly readAs: SyncTools['readAs'];
  /** Writes what has to be kept of the last reading, so many at most; called when nobody waits for it. */
  readonly keepRead: (inForce: DesiredState['services']) => Kept;
  readonly openLog: OpenLog;
  readonly closeLog: (fd: number) => void;
  readonly appendMarker: LogKeepingTools['appendMarker'];
  /** null: what services write goes nowhere that has to be kept in order. */
  readonly logCare: LogCare | null;
  readonly clearPidFile: StartTools['clearPidFile'];
  /** Absent: what happened is forgotten with the daemon. */
  readonly eventFiles?: EventFiles;
  readonly readLogs: (request: LogsRequest, desired: DesiredState) => LogsView;
  readonly serviceFiles: ServiceFileTools;
  readonly setEnabled: ControlTools['setEnabled'];
  /** Absent where a directory of files is followed. */
  readonly foreground?: Foreground;
}

/** Longest time that a stop of everything is waited for before the daemon ends all the same. Milliseconds. */
const LONGEST_END = 24 * 3600 * 1000;

/** Runs until a signal or a command ends it. */
export class Daemon {
  readonly #tools: DaemonTools;
  readonly #loop: Loop;
  readonly #schedule: Schedule;
  readonly #reports: Reports;
  readonly #journal: Journal;
  readonly #notifications: Notifications;
  /** What is asked by who runs this daemon inside of a program. */
  readonly control: LocalControl;
  readonly #serving: Serving;
  readonly #development: Development;
  readonly #sync: Sync;
  readonly #logs: LogKeeping;
  readonly #deploy: DeployTools | undefined;
  readonly #kept: KeptState;
  readonly #trouble: StateTrouble;
  readonly #looks: Looks;
  #watch: { follow(paths: ReadonlySet<string>): void; close(): Promise<void> } | undefined;
  #ending: Ending = 'no';

  constructor(tools: DaemonTools) {
    this.#tools = tools;
    const { world, host, settings, log } = tools;
    const wrote: Wrote = (part, problem) => this.#trouble.wrote(part, problem);
    const journal = new Journal({ files: tools.eventFiles, clock: world.clock, log, wrote });
    this.#journal = journal;
    this.#reports = new Reports({ host, log, journal, clock: world.clock, settings });
    this.#kept = readKeptState(world.files, settings, host.bootId);
    const { store, freeze, unfinished } = this.#kept;
    this.#trouble = new StateTrouble({
      ...{ files: world.files, clock: world.clock, stateDirectory: settings.state_directory },
      reports: this.#reports,
      mended: (part) => (part === 'snapshots' ? this.#deploy?.history.again() : this.#keepRead()),
    });
    const facts = hostFacts();
    this.#loop = new Loop({
      ...tools,
      read: () => tools.read(freeze.texts ?? this.#sync.unknown),
      store,
      zone: () => facts.zone,
      inherited: host.environment,
      report: (event) => this.#happened(event),
      starting: (run, service, reason) => this.#logs.starting(run, service, reason),
      complain: (problem) => this.#reports.complain(problem),
    });
    this.#logs = logKeepingOf({ ...tools, wrote }, this.#loop, this.#reports);
    this.#schedule = new Schedule(this.#loop, world.clock, host);
    this.#notifications = notificationsOf({ ...tools, wrote }, this.#loop, this.#reports, {
      frozen: () => this.control.deploys?.frozenText,
      problems: () => this.#sync.problems,
    });
    this.#deploy = deploymentOf(tools, this.#loop, freeze, {
      complain: (problem) => this.#reports.complain(problem),
      wrote: (problem) => wrote('snapshots', problem),
      manager: (name, fields) => this.#reports.manager(name, fields),
    });
    this.control = new LocalControl({
      world,
      loop: this.#loop,
      settings,
      version: tools.version,
      pid: host.pid,
      startedAt: world.clock.now(),
      journal,
      setEnabled: tools.setEnabled,
      serviceFiles: tools.serviceFiles,
      readLogs: tools.readLogs,
      sync: (request) => this.#sync.sync(request),
      syncProblems: () => this.#sync.problems,
      trouble: this.#trouble,
      logs: this.#logs,
      sources: (name) => this.#development.problems(name),
      examine: () => examine(world, settings, this.#loop, host.system, this.#trouble.problems),
      followed: (cause) => this.#followed(cause),
      deploy: this.#deploy,
      manager: (name, fields) => this.#reports.manager(name, fields),
      note: (event) => this.#reports.note(event),
      stopsServices: (asked) => endOf(this.#ending, asked, tools),
      shutdown: ({ stopServices, by }) => this.#end(`shutdown_by_${by}`, stopServices),
    });
    const parts = { control: this.control, loop: this.#loop, reports: this.#reports, freeze };
    this.#sync = syncOf(tools, parts, {
      unfinished,
      changed: () => settings.watch.enabled && void this.#reconcile('watch'),
      noticed: () => this.#notifications.look(),
    });
    this.#serving = new Serving({
      ...tools,
      control: this.control,
      complain: (problem) => this.#reports.complain(problem),
      // What runs is left to the daemon that can be commanded.
      unavailable: () => this.#end('socket_unavailable', false, 1),
    });
    this.#looks = new Looks({
      ...{ world, loop: this.#loop, trouble: this.#trouble, logs: this.#logs },
      ...{ serving: this.#serving, reports: this.#reports },
      follow: () => settings.watch.enabled && void this.#reconcile('resync'),
      ending: () => this.#ending,
      // Where their end would come with its own, it stays and does nothing.
      leave: () => !endOf(this.#ending, false, tools).stopServices && this.#end('superseded', false, 1),
    });
    this.#development = new Development({
      restart: (request) => this.control.command(request),
      situation: (name) => this.#loop.situation(name),
      lasting: (before, now) => this.#reports.lasting(before, now),
      ...{ clock: world.clock, log, written: ownLogs(settings) },
    });
  }

  /**
   * Services first: whatever is not needed to start them is loaded afterwards.
   * @returns a Problem: what people asked for is not known, or nobody could ask; nothing was started, stopped or written
   */
  async start(): Promise<Problem | undefined> {
    const { host, settings, world, log, version } = this.#tools;
    const refused = this.#kept.unknown ?? (await this.#serving.refusal());
    if (refused !== undefined) {
      for (const { problem } of this.#kept.lost) this.#reports.complain(problem);
      world.containment.close();
      return refused;
    }
    this.#reports.manager('manager_started', {
      version,
      containment: world.containment.kind,
      ...(this.#tools.foreground?.about ?? { config_directory: settings.config_directory }),
    });
    this.#trouble.found(this.#kept.lost);
    // A limit that this host cannot apply is told where a service asks for it, and by `doctor`.
    const weak = world.containment.shortcomings.filter((problem) => problem.code !== 'limit-unapplied');
    for (const problem of weak) this.#reports.complain(problem);
    host.onSignal('SIGTERM', () => this.#signalled('term'));
    host.onSignal('SIGINT', () => this.#signalled('int'));
    host.onSignal('SIGHUP', () => void this.#hungUp());
    this.#endWithWorkers();
    this.#logs.resume();
    const begun = world.clock.now();
    await this.#sync.settle();
    this.#reports.configuration(this.#loop.reload().problems);
    await this.#schedule.settled();
    this.#keepRead();
    await Promise.all([
      this.#serving.open(),
      this.#watchFiles(),
      this.#development.follow(this.#loop.desired, begun),
    ]);
    this.#logs.arrange(this.#loop.desired);
    this.#sync.begin();
    this.#deploy?.history.applied({ trigger: 'boot', by: null });
    this.#looks.begin();
    this.#notifications.begin();
    const { files, services } = this.#loop.desired;
    log.info(
      { services: services.size, files },
      `ready: ${count(services.size, 'service')} from ${this.#tools.foreground?.source ?? settings.config_directory}`,
    );
    return undefined;
  }

  #happened(event: Event): void {
    this.#reports.event(event);
    this.#logs.happened(event);
  }

  async #watchFiles(): Promise<void> {
    const { settings, log } = this.#tools;
    if (!settings.watch.enabled) return;
    const { DirectoryWatch } = await import('../world/directory-watch.ts');
    this.#watch = new DirectoryWatch({
      directory: settings.config_directory,
      settle: settings.watch.settle,
      changed: () => void this.#reconcile('watch'),
      failed: (reason) =>
        log.warn({ reason }, `watching files failed (${reason}); the slow look finds changes meanwhile`),
      mended: () => log.info({}, 'files are watched again'),
    });
    this.#watch.follow(filesBehind(this.#loop.desired));
    // What was saved between the first reading and the watch is not to wait for the slow look.
    void this.#reconcile('watch');
  }

  async #reconcile(trigger: 'HUP' | 'watch' | 'resync'): Promise<void> {
    if (this.#ending !== 'no') return;
    if (trigger !== 'HUP' && !this.#sync.isStill(() => void this.#reconcile(trigger))) return;
    const wait = trigger === 'resync' ? 0 : LONGEST_END;
    await this.control.reconcile({ services: [], prune: false, wait }, trigger);
  }

  async #hungUp(): Promise<void> {
    this.#serving.renew();
    if (this.#tools.foreground === undefined) return this.#reconcile('HUP');
    if (this.#ending === 'no') await restartAll(this.#foregroundTools(), LONGEST_END);
  }

  #endWithWorkers(): void {
    const service = this.#tools.foreground?.endsWith ?? null;
    if (service === null) return;
    whenExhausted(service, this.#foregroundTools(), (status) => {
      if (this.#ending === 'no') this.#end(tellExhausted(this.#foregroundTools(), status), true, status);
    });
  }

  #foregroundTools(): ForegroundTools {
    const manager: ForegroundTools['manager'] = (name, fields) => this.#reports.manager(name, fields);
    return { loop: this.#loop, journal: this.#journal, control: this.control, manager };
  }

  #followed(cause: Cause): void {
    const { desired } = this.#loop;
    void this.#development.follow(desired, this.#tools.world.clock.now());
    this.#logs.arrange(desired);
    this.#reports.configuration(desired.problems);
    this.#watch?.follow(filesBehind(desired));
    this.#tools.host.soon(() => this.#keepRead());
    this.#deploy?.history.applied(cause);
  }

  #keepRead(): void {
    const kept = this.#tools.keepRead(this.#loop.desired.services);
    if (kept === 'more') this.#tools.host.soon(() => this.#keepRead());
    else this.#trouble.wrote('last-good', kept === 'all' ? undefined : kept);
  }

  #signalled(signal: 'term' | 'int'): void {
    this.#reports.manager('manager_shutdown_requested', {
      signal: signal.toUpperCase(),
      reason: `signal_${signal}`,
    });
    // While services are being stopped, it cuts their grace short.
    if (this.#ending === 'stopping') this.#loop.end(`signal_${signal}`, true);
    this.#end(`signal_${signal}`, this.#tools.settings.on_exit === 'stop');
  }

  #end(reason: string, asked: boolean, code = 0): void {
    if (this.#ending !== 'no') return;
    const { stopServices } = endOf(this.#ending, asked, this.#tools);
    this.#ending = stopServices ? 'stopping' : 'leaving';
    this.#reports.manager('manager_stopping', { reason, exit_code: code });
    if (!stopServices && !this.#looks.isSuperseded) tellLeft(this.#loop, this.#tools.log);
    void this.#finish(reason, code);
  }

  async #finish(reason: string, code: number): Promise<void> {
    const { world, host } = this.#tools;
    this.#sync.close();
    this.#trouble.close();
    this.#notifications.close();
    await Promise.all([this.#watch?.close(), this.#development.close(), this.#logs.close()]);
    if (this.#ending === 'stopping') {
      this.#loop.end(reason, false);
      await untilSettled(this.#loop, world.clock, LONGEST_END, () =>
        everythingIsDown(this.#loop, this.#looks),
      );
    }
    await Promise.all([this.#logs.forwardLast(), this.#deploy?.history.close()]);
    this.#schedule.stop();
    if (!this.#looks.isSuperseded) this.#loop.flush();
    await this.#serving.close();
    world.containment.close();
    this.#reports.manager('manager_stopped', { reason, exit_code: code });
    this.#journal.close();
    host.exit(code);
  }
}
