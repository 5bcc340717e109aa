/** How does a whole life go: one machine, one directory, and daemon after daemon? */
import type { CommandRequest } from '../../src/api/contract.ts';
import { intentAfter } from '../../src/daemon/commands.ts';
import type { Event } from '../../src/model/action.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { Deed } from '../twins/containment.ts';
import { Crash, Injector } from '../twins/injector.ts';
import { Machine, type Process } from '../twins/machine.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { Chance } from '../twins/random.ts';
import { Broken, type Checker } from './checker.ts';
import { SimulatedDaemon, STATE_DIRECTORY } from './daemon.ts';
import { Directory, quickReader, type Reader } from './directory.ts';
import type { Entry } from './trace.ts';
import { type RunTruth, type Seen, Truth } from './truth.ts';

/** What is left of the state directory when a daemon is gone, and what became of the host. */
export interface Fate {
  /** Milliseconds until the next daemon. */
  readonly away: number;
  readonly loses: 'nothing' | 'memory' | 'memory_garbled' | 'definitions' | 'everything' | 'reboot';
  /** The host's clock is set by this much meanwhile. Milliseconds. */
  readonly clock: number;
}

/**
 * More than this within ten seconds is no work any more but a loop; several times what the busiest of many histories
 * needs. `passes` that change nothing are `idle`, `changes` are what is done to the world.
 */
const MOST = { passes: 3000, idle: 2000, changes: 2000 };
const WINDOW = 10_000;

/** What is followed is written down this much later, as the whole daemon does it: it may die before. Milliseconds. */
const SOON = 1;

/** A history that is longer than this never ends: some wait for an hour that a clock went back, and ask each second. */
const MOST_ENTRIES = 250_000;

export class Simulation {
  readonly injector = new Injector();
  readonly files = new MemoryFiles(this.injector);
  readonly directory = new Directory();
  readonly truth = new Truth();
  readonly entries: Entry[] = [];
  readonly machine: Machine;
  daemon: SimulatedDaemon | undefined;
  /** How messages of the kernel reach the daemon. */
  wakes: 'prompt' | 'unsure' = 'prompt';
  /** Milliseconds between two slow looks at everything; null for none. */
  resync: number | null = 30_000;
  /** Somebody has changed the directory since it was last read. */
  unread = false;
  /** The kernel refuses to signal, to kill and to remove. */
  stubborn = false;
  readonly blind = { tree: false, services: new Set<string>(), runs: new Set<string>() };
  makeReader: () => Reader = () => quickReader(this.directory);
  /** What happens to the next daemon that dies within its work. */
  nextFate: Fate = { away: 1000, loses: 'nothing', clock: 0 };
  readonly #checkers: readonly Checker[];
  readonly #chance: Chance;
  readonly #seed: number;
  readonly #unsure = new Set<ServiceName>();
  #daemons = 0;
  #boots = 0;
  #bootAt: number | undefined;
  #offset = 1_700_000_000_000;
  #resyncAt = 0;
  #window = 0;
  #keep: Reader['keep'] = () => {};
  #work = { passes: 0, idle: 0, callsBefore: 0 };

  constructor(seed: number, checkers: readonly Checker[]) {
    this.#seed = seed;
    this.#checkers = checkers;
    this.#chance = new Chance(seed, 'delays');
    this.machine = new Machine(new Chance(seed, 'machine'));
    this.machine.watcher = {
      changed: (service) => this.#changed(service),
      ended: (process, outcome) => this.#ended(process, outcome),
    };
  }

  get now(): number {
    return this.machine.now;
  }

