/** Which limits can be set on a cgroup here, and how are they written? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Resources } from '../model/spec.ts';
import { readControl, writeControl } from './cgroup-files.ts';
import { inWords } from './errno.ts';
import type { Shortcoming } from './world.ts';

/** What each controller is wanted for: our limits, by their keys in the service file. */
const CONTROLLERS = {
  cpu: ['max_cpu', 'cpu_weight'],
  memory: ['max_memory', 'memory_high', 'max_swap'],
  pids: ['max_pids'],
  io: ['io_weight'],
} as const satisfies Record<string, readonly (keyof Resources)[]>;

interface LimitFile {
  readonly key: keyof Resources;
  readonly file: string;
  /** What the kernel has when nobody asked for anything. */
  readonly none: string;
  readonly text: (value: number) => string;
}

/** cpu.max is a quota in microseconds for each period; the kernel refuses less than a millisecond. */
const PERIOD = 100_000;
const SMALLEST_QUOTA = 1_000;

const FILES: readonly LimitFile[] = [
  { key: 'max_cpu', file: 'cpu.max', none: `max ${PERIOD}`, text: cpuMax },
  { key: 'cpu_weight', file: 'cpu.weight', none: '100', text: String },
  { key: 'max_memory', file: 'memory.max', none: 'max', text: String },
  { key: 'memory_high', file: 'memory.high', none: 'max', text: String },
  { key: 'max_swap', file: 'memory.swap.max', none: 'max', text: String },
  { key: 'max_pids', file: 'pids.max', none: 'max', text: String },
  { key: 'io_weight', file: 'io.weight', none: 'default 100', text: (value) => `default ${value}` },
];

/** Thousandths of a core to the text of cpu.max. */
export function cpuMax(milli: number): string {
  return `${Math.max(SMALLEST_QUOTA, Math.round((milli * PERIOD) / 1000))} ${PERIOD}`;
}

/**
 * Makes the controllers that we use available to the children of this cgroup, one at a time: one that is refused must
 * not keep the others away. What could not be had shows in {@link missingLimits}.
 */
export function enableControllers(
  cgroup: string,
  wanted: readonly string[] = Object.keys(CONTROLLERS),
): void {
  const present = wordsOf(readControl(cgroup, 'cgroup.controllers'));
  const enabled = wordsOf(readControl(cgroup, 'cgroup.subtree_control'));
  for (const controller of wanted) {
    if (present.has(controller) && !enabled.has(controller)) {
      writeControl(cgroup, 'cgroup.subtree_control', `+${controller}`);
    }
  }
}

/** True if the children of this cgroup have the controller. */
export function isEnabled(cgroup: string, controller: string): boolean {
  return wordsOf(readControl(cgroup, 'cgroup.subtree_control')).has(controller);
}

function wordsOf(text: string | undefined): ReadonlySet<string> {
  return new Set((text ?? '').split(/\s+/));
}

/** Which of our limits cannot be applied to the children of this cgroup: one warning for each cause. */
export function missingLimits(cgroup: string): readonly Shortcoming[] {
  const enabled = wordsOf(readControl(cgroup, 'cgroup.subtree_control'));
  const present = wordsOf(readControl(cgroup, 'cgroup.controllers'));
  const problems: Shortcoming[] = [];
  for (const [controller, keys] of Object.entries(CONTROLLERS)) {
    if (enabled.has(controller)) continue;
    const why = present.has(controller) ? 'could not be enabled' : 'is not available';
    const message = `${keys.join(', ')} cannot be applied: the ${controller} controller ${why} here`;
    problems.push({ ...unapplied(message), missing: keys });
  }
  for (const [controller, key, file] of OPTIONAL) {
    if (!enabled.has(controller) || fs.existsSync(`${cgroup}/${file}`)) continue;
    problems.push({
      ...unapplied(`${key} cannot be applied: this kernel offers no ${file}`),
      missing: [key],
    });
  }
  return problems;
}

/** Files that a kernel may lack although it has the controller: swap accounting off, no weight-aware scheduler. */
const OPTIONAL = [
  ['memory', 'max_swap', 'memory.swap.max'],
  ['io', 'io_weight', 'io.weight'],
] as const;

/** Writes what differs from what is there; null restores what a fresh cgroup has. What was refused comes back. */
export function writeLimits(cgroup: string, limits: Partial<Resources>): readonly Problem[] {
  return FILES.flatMap(({ key, file, none, text }) => {
    const value = limits[key];
    if (value === undefined) return [];
    const wanted = value === null ? none : text(value);
    const current = readControl(cgroup, file);
    if (current === undefined) {
      return value === null ? [] : [unapplied(`${key} cannot be applied: there is no ${file} here`)];
    }
    // The first line of io.weight is its default; devices of their own weight may follow.
    if (current.split('\n')[0] === wanted) return [];
    const failed = writeControl(cgroup, file, wanted);
    return failed === undefined ? [] : [unapplied(`${key} was refused by the kernel: ${inWords(failed)}`)];
  });
}

function unapplied(message: string): Problem {
  return { code: 'limit-unapplied', severity: 'warning', message };
}
