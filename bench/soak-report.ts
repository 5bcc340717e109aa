/** What of a long run is to stay level, and does it? */
import { digits, type Figure } from './figures.ts';

export interface Sample {
  /** Milliseconds since the run began, and since its daemon did. */
  readonly at: number;
  readonly age: number;
  /** How many daemons were killed before. */
  readonly life: number;
  /** PSS of the daemon, megabytes. */
  readonly memory: number;
  readonly descriptors: number;
  readonly zombies: number;
  readonly watches: number;
  readonly cgroups: number;
  /** What the state directory holds, megabytes. */
  readonly state: number;
  /** All files of the run. */
  readonly files: number;
}

export type Quantity = Exclude<keyof Sample, 'at' | 'age' | 'life'>;

interface Bound {
  readonly key: Quantity;
  readonly name: string;
  /** `life`: of the last daemon, when it has settled; `run`: of all that ran before it, too. */
  readonly over: 'life' | 'run';
  /** So much more than the mean may the trend add over the time that is judged: share of the mean, and absolute. */
  readonly share: number;
  readonly least: number;
}

/** Memory moves with its collector; cgroups, zombies and files with the services that are down at the moment. */
export const QUANTITIES: readonly Bound[] = [
  { key: 'memory', name: 'PSS of the daemon, MB', over: 'life', share: 0.1, least: 3 },
  { key: 'descriptors', name: 'descriptors of the daemon', over: 'life', share: 0.1, least: 5 },
  { key: 'watches', name: 'inotify watches', over: 'life', share: 0.05, least: 5 },
  { key: 'zombies', name: 'zombies', over: 'life', share: 0, least: 2 },
  { key: 'cgroups', name: 'cgroups', over: 'run', share: 0.05, least: 10 },
  { key: 'files', name: 'files of logs, state and configuration', over: 'run', share: 0.05, least: 20 },
  { key: 'state', name: 'state directory, MB', over: 'life', share: 0.25, least: 1 },
];

/** What is bounded by count fills up first. */
const SETTLING = 0.4;

export function judged(samples: readonly Sample[]): readonly Figure[] {
  return QUANTITIES.map(({ key, name, over, share, least }) => {
    const last = samples.at(-1)?.life;
    const chosen = over === 'life' ? samples.filter(({ life }) => life === last) : samples;
    const settled = chosen.slice(Math.floor(chosen.length * SETTLING));
    const values = settled.map((sample) => sample[key]);
    const slope = slopeOf(settled.map((sample) => [sample.at / 3_600_000, sample[key]]));
    const hours = ((settled.at(-1)?.at ?? 0) - (settled[0]?.at ?? 0)) / 3_600_000;
    const added = slope * hours;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const allowed = Math.max(share * mean, least);
    return {
      what: name,
      measured: `mean ${digits(mean)}; trend ${added >= 0 ? '+' : ''}${digits(added)} in ${digits(hours * 60)} min`,
      goal: `≤ +${digits(allowed)}`,
      met: added <= allowed,
    };
  });
}

/** So many points tell the trend of any run. */
const POINTS = 300;

/**
 * The median of the slopes of all pairs (Theil and Sen): a collector that is late for once does not bend it. Units of y
 * for each unit of x; 0 for fewer than two points.
 */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const step = Math.max(1, Math.ceil(points.length / POINTS));
  const some = points.filter((_, at) => at % step === 0);
  const slopes = some.flatMap(([x, y], at) => some.slice(at + 1).map(([a, b]) => (b - y) / (a - x)));
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}
