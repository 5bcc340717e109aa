/** What does the kernel tell of a process? Asked without the program under test. */
import fs from 'node:fs';

export interface Consumption {
  /** User and system time in clock ticks of 10 ms, all threads. */
  readonly ticks: number;
  /** Time on a CPU, all threads, milliseconds. */
  readonly cpu: number;
  /** How often its threads went to sleep by themselves: each one was woken once before. */
  readonly wakeUps: number;
}

export interface MemoryUse {
  /** Proportional set size: pages shared with others count in part. Bytes. */
  readonly pss: number;
  readonly rss: number;
}

export interface Holdings {
  readonly descriptors: number;
  readonly children: number;
  readonly zombies: number;
}

/** Threads that have ended are not counted: node keeps its own. */
export function consumptionOf(pid: number): Consumption {
  const fields = statOf(pid);
  let cpu = 0;
  let wakeUps = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    // The first number of schedstat: nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst).
    cpu += Number(fs.readFileSync(`${directory}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    wakeUps += field(fs.readFileSync(`${directory}/status`, 'utf8'), 'voluntary_ctxt_switches');
  }
  return { ticks: Number(fields[11]) + Number(fields[12]), cpu, wakeUps };
}

export function memoryOf(pid: number): MemoryUse {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { pss: field(text, 'Pss') * 1024, rss: field(text, 'Rss') * 1024 };
}

export function holdingsOf(pid: number): Holdings {
  const states = childrenOf(pid).map((child) => statOf(child)[0]);
  return {
    descriptors: fs.readdirSync(`/proc/${pid}/fd`).length,
    children: states.length,
    zombies: states.filter((state) => state === 'Z').length,
  };
}

/** How many things the process has inotify watch: a line each in its fdinfo (proc_pid_fdinfo(5)). */
export function watchesOf(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fdinfo`).reduce((sum, fd) => {
    return sum + (readOr(`/proc/${pid}/fdinfo/${fd}`).match(/^inotify /gm)?.length ?? 0);
  }, 0);
}

/** The pid and everything below it. */
export function familyOf(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function childrenOf(pid: number): readonly number[] {
  const tasks = readOr(`/proc/${pid}/task/${pid}/children`);
  return tasks.trim() === '' ? [] : tasks.trim().split(' ').map(Number);
}

/** All processes that work in or below this directory, or name it in their command line; zombies are none. */
export function processesBelow(directory: string): readonly number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    return isAliveBelow(pid, directory) || readOr(`/proc/${pid}/cmdline`).includes(directory);
  });
}

/** Alive, and working below this directory: the pid alone may be somebody else's by now. */
export function isAliveBelow(pid: number, directory: string): boolean {
  try {
    return `${fs.readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${directory}/`);
  } catch {
    return false;
  }
}

/** The fields of proc_pid_stat(5) from the third one (the state) on. */
function statOf(pid: number): readonly string[] {
  const text = readOr(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
}

export function readOr(path: string, otherwise = ''): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
