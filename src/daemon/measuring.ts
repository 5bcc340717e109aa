/** How often did what happen, and what is used? Counted as it happens, told when somebody asks. */
import type { Count, Measures } from '../api/measures.ts';
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import { ownUsage } from '../world/own-usage.ts';
import type { World } from '../world/world.ts';
import type { Journal } from './journal.ts';
import type { Loop } from './loop.ts';

export interface MeasuringTools {
  readonly world: { readonly containment: Pick<World['containment'], 'usage'> };
  readonly loop: Pick<Loop, 'names' | 'glance' | 'situation'>;
  readonly journal: Pick<Journal, 'listen'>;
}

/** Reasons that are told apart for one service; what comes beyond counts as `other`. */
const REASONS = 32;

/** Services that are counted at once: more can only be made by what makes and deletes them without end. */
const SERVICES = 10_000;

type Counts = Map<string, Map<string, number>>;

export class Measuring {
  readonly #tools: MeasuringTools;
  readonly #starts: Counts = new Map();
  readonly #exits: Counts = new Map();

  constructor(tools: MeasuringTools) {
    this.#tools = tools;
    tools.journal.listen((event) => this.#count(event));
  }

  /** @param reconciling who reads the directory counts that himself */
  async measures(reconciling: Measures['reconciling']): Promise<Measures> {
    const { loop, world } = this.#tools;
    const names = loop.names();
    const cpu = names.flatMap((service) => {
      const { observed } = loop.situation(service);
      if (observed.kind === 'unseen') return [];
      return observed.runs.flatMap(({ key }) => {
        const { cpuMicroseconds } = world.containment.usage(key);
        return cpuMicroseconds === null
          ? []
          : [{ service, instance: key.slot, seconds: cpuMicroseconds / 1e6 }];
      });
    });
    return {
      starts: told(this.#starts, names),
      exits: told(this.#exits, names),
      cpu: summed(cpu),
      reconciling,
      due: names.filter((name) => loop.glance(name).due === true).length,
      daemon: await ownUsage(),
    };
  }

  #count({ name, service, fields }: Event): void {
    if (service === undefined) return;
    if (name === 'worker_started') add(this.#starts, service, String(fields['reason'] ?? 'unknown'));
    if (name === 'worker_exited') add(this.#exits, service, String(fields['exit_reason'] ?? 'unknown'));
  }
}

function add(counts: Counts, service: string, reason: string): void {
  // The number of a generation would make each reason one of its own.
  const kind = reason.replace(/_generation_\d+$/, '_generation');
  let reasons = counts.get(service);
  if (reasons === undefined) {
    const [oldest] = counts.keys();
    if (counts.size >= SERVICES && oldest !== undefined) counts.delete(oldest);
    reasons = new Map();
    counts.set(service, reasons);
  }
  const counted = reasons.has(kind) || reasons.size < REASONS ? kind : 'other';
  reasons.set(counted, (reasons.get(counted) ?? 0) + 1);
}

function told(counts: Counts, names: readonly ServiceName[]): readonly Count[] {
  return names.flatMap((service) =>
    [...(counts.get(service) ?? [])].map(([reason, count]) => ({ service, reason, count })),
  );
}

/** While one run replaces another, two are in the same place. */
function summed(cpu: Measures['cpu']): Measures['cpu'] {
  const places = new Map<string, Measures['cpu'][number]>();
  for (const one of cpu) {
    const place = `${one.service} ${one.instance}`;
    places.set(place, { ...one, seconds: one.seconds + (places.get(place)?.seconds ?? 0) });
  }
  return [...places.values()];
}
