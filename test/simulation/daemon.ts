/** How does a daemon live in the simulation: the real loop, store and hands over the twins of every port? */
import { Loop } from '../../src/daemon/loop.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Action, Event } from '../../src/model/action.ts';
import type { RunKey, ServiceName } from '../../src/model/names.ts';
import type { Settings } from '../../src/model/settings.ts';
import type { Decision } from '../../src/reconcile/situation.ts';
import type { Clock, Users } from '../../src/world/world.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';
import { type Blindness, type Deed, SimulatedContainment } from '../twins/containment.ts';
import type { Injector } from '../twins/injector.ts';
import type { Machine } from '../twins/machine.ts';
import type { MemoryFiles } from '../twins/memory-files.ts';
import type { Chance } from '../twins/random.ts';
import type { Reader } from './directory.ts';
import { MAX_PERCENT } from './truth.ts';

export interface DaemonTools {
  readonly number: number;
  /** What this daemon's clock shows more than the machine's. */
  readonly offset: number;
  readonly bootId: string;
  readonly machine: Machine;
  readonly injector: Injector;
  readonly files: MemoryFiles;
  readonly reader: Reader['read'];
  readonly chance: Chance;
  readonly blindness: () => Blindness;
  readonly refuses: () => boolean;
  readonly record: (deed: Deed) => void;
  readonly told: (event: Event) => void;
  readonly changed: (service: ServiceName) => void;
  readonly programOf?: (run: RunKey) => string;
}

export class SimulatedDaemon {
  readonly number: number;
  readonly offset: number;
  readonly clock: Clock;
  readonly store: Store;
  readonly loop: Loop;
  readonly containment: SimulatedContainment;
  /** What the kernel has for this daemon: it is told between two passes. */
  readonly mail = new Agenda();
  due = false;
  /** In the time of the machine. */
  wakeAt: number | undefined;

  constructor(tools: DaemonTools) {
    const { machine, files, chance } = tools;
    this.number = tools.number;
    this.offset = tools.offset;
    this.clock = simulatedClock(machine, tools.offset, this.mail);
    this.containment = new SimulatedContainment({
      ...tools,
      programOf: tools.programOf ?? (() => ''),
      asked: asking((service) => this.loop.decision(service)),
      clock: this.clock,
      deliver: (tell) => this.mail.add(machine.now + chance.between(0, 2), tell),
    });
    this.store = new Store(files, STATE_DIRECTORY, tools.bootId);
    this.store.load();
    const { clock, containment } = this;
    this.loop = new Loop({
      world: {
        clock,
        random: chance,
        files,
        users: NOBODY,
        containment,
        prober: containment.prober,
        forking: () => null,
      },
      settings: SETTINGS,
      store: this.store,
      zone: () => 'UTC',
      inherited: {},
      openLog: () => ({ fd: 1 }),
      closeLog: () => {},
      clearPidFile: () => undefined,
      read: tools.reader,
      report: tools.told,
      complain: () => {},
    });
    this.loop.onDue = () => {
      this.due = true;
    };
  }
}

/** A decision is carried out in its order, so each question at one address is that of the next run it names. */
function asking(
  decisionOf: (service: ServiceName) => Decision | undefined,
): ConstructorParameters<typeof SimulatedContainment>[0]['asked'] {
  const asked = new WeakMap<Decision, Set<Action>>();
  return (service, kind, slot, generation) => {
    const decision = decisionOf(service);
    if (decision === undefined) return undefined;
    const before = asked.get(decision) ?? new Set();
    asked.set(decision, before);
    for (const action of decision.actions) {
      if (action.do !== 'probe' || action.kind !== kind || before.has(action)) continue;
      if (action.run.slot !== slot || action.run.generation !== generation) continue;
      before.add(action);
      return action.run.id;
    }
    return undefined;
  };
}

export const STATE_DIRECTORY = '/state';

const NOBODY: Users = {
  user: () => undefined,
  group: () => undefined,
  self: { uid: 0, gid: 0, groups: null, user: 'root', home: '/root', shell: '/bin/sh' },
};

const SETTINGS: Settings = {
  file: null,
  pools: { start_port: 4000, end_port: 4099 },
  config_directory: '/etc/config.d',
  state_directory: STATE_DIRECTORY,
  sock_path: '/run/sock',
  sock_owner: null,
  sock_group: null,
  api: { listen: null, tls: { cert: null, key: null }, tokens: null, allowed_hosts: [], insecure: false },
  sock_mode: 0o660,
  containment: 'auto',
  cgroup_root: null,
  cgroup_name: 'processmaster',
  cgroup_cpu_max: null,
  cgroup_memory_max: null,
  cgroup_memory_swap_max: null,
  watch: { enabled: false, settle: 200 },
  prune: { max_percent: MAX_PERCENT },
  service_defaults: {},
  vars: {},
  cluster: { enabled: false, name: 'default', node_id: 'node', expected_nodes: 1 },
  on_exit: 'leave',
  lifecycle_log: null,
  logs: { max_total_size: null },
  events: { max_size: 1_000_000 },
  notify: [],
  history: { max_snapshots: 50 },
  sync: { interval: null, on_failure: 'stop' },
  log: { level: 'info', file: null, format: 'auto' },
};