  /** What the clock of the present daemon shows. */
  get clockNow(): number {
    return this.now + (this.daemon?.offset ?? this.#offset);
  }

  note(note: string): void {
    this.#add({ what: 'note', note });
  }

  boot(): void {
    this.#bootAt = undefined;
    this.truth.bootedAt = this.now;
    this.#daemons += 1;
    this.#resyncAt = this.now + (this.resync ?? 0);
    this.note('a daemon starts');
    this.#mayDie(() => {
      const number = this.#daemons;
      const reader = this.makeReader();
      this.#keep = reader.keep;
      const daemon = new SimulatedDaemon({
        number,
        offset: this.#offset,
        bootId: `boot-${this.#boots}`,
        machine: this.machine,
        injector: this.injector,
        files: this.files,
        reader: reader.read,
        chance: new Chance(this.#seed, `daemon ${number}`),
        blindness: () => this.blind,
        refuses: () => this.stubborn,
        record: (deed) => this.#did(deed),
        told: (event) => this.#told(event),
        changed: (service) => this.#changed(service),
        programOf: ({ id }) => this.truth.runs.get(id)?.spec.process.command[0] ?? '',
      });
      this.daemon = daemon;
      this.truth.ending = undefined;
      for (const name of this.truth.inForce.keys()) this.truth.lift(name, this.now);
      this.truth.inForce = new Map();
      for (const name of this.#unsure) this.truth.intents.set(name, daemon.store.intent(name));
      for (const name of this.truth.forgotten) this.truth.forget(name, daemon.store.intent(name));
      this.#unsure.clear();
      for (const name of this.truth.mayGo) {
        // The last daemon may have died before it wrote down that the removal was approved.
        if (daemon.store.intent(name).removalApproved !== true) this.truth.mayGo.delete(name);
      }
      for (const name of this.truth.cameBack) {
        if (daemon.store.intent(name).removalApproved === true) this.truth.mayGo.add(name);
      }
      for (const checker of this.#checkers) checker.boot?.(this);
      this.#follow();
      this.reload();
    });
  }

  /** The daemon reads the directory and follows it. */
  reload(only?: ReadonlySet<string>): void {
    this.#asDaemon((daemon) => {
      const reading = daemon.loop.peek();
      const before = new Map(daemon.loop.desired.services);
      this.note(`reads the directory${only === undefined ? '' : ` for ${[...only].join(', ')}`}`);
      if (only === undefined) this.unread = false;
      this.truth.reload(reading, only, this.#seen(daemon), this.now);
      daemon.loop.use(reading, only);
      daemon.clock.after(SOON, () => this.#keep(daemon.loop.desired.services));
      for (const checker of this.#checkers) checker.follow?.(this, before, only);
      if (daemon.loop.removals.held.length > 0) this.truth.hinderedAt = this.now;
      this.#follow();
    });
  }

  prune(): void {
    this.#noteHindrance();
    this.#asDaemon((daemon) => {
      this.note('prune');
      const { held } = daemon.loop.removals;
      for (const name of held) this.truth.mayGo.add(name);
      const gone = [...this.truth.intents.keys()].filter((name) => !this.truth.inForce.has(name));
      for (const name of gone) this.#unsure.add(name);
      const confirmed = daemon.loop.prune() === undefined;
      for (const name of gone) this.#unsure.delete(name);
      for (const name of held) this.truth[confirmed ? 'heldBack' : 'mayGo'].delete(name);
      if (confirmed) this.truth.confirm();
      else for (const name of gone) this.truth.intents.set(name, daemon.store.intent(name));
    });
  }

  /** Everything is to end; the daemon goes with it. */
  end(hurry: boolean): void {
    this.#noteHindrance();
    this.#asDaemon((daemon) => {
      this.note(`end of everything${hurry ? ', at once' : ''}`);
      this.truth.ending = { hurry };
      daemon.loop.end('shutdown', hurry);
    });
  }

  /** As the control does it: the intent is on disk before the command is answered. */
  command(request: Pick<CommandRequest, 'verb' | 'for' | 'instances'>, name: ServiceName): void {
    this.#asDaemon((daemon) => {
      if (!daemon.loop.names().includes(name)) {
        this.note(`${request.verb} ${name}: there is no such service`);
        return;
      }
      const situation = daemon.loop.situation(name);
      const answer = intentAfter({ ...request, services: [name], by: 'operator', wait: 0 }, situation);
      if ('refused' in answer) {
        this.note(`${request.verb} ${name}: refused, ${answer.refused}`);
        return;
      }
      this.note(`${request.verb} ${name}`);
      this.#unsure.add(name);
      const problem = daemon.loop.setIntents(new Map([[name, answer.intent]]));
      this.#unsure.delete(name);
      if (problem !== undefined) return;
      if (answer.intent.pardon !== this.truth.intent(name).pardon) this.truth.lift(name, this.now);
      this.truth.intents.set(name, answer.intent);
      if (request.verb === 'hold' || request.verb === 'release') this.truth.hinderedAt = this.now;
    });
  }

  /** Ends the daemon. @param politely it writes down what it knows before */
  die(fate: Fate, politely: boolean): void {
    this.#asDaemon((daemon) => {
      if (politely) daemon.loop.flush();
    });
    if (this.daemon !== undefined) this.#gone(politely ? 'leaves' : 'is killed', fate);
  }

  /** Lets time pass. */
  run(duration: number): void {
    const until = this.now + duration;
    for (;;) {
      const { daemon } = this;
      if (daemon === undefined && this.#bootAt !== undefined && this.#bootAt <= this.now) {
        this.boot();
        continue;
      }
      const letter = daemon?.mail.take(this.now);
      if (letter !== undefined) {
        this.#asDaemon(() => letter.act());
        continue;
      }
      if (daemon !== undefined && this.#isDue(daemon)) {
        this.#pass();
        continue;
      }
      const next = this.#next(until);
      if (next >= until) break;
      this.machine.advance(next);
    }
    this.machine.advance(until);
  }

  /** Ends blindness and a full disk. */
  seeAgain(): void {
    this.blind.tree = false;
    this.blind.services.clear();
    this.blind.runs.clear();
    this.files.failing = undefined;
    this.stubborn = false;
  }

  /** Marks everything and passes until nothing is due: the slow look. */
  lookAtEverything(): void {
    this.#asDaemon((daemon) => daemon.loop.markAll());
    this.run(0);
  }

  #seen({ store }: SimulatedDaemon): Seen {
    const running = new Set([...this.machine.places.values()].map((place) => place.key.service));
    const known = new Set([...running, ...this.machine.services, ...store.names()]);
    return { known, running, blind: this.blind.tree || this.blind.services.size > 0 };
  }

  /** What could not be judged when the directory was read, or not be written down, is judged later. */
  #judgeAgain(daemon: SimulatedDaemon): void {
    this.truth.judgeRemovals(this.#seen(daemon));
  }

  #isDue(daemon: SimulatedDaemon): boolean {
    if (this.resync !== null && this.#resyncAt <= this.now) {
      this.#resyncAt = this.now + this.resync;
      this.#asDaemon(() => {
        this.#judgeAgain(daemon);
        daemon.loop.resync();
      });
    }
    return daemon.due || (daemon.wakeAt !== undefined && daemon.wakeAt <= this.now);
  }

  #next(until: number): number {
    const { daemon, machine } = this;
    let next = until;
    const times =
      daemon === undefined
        ? [machine.agenda.next, this.#bootAt]
        : [
            machine.agenda.next,
            daemon.mail.next,
            daemon.wakeAt,
            this.resync === null ? undefined : this.#resyncAt,
          ];
    for (const at of times) if (at !== undefined && at < next) next = at;
    return Math.max(next, this.now);
  }

  #pass(): void {
    this.#mustRest();
    const { calls } = this.injector;
    this.#noteHindrance();
    for (const checker of this.#checkers) checker.before?.(this);
    this.#asDaemon((daemon) => {
      daemon.due = false;
      this.#judgeAgain(daemon);
      const { more, wakeAt } = daemon.loop.pass(this.#chance.between(0, 25));
      daemon.due ||= more;
      daemon.wakeAt = wakeAt === undefined ? undefined : wakeAt - daemon.offset;
      if (this.injector.calls === calls) this.#work.idle += 1;
      this.#follow();
    });
  }

  /** However time stands still: what goes on for too long is ended here. */
  #mustRest(): void {
    const { calls } = this.injector;
    if (this.now - this.#window >= WINDOW) {
      this.#window = this.now;
      this.#work = { passes: 0, idle: 0, callsBefore: calls };
    }
    this.#work.passes += 1;
    const { passes, idle, callsBefore } = this.#work;
    const changes = calls - callsBefore;
    const isBusy = passes > MOST.passes || idle > MOST.idle || changes > MOST.changes;
    if (!isBusy && this.entries.length <= MOST_ENTRIES) return;
    throw new Broken(
      'the loop comes to rest',
      `${passes} passes, ${idle} of them idle, and ${changes} changes within ${WINDOW / 1000} s; ${this.entries.length} entries in all`,
    );
  }

  /** Blind, or refused by the kernel: what is late now need not be anybody's fault. */
  #noteHindrance(): void {
    if (this.stubborn || this.blind.tree || this.blind.services.size + this.blind.runs.size > 0) {
      this.truth.hinderedAt = this.now;
    }
  }

  /** What the daemon itself may change in the intents. */
  #follow(): void {
    const { daemon, truth } = this;
    if (daemon === undefined) return;
    for (const [name, intent] of truth.intents) {
      if (intent.scale !== undefined) truth.followScale(name, daemon.store.intent(name));
    }
    for (const name of truth.forgotten) truth.forget(name, daemon.store.intent(name));
    truth.forgotten.clear();
    for (const name of daemon.loop.removals.held) {
      if (daemon.store.intent(name).removalHeld !== true) continue;
      truth.heldBack.add(name);
      truth.mayGo.delete(name);
    }
    for (const name of truth.cameBack) {
      if (daemon.store.intent(name).removalApproved !== true) truth.cameBack.delete(name);
    }
    if (this.files.failures > 0) truth.writeFailedAt = this.now;
    this.files.failures = 0;
  }

  /** Nothing is done while no daemon lives. */
  #asDaemon(act: (daemon: SimulatedDaemon) => void): void {
    const { daemon } = this;
    if (daemon !== undefined) this.#mayDie(() => act(daemon));
  }

  #mayDie(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#gone(error.message, this.nextFate);
    }
  }

  #gone(how: string, fate: Fate): void {
    this.note(`${how}; away for ${fate.away} ms, loses ${fate.loses}, clock ${fate.clock} ms`);
    this.truth.hinderedAt = this.now;
    this.truth.diedAt = this.now;
    this.daemon?.containment.close();
    this.daemon = undefined;
    this.#bootAt = this.now + fate.away;
    this.#offset += fate.clock;
    const { truth, files } = this;
    if (fate.clock > 0) truth.clockForwardAt = this.now;
    const path = (name: string): string => `${STATE_DIRECTORY}/${name}.json`;
    const remembered = files.contents.get(path('memory')) ?? '';
    for (const run of truth.runs.values()) {
      // The mark of a stop that was about to begin stands behind the id of its run.
      const about = remembered.split(`"${run.key.id}":{`)[1]?.slice(0, 400) ?? '';
      run.unsure ||= /^[^}]*\}?,"stop":\{[^}]*"step":"due"/.test(about);
    }
    if (fate.loses === 'nothing') return;
    truth.memoryLostAt = this.now;
    if (fate.loses === 'definitions' || fate.loses === 'everything') truth.definitionsLostAt = this.now;
    if (fate.loses === 'memory') files.contents.delete(path('memory'));
    if (fate.loses === 'memory_garbled') files.set(path('memory'), '{"version":1,"serv');
    if (fate.loses === 'definitions') files.contents.delete(path('applied'));
    if (fate.loses === 'everything') {
      files.contents.clear();
      truth.intents.clear();
      truth.heldBack.clear();
      truth.stateLostAt = this.now;
    }
    if (fate.loses === 'reboot') {
      this.#boots += 1;
      this.machine.reboot();
      this.seeAgain();
    }
  }

  #changed(service: ServiceName): void {
    const { daemon } = this;
    if (daemon === undefined) return;
    const wake = (): void => daemon.containment.wake(service);
    const post = (most: number): void => {
      daemon.mail.add(this.now + this.#chance.between(0, most), wake);
    };
    if (this.wakes === 'prompt') {
      post(3);
      return;
    }
    const how = this.#chance.weighed({ prompt: 4, lost: 2, twice: 2, late: 2 });
    if (how === 'prompt') post(3);
    if (how === 'late') post(5000);
    if (how === 'twice') {
      post(3);
      post(200);
    }
  }

  #ended(process: Process, outcome: Outcome): void {
    if (process.place === undefined) return;
    const { key } = process.place;
    const run = this.truth.runs.get(key.id);
    if (process.role === 'command') {
      const failed = outcome.kind !== 'exited' || outcome.code !== 0;
      if (failed && run !== undefined) run.commandFailedAt = this.now;
      return;
    }
    this.#add({ what: 'exit', run: key, role: process.role, outcome });
    const isEmpty = ![...process.place.processes].some(({ alive }) => alive);
    if (isEmpty && run !== undefined) run.emptyAt = this.now;
    if (process.role !== 'main' || run === undefined) return;
    // It never reached its container, so nothing ever ran.
    run.everRan = process.joined;
    run.end = { at: this.now, outcome, seen: this.daemon?.number === run.daemon };
  }

  #told({ name, service, run_id, fields }: Event): void {
    this.#follow();
    this.#add({ what: 'told', event: name, service: service ?? '', id: run_id, fields });
    if (/^(startup|liveness)_failed/.test(String(fields['reason']))) {
      const run = run_id === undefined ? undefined : this.truth.runs.get(run_id);
      if (run !== undefined && this.machine.place(run.key) !== undefined) run.unfit = true;
    }
  }

  #did(deed: Deed): void {
    this.#follow();
    this.#add(deed);
    const { truth, now } = this;
    switch (deed.what) {
      case 'start': {
        truth.applies(deed.run.service, now);
        const desired = truth.inForce.get(deed.run.service);
        if (desired?.kind !== 'defined') return;
        truth.runs.set(deed.run.id, {
          key: deed.run,
          daemon: this.#daemons,
          startedAt: now,
          spec: desired.spec,
          digest: desired.digest,
          pardon: truth.intent(deed.run.service).pardon ?? 0,
          stopAt: undefined,
          killedAt: undefined,
          killedFrom: undefined,
          everRan: true,
          unsure: false,
          commandFailedAt: undefined,
          end: undefined,
          answers: {},
          unfit: false,
          emptyAt: undefined,
        });
        return;
      }
      case 'refused':
        truth.refusals.push({ key: deed.run, daemon: this.#daemons, at: now });
        return;
      case 'signal':
      case 'kill':
      case 'stop_command': {
        const run = truth.runs.get(deed.run.id);
        if (run === undefined) return;
        run.stopAt ??= now;
        if (deed.what === 'kill') {
          run.killedAt = now;
          run.killedFrom ??= now;
        }
        run.commandFailedAt = undefined;
        return;
      }
      case 'beside': {
        const run = truth.runs.get(deed.run.id);
        if (run !== undefined && deed.word === 'pre_stop') run.stopAt ??= now;
        return;
      }
      case 'answer': {
        const run = truth.runs.get(deed.run.id);
        const { word, ok } = deed;
        if (word === 'pre_start' && !ok) truth.unprepared.add(deed.run.service);
        if (run === undefined || !(word === 'startup' || word === 'readiness' || word === 'liveness')) return;
        truth.answered(run, word, ok, this.#daemons, now);
        return;
      }
      case 'forget':
        truth.forgotten.add(deed.service);
        truth.heldBack.delete(deed.service);
        truth.forgottenAt.set(deed.service, now);
        truth.lift(deed.service, now);
        return;
      case 'limit':
        truth.applies(deed.service, now);
        return;
      default:
    }
  }

  #add(
    what: Entry extends infer One ? (One extends Entry ? Omit<One, 'at' | 'daemon'> : never) : never,
  ): void {
    const entry = { at: this.now, daemon: this.#daemons, ...what } as Entry;
    this.entries.push(entry);
    for (const checker of this.#checkers) checker.see?.(entry, this);
  }
}

/** Is another run of the same age beside it in its place? While one rolls, an older and a newer one have room. */
export function isDuplicate({ machine, truth }: Simulation, run: RunTruth): boolean {
  const { service, slot, id } = run.key;
  const rolls = truth.rolls(service);
  return machine
    .placesOf(service)
    .some(
      ({ key }) =>
        key.slot === slot && key.id !== id && (!rolls || truth.isCurrent(key) === truth.isCurrent(run.key)),
    );
}
