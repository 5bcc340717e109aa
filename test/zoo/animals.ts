/** Which processes that behave badly live in the zoo, and what has to be true of each? */
import type { Ground } from '../e2e/grounds.ts';

/** What a ground cannot promise about an animal; see docs/operations.md. */
export interface Escape {
  /** Grounds on which a part of it is neither seen nor ended. */
  readonly on: (ground: Ground) => boolean;
}

/** An animal that stays until it is asked to end. */
export interface Resident {
  readonly name: string;
  /** How its main process ends by a stop: the code, or the signal. */
  readonly ends: string;
  /** SIGKILL is needed, because something of it does not listen. */
  readonly late?: true;
  /** Processes of it that are alive once it is ready; zombies are not. */
  readonly processes: number;
  /** Its main process has ended, and what it left behind is the service. */
  readonly mainGone?: true;
  readonly escapes?: Escape;
}

const FALLBACK: Escape = { on: ({ containment }) => containment === 'process_group' };
/** Root reads every environment. */
const FALLBACK_OF_USERS: Escape = {
  on: ({ containment, user }) => containment === 'process_group' && user !== 'self',
};

export const RESIDENTS: readonly Resident[] = [
  { name: 'plain', processes: 1, ends: 'signal_15' },
  { name: 'double-fork', processes: 2, ends: 'signal_15' },
  { name: 'orphan', processes: 2, ends: 'signal_15' },
  { name: 'cleared-orphan', processes: 2, ends: 'signal_15' },
  { name: 'cleared-child', processes: 2, ends: 'signal_15', late: true },
  { name: 'escape', processes: 2, ends: 'signal_15', escapes: FALLBACK },
  { name: 'unreadable', processes: 2, ends: 'signal_15', escapes: FALLBACK_OF_USERS },
  { name: 'deaf', processes: 3, ends: 'signal_9', late: true },
  { name: 'breeder', processes: 2, ends: 'signal_9', late: true },
  { name: 'last-will', processes: 2, ends: 'exit_7', late: true },
  { name: 'other-program', processes: 1, ends: 'signal_15' },
  { name: 'closed-descriptors', processes: 1, ends: 'signal_15' },
  { name: 'suspended', processes: 2, ends: 'exit_5' },
  { name: 'zombies', processes: 1, ends: 'signal_15' },
  { name: 'false-name', processes: 1, ends: 'signal_15' },
  { name: 'headless', processes: 1, ends: 'signal_15' },
  { name: 'main-gone', processes: 1, ends: 'exit_0', mainGone: true },
];

/** An animal that makes so much noise that it is let out alone. */
export interface Loud {
  readonly name: string;
  /** Most processes that its user may have besides those that he has; null: no matter. */
  readonly bound: number | null;
  /** Grounds on which a stop may find no end, and says so. */
  readonly escapes?: Escape;
}

export const LOUD: readonly Loud[] = [
  { name: 'hopper', bound: null },
  { name: 'session-hopper', bound: null, escapes: FALLBACK },
  { name: 'bomb', bound: 40 },
];

/** An animal that ends by itself, at once. */
export interface Mayfly {
  readonly name: string;
  readonly command: readonly string[] | string;
  readonly state: 'completed' | 'failed';
  readonly ends: string;
  /** What it leaves in its log. */
  readonly says?: string;
}

export const MAYFLIES: readonly Mayfly[] = [
  { name: 'code-0', command: ['true'], state: 'completed', ends: 'exit_0' },
  { name: 'code-3', command: 'exit 3', state: 'failed', ends: 'exit_3' },
  { name: 'code-like-a-signal', command: 'exit 137', state: 'failed', ends: 'exit_137' },
  { name: 'code-of-the-launcher', command: 'exit 125', state: 'failed', ends: 'exit_125' },
  { name: 'killed-at-birth', command: 'kill -KILL $$', state: 'failed', ends: 'signal_9' },
  { name: 'crashes', command: 'kill -SEGV $$', state: 'failed', ends: 'signal_11' },
  {
    name: 'unfinished',
    command: 'printf "no end of"; printf " line"',
    state: 'completed',
    ends: 'exit_0',
    says: 'no end of line',
  },
  { name: 'speechless', command: 'exec 1>&- 2>&-; exit 4', state: 'failed', ends: 'exit_4' },
];

/** The other half of what main-gone does: leftovers of a main process that failed are ended. */
export const FAILED_MAIN = 'main-failed';
