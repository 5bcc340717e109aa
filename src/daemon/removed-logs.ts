/** Which logs were removed while a service writes to them? */
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { isSame } from '../model/same.ts';
import type { Reports } from './reports.ts';

export interface RemovedLogsTools {
  /** The first processes of the runs that live, as far as they are known. */
  readonly pids: (service: ServiceName) => readonly number[];
  /** See removedOutputs in world/removed-outputs.ts. */
  readonly removedOutputs: (pid: number) => readonly string[];
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
    const { pids, removedOutputs } = this.#tools;
    const paths = new Set(pids(service).flatMap((pid) => removedOutputs(pid)));
    return [...paths].map((path) => removed(path, service));
  }

  /** Looks at all of them, and tells what is new and what is over. */
  look(): void {
    const before = this.#problems;
    this.#problems = [...this.#tools.services()].flatMap((service) => this.of(service));
    if (!isSame(before, this.#problems)) this.#tools.reports.lasting(before, this.#problems);
  }
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
