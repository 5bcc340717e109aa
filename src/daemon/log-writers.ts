/** Who writes logs now, besides those whom the directory names? */
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Defined, Desired, DesiredState } from '../model/spec.ts';

/** What follows from an event: logs have to be arranged anew. */
export type Following = 'changed' | 'same';

/**
 * An instance that somebody has scaled to writes to a file of its own, whatever number the directory says; and a
 * service whose removal is held back, or that takes its time to stop, writes on although its file is gone.
 */
export class LogWriters {
  /** The slot of each run that lives. */
  readonly #runs = new Map<ServiceName, Map<string, number>>();
  #named: DesiredState['services'] = new Map();
  #all: DesiredState['services'] = new Map();

  /** The same definition comes back as the same object as long as nothing changes. */
  of(desired: DesiredState): DesiredState {
    const all = new Map<ServiceName, Desired>();
    for (const [name, service] of desired.services) {
      const known = this.#named.get(name) === service ? this.#all.get(name) : undefined;
      all.set(name, this.#withInstances(service, known));
    }
    for (const [name, service] of this.#all) {
      if (!all.has(name) && this.#runs.has(name)) all.set(name, service);
    }
    this.#named = desired.services;
    this.#all = all;
    return { ...desired, services: all };
  }

  /** A definition that has at least this instance. */
  widened(service: Defined, slot: number): Defined {
    if (slot < service.spec.instances) return service;
    return { ...service, spec: { ...service.spec, instances: slot + 1 } };
  }

  /** What holds for its processes: also while it is being stopped because its file is gone. */
  definition(name: ServiceName): Desired | undefined {
    return this.#all.get(name);
  }

  happened({ name, service, run_id, fields }: Event): Following {
    if (service === undefined || run_id === undefined) return 'same';
    const before = this.#wanted(service);
    if (name === 'worker_started') {
      const runs = this.#runs.get(service) ?? new Map<string, number>();
      this.#runs.set(service, runs.set(run_id, Number(fields['instance'] ?? 0)));
    } else if (name === 'worker_exited' || name === 'worker_stopped') {
      const runs = this.#runs.get(service);
      runs?.delete(run_id);
      if (runs?.size === 0) this.#runs.delete(service);
      // The log of an instance that restarts is not let go for that moment.
      if (this.#named.has(service)) return 'same';
    }
    return before === this.#wanted(service) ? 'same' : 'changed';
  }

  /** How many instances have to have their logs arranged. */
  #wanted(name: ServiceName): number {
    const service = this.#named.get(name);
    if (service?.kind === 'defined') return Math.max(service.spec.instances, this.#slots(name));
    return this.#all.has(name) && this.#runs.has(name) ? 1 : 0;
  }

  #withInstances(service: Desired, known: Desired | undefined): Desired {
    if (service.kind !== 'defined') return service;
    const wide = this.widened(service, this.#slots(service.name) - 1);
    const isKnown = known?.kind === 'defined' && known.spec.instances === wide.spec.instances;
    return isKnown ? known : wide;
  }

  /** One more than the highest slot with a run. */
  #slots(name: ServiceName): number {
    let slots = 0;
    for (const slot of this.#runs.get(name)?.values() ?? []) slots = Math.max(slots, slot + 1);
    return slots;
  }
}
