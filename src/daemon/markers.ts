/** What does a log tell of the starts and ends of those who write it, where `logs.markers` is set? */
import type { Event } from '../model/action.ts';
import { logPathOf } from '../model/log-path.ts';
import type { RunKey, ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials, Defined, Desired } from '../model/spec.ts';
import { fieldText } from './lifecycle.ts';

export interface MarkerTools {
  readonly append: (path: string, credentials: Credentials | null, line: string) => Problem | undefined;
  readonly desired: (service: ServiceName) => Desired | undefined;
  /** What the clock on the wall shows; milliseconds since 1970. */
  readonly now: () => number;
  readonly complain: (problem: Problem) => void;
}

/** Events that tell of an end, and what a marker calls them. */
const ENDS: Readonly<Record<string, string>> = { worker_exited: 'exited', worker_stopped: 'stopped' };

export class Markers {
  readonly #tools: MarkerTools;

  /** How each run was started, by its id: its end is told where its output is, whatever the file says by then. */
  readonly #started = new Map<string, Defined>();

  constructor(tools: MarkerTools) {
    this.#tools = tools;
  }

  /** Before the process is there, so that nothing it writes comes first. */
  starting({ slot, generation, id }: RunKey, service: Defined, reason: string): void {
    this.#started.set(id, service);
    if (service.spec.logs.markers) this.#write(service, 'started', { instance: slot, generation, reason });
  }

  noted({ name, service, run_id, fields }: Event): void {
    const event = ENDS[name];
    if (event === undefined || service === undefined) return;
    const desired = this.#tools.desired(service);
    const started = run_id === undefined ? undefined : this.#started.get(run_id);
    if (run_id !== undefined) this.#started.delete(run_id);
    const now = desired?.kind === 'defined' ? desired : started;
    if (now?.spec.logs.markers) this.#write(started ?? now, event, fields);
  }

  #write({ name, spec, credentials }: Defined, event: string, fields: Event['fields']): void {
    const { append, now, complain } = this.#tools;
    const all = { time: new Date(now()).toISOString(), event, service: name, ...fields };
    const path = logPathOf(spec.logs.stdout, Number(fields['instance'] ?? 0));
    const problem = append(path, credentials, `processmaster:marker ${fieldText(all)}`);
    if (problem !== undefined) complain({ ...problem, service: name });
  }
}
