/** Which services depend on which, and how do they stand? */
import type { ServiceName } from '../model/names.ts';
import type { DesiredState, ServiceSpec } from '../model/spec.ts';
import { dependencyOf, isSameStanding, type Standing } from '../reconcile/dependencies.ts';
import type { Dependency } from '../reconcile/situation.ts';

type Names = readonly ServiceName[];

export class Neighbours {
  readonly #standings = new Map<ServiceName, Standing>();
  #on: ReadonlyMap<ServiceName, ServiceSpec['depends_on']> = new Map();
  #of: ReadonlyMap<ServiceName, ReadonlySet<ServiceName>> = new Map();

  /** How many a service has behind it, one behind the other. */
  #depths: ReadonlyMap<ServiceName, number> = new Map();
  #hasCircle = false;

  /** To be called with each new desired state. */
  arrange({ services }: DesiredState): void {
    const on = new Map<ServiceName, ServiceSpec['depends_on']>();
    // Whoever is removed is still relied on until it is gone.
    for (const [name, known] of this.#on) {
      if (!services.has(name) && this.#standings.get(name)?.present === true) on.set(name, known);
    }
    for (const [name, each] of services) if (each.kind === 'defined') on.set(name, each.spec.depends_on);
    this.#arrange(on);
  }

  #arrange(on: ReadonlyMap<ServiceName, ServiceSpec['depends_on']>): void {
    const of = new Map<ServiceName, Set<ServiceName>>();
    for (const [name, wanted] of on) {
      for (const other of Object.keys(wanted) as ServiceName[]) {
        const dependents = of.get(other) ?? new Set();
        of.set(other, dependents.add(name));
      }
    }
    this.#on = on;
    this.#of = of;
    const { depths, hasCircle } = depthsOf(on);
    this.#depths = depths;
    this.#hasCircle = hasCircle;
  }

  /** What others depend on comes first. */
  inOrder(names: Names): Names {
    if (this.#of.size === 0) return names;
    return [...names].sort((a, b) => (this.#depths.get(a) ?? 0) - (this.#depths.get(b) ?? 0));
  }

  /** What it depends on itself. */
  behind(name: ServiceName): Names {
    return Object.keys(this.#on.get(name) ?? {}) as ServiceName[];
  }

  /** Where services rely on each other, none of them would ever come: there nobody waits. */
  dependencies(name: ServiceName): readonly Dependency[] {
    const on = this.#on.get(name);
    if (on === undefined) return [];
    return (Object.entries(on) as [ServiceName, 'started' | 'ready' | 'completed'][])
      .filter(([other]) => !this.#hasCircle || !this.#reaches(other, name))
      .map(([other, condition]) => dependencyOf(other, condition, this.#standings.get(other)));
  }

  /**
   * Those that rely on it, are to be stopped as well and have processes left; none where they rely on each other.
   * @param isUnwanted as things are now: what was noted may be older than what is to end
   */
  dependents(name: ServiceName, isUnwanted: (other: ServiceName) => boolean): Names {
    const of = this.#of.get(name);
    if (of === undefined) return [];
    return [...of].filter((other) => {
      const isPresent = this.#standings.get(other)?.present ?? true;
      return isPresent && isUnwanted(other) && !this.#reaches(name, other);
    });
  }

  /** Notes how a service stands now; answers who has to be looked at because of that. */
  note(name: ServiceName, standing: Standing): Names {
    const before = this.#standings.get(name);
    if (before !== undefined && isSameStanding(before, standing)) return [];
    this.#standings.set(name, standing);
    return this.#around(name);
  }

  /** Nothing is left of it; answers who has to be looked at because of that. */
  forget(name: ServiceName): Names {
    this.#standings.delete(name);
    const around = this.#around(name);
    const on = new Map(this.#on);
    on.delete(name);
    this.#arrange(on);
    return around;
  }

  #around(name: ServiceName): Names {
    return [...(this.#of.get(name) ?? []), ...this.behind(name)];
  }

  /** Definitions of different age may form a circle that no reading would let pass. */
  #reaches(from: ServiceName, to: ServiceName, seen = new Set<ServiceName>()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return this.behind(from).some((other) => this.#reaches(other, to, seen));
  }
}

/** In a circle one of them counts as the first. */
function depthsOf(on: ReadonlyMap<ServiceName, ServiceSpec['depends_on']>): {
  readonly depths: ReadonlyMap<ServiceName, number>;
  readonly hasCircle: boolean;
} {
  const depths = new Map<ServiceName, number>();
  const open = new Set<ServiceName>();
  let hasCircle = false;
  const depthOf = (name: ServiceName): number => {
    if (open.has(name)) hasCircle = true;
    const known = depths.get(name);
    if (known !== undefined) return known;
    depths.set(name, 0);
    open.add(name);
    const behind = Object.keys(on.get(name) ?? {}) as ServiceName[];
    const depth = Math.max(0, ...behind.map((other) => 1 + depthOf(other)));
    depths.set(name, depth);
    open.delete(name);
    return depth;
  };
  for (const name of on.keys()) depthOf(name);
  return { depths, hasCircle };
}
