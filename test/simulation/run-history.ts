/** Does the history of a seed keep every promise, and if not: which is the shortest that does not? */

import { twinUsers } from '../twins/users.ts';
import { Broken } from './checker.ts';
import { answeredCommands } from './checkers/answered-commands.ts';
import { besidesRuns } from './checkers/besides.ts';
import { brokenFile } from './checkers/broken-file.ts';
import { completedOnce } from './checkers/completed-once.ts';
import { decidesPurely } from './checkers/decides-purely.ts';
import { firesOnce } from './checkers/fires-once.ts';
import { hooked } from './checkers/hooked.ts';
import { leftAlone } from './checkers/left-alone.ts';
import { oneRunInAPlace } from './checkers/one-run-in-a-place.ts';
import { pace } from './checkers/pace.ts';
import { removalGuarded } from './checkers/removal-guarded.ts';
import { rollsOver } from './checkers/rolls-over.ts';
import { startedAsWanted } from './checkers/started-as-wanted.ts';
import { staysInside } from './checkers/stays-inside.ts';
import { stopSettings } from './checkers/stop-settings.ts';
import { stoppedForAReason } from './checkers/stopped-for-a-reason.ts';
import { waitsFor } from './checkers/waits-for.ts';
import { drawHistory } from './draw.ts';
import { finale } from './finale.ts';
import { Simulation } from './simulation.ts';
import type { Step } from './steps.ts';
import { takeStep } from './take-step.ts';
import { printEntry } from './trace.ts';
import { writtenReader } from './written-directory.ts';

export interface Failed {
  readonly seed: number;
  readonly promise: string;
  readonly message: string;
  readonly trace: readonly string[];
  /** Numbers of the steps that were kept; undefined: all. */
  readonly kept: readonly number[] | undefined;
}

/** undefined: every promise was kept. @param keep numbers of the steps to take; undefined: all */
export function runHistory(seed: number, keep?: readonly number[]): Failed | undefined {
  const all = drawHistory(seed);
  return runSteps(seed, keep === undefined ? all : all.filter((_, index) => keep.includes(index)), keep);
}

/** Leaves out steps for as long as the same promise is broken without them. */
export function shorten(failed: Failed): Failed {
  let best = failed;
  let kept = failed.kept ?? drawHistory(failed.seed).map((_, index) => index);
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length; ) {
      const fewer = kept.filter((_, index) => index < from || index >= from + size);
      const again = runHistory(failed.seed, fewer);
      if (again !== undefined && again.promise === best.promise) {
        best = again;
        kept = fewer;
      } else {
        from += size;
      }
    }
  }
  return best;
}

export function report({ seed, message, trace, kept }: Failed): string {
  const keep = kept === undefined ? '' : ` KEEP=${kept.join(',')}`;
  return [
    '',
    ...trace,
    '',
    `seed ${seed}: ${message}`,
    `replay it with: SEED=${seed}${keep} npx vitest run --project simulation test/simulation/histories.test.ts`,
  ].join('\n');
}

export function checkersOf() {
  return [
    oneRunInAPlace,
    staysInside,
    leftAlone,
    startedAsWanted,
    stoppedForAReason(),
    stopSettings(),
    pace,
    completedOnce(),
    removalGuarded,
    answeredCommands,
    brokenFile,
    decidesPurely(),
    rollsOver(),
    besidesRuns,
    hooked(),
    waitsFor,
    firesOnce(),
  ];
}

export function runSteps(
  seed: number,
  steps: readonly Step[],
  kept: readonly number[] | undefined,
): Failed | undefined {
  const simulation = new Simulation(seed, checkersOf());
  const start = simulation.now;
  // A share of the histories goes through YAML, validation and the last good definitions on disk.
  if (seed % 8 === 0) {
    simulation.makeReader = () => writtenReader(simulation.directory, simulation.files, twinUsers());
  }
  try {
    simulation.boot();
    for (const step of steps) takeStep(simulation, step);
    finale(simulation, seed);
    return undefined;
  } catch (error) {
    const trace = simulation.entries.map((entry) => printEntry(entry, start));
    if (error instanceof Broken) return { seed, promise: error.promise, message: error.message, trace, kept };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, promise: 'nothing is thrown', message, trace, kept };
  }
}
