/** What is not promised where runs are sessions of processes, not cgroups? docs/operations.md says it at more length. */
import { isFailure, type World } from '../world/world.ts';

export interface WeakerPromise {
  /** As in the table of docs/operations.md. */
  readonly name: string;
  readonly detail: string;
}

/** Nothing where runs are cgroups. */
export function weakerPromises({ containment, files, users }: World): readonly WeakerPromise[] {
  if (containment.kind === 'cgroup') return [];
  return [
    ...ALWAYS,
    // Root reads the environment of every process (proc_pid_environ(5)).
    ...(users.self.uid === 0 ? [] : [CLOSED_ENVIRONMENT]),
    // sched(7): the kernel numbers sessions there, and never gives a number twice.
    ...(isFailure(files.read('/proc/self/autogroup', 64)) ? [SESSION_NUMBERS] : []),
  ];
}

const ALWAYS: readonly WeakerPromise[] = [
  {
    name: 'escape',
    detail:
      'a process that leaves its parent and its session and clears its environment, or overwrites it with its title, is neither seen nor stopped',
  },
  {
    name: 'kill',
    detail:
      'SIGKILL goes to one process group after another: what makes new sessions without rest can outrun it',
  },
  {
    name: 'notice',
    detail:
      'the end of a process that another daemon started, or that has lost its parent, is noticed within a second',
  },
  { name: 'limits', detail: 'resources are not applied; process.rlimits are' },
  {
    name: 'rotation',
    detail: 'writers cannot be frozen: a log that never rests loses lines when it is rotated',
  },
];

const CLOSED_ENVIRONMENT: WeakerPromise = {
  name: 'closed environment',
  detail:
    'a process escapes as well that leaves its parent and its session and whose environment this user may not read',
};

const SESSION_NUMBERS: WeakerPromise = {
  name: 'session numbers',
  detail: 'this kernel has no autogroups: a session that got the number of one of ours may be taken for it',
};
