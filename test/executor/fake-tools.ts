/** What starting a process needs, with every refusal at hand and every descriptor counted. */
import type { StartTools } from '../../src/executor/start.ts';
import type { RunKey } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Containment, Launch, Started, World } from '../../src/world/world.ts';
import { credentials } from '../builders.ts';

export interface Answers {
  readonly start?: (key: RunKey, launch: Launch) => Started | Problem;
  readonly inside?: Problem;
  readonly portHolder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly inherited?: Readonly<Record<string, string | undefined>>;
  /** What opening a log answers, by its path. */
  readonly logs?: Readonly<Record<string, Problem>>;
  /** What clearing a pid file answers. */
  readonly pidFile?: Problem;
}

export interface FakeTools extends StartTools {
  readonly launches: Launch[];
  /** Paths of the logs that were opened and not closed. */
  readonly open: Map<number, string>;
  readonly opened: string[];
  /** Pid files that were to be cleared, and what was complained about. */
  readonly cleared: string[];
  readonly complaints: Problem[];
  /** Ends the commands that were run inside. */
  readonly end: (outcome: Outcome) => void;
}

function never(): never {
  throw new Error('nothing is probed here');
}

export const STARTED: Started = { pid: 4711, ticks: 99 };

export function fakeTools(answers: Answers = {}): FakeTools {
  const launches: Launch[] = [];
  const open = new Map<number, string>();
  const opened: string[] = [];
  const cleared: string[] = [];
  const complaints: Problem[] = [];
  const waiting: ((outcome: Outcome) => void)[] = [];
  let nextFd = 20;
  const containment: Partial<Containment> = {
    start: (key, launch) => {
      launches.push(launch);
      return answers.start?.(key, launch) ?? STARTED;
    },
    runInside: (_key, launch, done) => {
      launches.push(launch);
      if (answers.inside === undefined) waiting.push(done);
      return answers.inside;
    },
    portHolder: () => answers.portHolder,
    environment: () => answers.environment,
  };
  const self = credentials({ uid: 0, gid: 0, user: 'root', home: '/root', shell: '/bin/bash' });
  const world: Partial<World> = {
    containment: containment as Containment,
    users: { self, user: () => undefined, group: () => undefined },
    prober: { http: never, tcp: never, sizeOf: () => 0 },
    forking: () => null,
  };
  return {
    world: world as World,
    settings: { cluster: { enabled: false, name: 'default', node_id: 'host', expected_nodes: 1 } },
    inherited: answers.inherited ?? {},
    openLog: (path) => {
      const refused = answers.logs?.[path];
      if (refused !== undefined) return refused;
      const fd = nextFd++;
      open.set(fd, path);
      opened.push(path);
      return { fd };
    },
    closeLog: (fd) => {
      if (!open.delete(fd)) throw new Error(`descriptor ${fd} is closed although it is not open`);
    },
    clearPidFile: (path) => {
      cleared.push(path);
      return answers.pidFile;
    },
    complain: (problem) => {
      complaints.push(problem);
    },
    cleared,
    complaints,
    launches,
    open,
    opened,
    end: (outcome) => {
      for (const done of waiting.splice(0)) done(outcome);
    },
  };
}
