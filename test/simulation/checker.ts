/** What is a checker: one promise, held against everything that happens? */
import type { ServiceName } from '../../src/model/names.ts';
import type { Desired } from '../../src/model/spec.ts';
import type { Simulation } from './simulation.ts';
import type { Entry } from './trace.ts';

export interface Checker {
  /** The promise, as a sentence. */
  readonly promise: string;
  /** After each thing that happens. */
  readonly see?: (entry: Entry, simulation: Simulation) => void;
  /** When a new daemon has read what the last one left, before it does anything. */
  readonly boot?: (simulation: Simulation) => void;
  /** When a daemon has followed a reading of the directory, wholly or for these services. */
  readonly follow?: (
    simulation: Simulation,
    before: Map<ServiceName, Desired>,
    only: ReadonlySet<string> | undefined,
  ) => void;
  /** Before each pass of the loop. */
  readonly before?: (simulation: Simulation) => void;
}

/** A promise was broken. */
export class Broken extends Error {
  readonly promise: string;

  constructor(promise: string, how: string) {
    super(`${promise}: ${how}`);
    this.promise = promise;
  }
}
