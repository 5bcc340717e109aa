/** Who looks after the logs of the services? */
import type { Event } from '../model/action.ts';
import type { RunKey, ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import type { LogCare } from '../world/log-care.ts';
import { Forwarding, type ForwardingTools } from './forwarding.ts';
import { LogWriters } from './log-writers.ts';
import { Markers, type MarkerTools } from './markers.ts';
import type { RemovedLogs } from './removed-logs.ts';
import { Rotations, type RotationTools } from './rotations.ts';

export interface LogKeepingTools extends Omit<RotationTools, 'care'> {
  /** null: what services write goes nowhere that has to be kept in order. */
  readonly care: LogCare | null;
  readonly appendMarker: MarkerTools['append'];
  readonly desired: () => DesiredState;
  /** Absent: nobody looks for logs that were removed. */
  readonly removed?: RemovedLogs;
  /** Absent: nothing is forwarded. */
  readonly forward?: Omit<ForwardingTools, 'clock' | 'complain' | 'wrote'>;
}

export class LogKeeping {
  readonly #markers: Markers;
  readonly #rotations: Rotations | undefined;
  readonly #forwarding: Forwarding | undefined;
  readonly #removed: RemovedLogs | undefined;
  readonly #writers = new LogWriters();
  #desired: DesiredState | undefined;

  constructor(tools: LogKeepingTools) {
    const { care, clock, complain, wrote } = tools;
    this.#removed = tools.removed;
    this.#markers = new Markers({
      append: tools.appendMarker,
      desired: (name) => tools.desired().services.get(name) ?? this.#writers.definition(name),
      now: () => clock.wall(),
      complain,
    });
    this.#rotations = care === null ? undefined : new Rotations({ ...tools, care });
    this.#forwarding =
      tools.forward === undefined ? undefined : new Forwarding({ ...tools.forward, clock, complain, wrote });
  }

  /** Before any service is started: what an earlier daemon was doing is finished or undone. */
  resume(): void {
    this.#rotations?.resume();
  }

  /** To be called with each new desired state, once its services were started. */
  arrange(desired: DesiredState): void {
    this.#desired = desired;
    const all = this.#writers.of(desired);
    this.#rotations?.arrange(all);
    this.#forwarding?.arrange(all);
  }

  starting(run: RunKey, service: Defined, reason: string): void {
    this.#forwarding?.starting(this.#writers.widened(service, run.slot));
    this.#markers.starting(run, service, reason);
  }

  happened(event: Event): void {
    this.#markers.noted(event);
    const isChanged = this.#writers.happened(event) === 'changed';
    if (isChanged && this.#desired !== undefined) this.arrange(this.#desired);
    if (event.name === 'worker_started' && event.service !== undefined)
      this.#rotations?.started(event.service);
  }

  /** What is wrong with logs, of whichever services. */
  get problems(): readonly Problem[] {
    return [...(this.#rotations?.problems ?? []), ...(this.#removed?.problems ?? [])];
  }

  /** What of the logs of a service is lost, or keeps them from being rotated. */
  warnings(service: ServiceName): readonly Problem[] {
    return [...(this.#rotations?.warnings(service) ?? []), ...this.lost(service)];
  }

  /** Logs that were removed while the service writes to them. */
  lost(service: ServiceName): readonly Problem[] {
    return this.#removed?.of(service) ?? [];
  }

  /** Now and then: for what nobody tells. */
  look(): void {
    this.#removed?.look();
  }

  async close(): Promise<void> {
    await this.#rotations?.close();
  }

  /** Once the services that are to be stopped have written their last lines. */
  async forwardLast(): Promise<void> {
    await this.#forwarding?.close();
  }
}
