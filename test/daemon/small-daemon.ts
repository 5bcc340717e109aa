/** A loop over a simulated machine that follows whatever a test writes into its directory. */
import type { Loop } from '../../src/daemon/loop.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import type { Clock } from '../../src/world/world.ts';
import { type DefinedChanges, defined, name } from '../builders.ts';
import { SimulatedDaemon } from '../simulation/daemon.ts';
import { Injector } from '../twins/injector.ts';
import { Machine } from '../twins/machine.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import type { Program } from '../twins/program.ts';
import { Chance } from '../twins/random.ts';

export class SmallDaemon {
  readonly loop: Loop;
  readonly clock: Clock;
  /** What the directory says. */
  readonly files = new Map<string, Defined>();
  /** The state directory. */
  readonly state: MemoryFiles;
  readonly #machine = new Machine(new Chance(1, 'machine'));
  readonly #daemon: SimulatedDaemon;

  constructor() {
    const injector = new Injector();
    this.state = new MemoryFiles(injector);
    this.#daemon = new SimulatedDaemon({
      number: 1,
      offset: 1_700_000_000_000,
      bootId: 'boot',
      machine: this.#machine,
      injector,
      files: this.state,
      reader: () => this.reading(),
      chance: new Chance(1, 'daemon'),
      blindness: () => ({ tree: false, services: new Set(), runs: new Set() }),
      refuses: () => false,
      record: () => {},
      told: () => {},
      changed: (service) => this.#daemon.containment.wake(service),
    });
    const changed = (service: ServiceName): void => this.#daemon.containment.wake(service);
    this.#machine.watcher = { changed, ended: () => {} };
    this.loop = this.#daemon.loop;
    this.clock = this.#daemon.clock;
  }

  reading(): DesiredState {
    const services = new Map([...this.files.values()].map((each) => [each.name, each]));
    return { services, problems: [], files: services.size, readable: true };
  }

  /** @param hash another letter: a change that replaces what runs */
  save(service: string, spec: DefinedChanges['spec'] = {}, hash = 'a'): void {
    this.files.set(service, defined({ name: name(service), spec, hash }));
  }

  /** How the executable behaves; a good program unless it is said here. */
  install(path: string, program: Program): void {
    this.#machine.programs.set(path, program);
  }

  /** Lets time pass; the loop is woken by what the kernel tells and when it asked for it, and for nothing else. */
  pass(duration: number): void {
    const [machine, daemon] = [this.#machine, this.#daemon];
    const until = machine.now + duration;
    while (machine.now < until) {
      machine.advance(machine.now + 1);
      for (let letter = daemon.mail.take(machine.now); letter; letter = daemon.mail.take(machine.now))
        letter.act();
      if (!daemon.due && (daemon.wakeAt ?? Number.POSITIVE_INFINITY) > machine.now) continue;
      daemon.due = false;
      const { more, wakeAt } = daemon.loop.pass(25);
      daemon.due ||= more;
      daemon.wakeAt = wakeAt === undefined ? undefined : wakeAt - daemon.offset;
    }
  }

  running(): readonly string[] {
    const lives = (service: ServiceName): boolean =>
      this.#machine.placesOf(service).some(({ processes }) => processes.size > 0);
    return this.loop.names().filter(lives);
  }

  /** The first process of each run of the service exits with code 3. */
  crash(service: string): void {
    for (const { processes } of this.#machine.placesOf(name(service))) {
      const [main] = [...processes];
      if (main !== undefined) this.#machine.end(main, { kind: 'exited', code: 3 });
    }
  }
}
