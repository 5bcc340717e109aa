/** In which order are services told that are compared by what they use, and which of them? */
import type { ServiceStats } from '../api/stats.ts';

export const ORDERS = ['cpu', 'mem', 'name', 'restarts'] as const;

export type Order = (typeof ORDERS)[number];

export interface StatsChoice {
  readonly by: Order;
  /** From the other end: by name from Z to A, by everything else the least first. */
  readonly reversed: boolean;
  /** Part of a name or state; empty: all. */
  readonly filter: string;
}

/** The most first, names from A to Z; equal ones by name; of what nothing is known last. */
export function chosen(rows: readonly ServiceStats[], choice: StatsChoice): readonly ServiceStats[] {
  const wanted = choice.filter.toLowerCase();
  const kept = rows.filter(({ name, status }) => `${name} ${status}`.toLowerCase().includes(wanted));
  const sign = choice.reversed ? -1 : 1;
  return [...kept].sort((a, b) => {
    if (choice.by === 'name') return sign * byName(a, b);
    const [one, other] = [amount(a, choice.by), amount(b, choice.by)];
    if (one === other) return byName(a, b);
    if (one === null || other === null) return one === null ? 1 : -1;
    return sign * (other - one);
  });
}

function byName(a: ServiceStats, b: ServiceStats): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function amount(row: ServiceStats, by: Exclude<Order, 'name'>): number | null {
  switch (by) {
    case 'cpu':
      return row.cpu;
    case 'mem':
      return row.memoryRss;
    case 'restarts':
      return row.restartCount;
  }
}
