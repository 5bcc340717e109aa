/** What does the history see of a daemon? Only what is desired, and how each service stands. */
import type { Commit, Trigger } from '../../src/api/deploys.ts';
import { History } from '../../src/daemon/history.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import { Snapshots } from '../../src/daemon/snapshots.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Defined, Desired, DesiredState } from '../../src/model/spec.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import type { Clock } from '../../src/world/world.ts';
import { defined, memory, NOW, name, runKey } from '../builders.ts';
import { TwinFiles } from '../twins/files.ts';

export const soon = (): Promise<void> => Promise.resolve();

/** A daemon of which only this is there: what is desired, and how each service stands. */
export class Place {
  readonly files: TwinFiles;
  readonly stands = new Map<string, 'up' | 'failed' | 'waiting' | 'completed'>();
  /** What each service is. */
  type: 'service' | 'oneshot' = 'service';
  readonly complaints: string[] = [];
  /** Why something of the history waits to be written, as last told. */
  unwritten: string | undefined;
  readonly texts = new WeakMap<Desired, string>();
  readonly history: History;
  readonly snapshots: Snapshots;
  /** What Git tells, and when. */
  commit: Commit | null | Promise<Commit> = null;
  desired: DesiredState = { services: new Map(), problems: [], files: 0, readable: true };
  #now = NOW;
  #timers: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(files = new TwinFiles()) {
    this.files = files;
    this.snapshots = new Snapshots(files, '/state', soon);
    const place = this;
    this.history = new History({
      snapshots: this.snapshots,
      loop: {
        get desired() {
          return place.desired;
        },
        glance: (service) => place.#glance(service),
        names: () => [...place.desired.services.keys()],
      },
      clock: this.#clock(),
      soon,
      directory: '/etc/config.d',
      most: 50,
      textOf: (desired) => {
        const text = place.texts.get(desired);
        return text === undefined ? undefined : { file: `/etc/config.d/${desired.name}.yaml`, text };
      },
      commit: async () => place.commit,
      wrote: (problem) => {
        this.unwritten = problem?.message;
        if (problem !== undefined) this.complaints.push(problem.message);
      },
    });
  }

  /** The directory says this now, each service one text. */
  async apply(
    texts: Readonly<Record<string, string>>,
    by = 'bob',
    trigger: Trigger = 'update',
  ): Promise<void> {
    const services = Object.entries(texts).map(([service, text]): [ServiceName, Defined] => {
      const one = defined({
        name: name(service),
        digest: `digest of ${text}`,
        spec: { process: { type: this.type } },
      });
      this.texts.set(one, text);
      return [one.name, one];
    });
    this.desired = { services: new Map(services), problems: [], files: services.length, readable: true };
    this.history.applied({ trigger, by });
    await this.history.settled();
    await soon();
  }

  later(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.wake();
    }
    this.#now = until;
  }

  results(): readonly (readonly [string, Readonly<Record<string, string>>])[] {
    return this.snapshots.all().map(({ trigger, results }) => [trigger, results] as const);
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      wall: () => this.#now,
      after: (delay, wake) => {
        const timer = { at: this.#now + delay, wake };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    };
  }

  #glance(service: ServiceName): Glance {
    const stands = this.stands.get(service) ?? 'waiting';
    const running: SlotPhase = {
      slot: 0,
      phase: 'running',
      run: runKey(),
      outdated: false,
      mainEnded: false,
      ready: true,
      health: '',
      rejected: null,
    };
    const phase =
      stands === 'up'
        ? running
        : stands === 'failed'
          ? ({ slot: 0, phase: 'failed', reason: 'exit_3', retryAt: null } as const)
          : stands === 'completed'
            ? ({ slot: 0, phase: 'completed', reason: 'completed with code 0' } as const)
            : ({ slot: 0, phase: 'waiting', reason: 'for db' } as const);
    return {
      desired: this.desired.services.get(service),
      intent: {},
      ending: undefined,
      now: this.#now,
      memory: memory(),
      decision: {
        actions: [],
        memory: memory(),
        slots: [phase],
        notices: [],
        wakeAt: undefined,
        wakeFrom: undefined,
      },
    };
  }
}
