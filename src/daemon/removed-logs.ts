/** Which logs were removed while a service writes to them? */
import { logPathOf } from '../model/log-path.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { isSame } from '../model/same.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Reports } from './reports.ts';

export interface RemovedLogsTools {
  /** What runs, by what the kernel says now: of a service that is due no decision tells, and a slow look makes all due. */
  readonly situation: (service: ServiceName) => Situation;
  /** See removedOutputs in world/removed-outputs.ts. */
  readonly removedOutputs: (pid: number, logs: readonly string[]) => readonly string[];
  readonly services: () => Iterable<ServiceName>;
  readonly reports: Pick<Reports, 'lasting'>;
}

export class RemovedLogs {
  readonly #tools: RemovedLogsTools;
  #problems: readonly Problem[] = [];

  constructor(tools: RemovedLogsTools) {
    this.#tools = tools;
  }

  /** Of all services, as they were looked at last. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Looked at now. */
  of(service: ServiceName): readonly Problem[] {
    const { situation, removedOutputs } = this.#tools;
    const writers = writersOf(situation(service));
    const paths = new Set(writers.flatMap(({ pid, logs }) => removedOutputs(pid, logs)));
    return [...paths].map((path) => removed(path, service));
  }

  /** Looks at all of them, and tells what is new and what is over. */
  look(): void {
    const before = this.#problems;
    this.#problems = [...this.#tools.services()].flatMap((service) => this.of(service));
    if (!isSame(before, this.#problems)) this.#tools.reports.lasting(before, this.#problems);
  }
}

interface Writer {
  /** The first process of a run. */
  readonly pid: number;
  readonly logs: readonly string[];
}

/** What is being stopped will not write for long. */
function writersOf({ observed, memory, applied, desired }: Situation): readonly Writer[] {
  const runs = observed.kind === 'seen' ? observed.runs : [];
  return runs.flatMap(({ key, main }) => {
    if (main.is !== 'running' || memory.runs[key.id]?.stop) return [];
    const spec = applied.get(key.hash) ?? (desired?.kind === 'defined' ? desired.spec : undefined);
    const logs = spec === undefined ? [] : [spec.logs.stdout, spec.logs.stderr];
    return [{ pid: main.pid, logs: logs.map((log) => logPathOf(log, key.slot)) }];
  });
}

function removed(path: string, service: ServiceName): Problem {
  return {
    code: 'log-removed',
    severity: 'warning',
    message: `${path} was removed while ${service} writes to it: what it writes is lost`,
    hint: `pmctl restart ${service} makes it anew; rotation needs no help, and logs are emptied by: truncate -s 0 FILE`,
    service,
  };
}
