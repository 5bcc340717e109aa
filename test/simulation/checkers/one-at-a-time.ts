/** Is never more than one healthy instance taken down to be replaced? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { doneTo, type Since } from './round.ts';

const PROMISE = 'instances are replaced one at a time, and a broken new version costs one of them at most';

/** @param wanted how many ran before and are to run after */
export function oneAtATime(simulation: Simulation, service: ServiceName, since: Since, wanted: number): void {
  const { least } = doneTo(simulation, service, since);
  if (least < wanted - 1) {
    throw new Broken(PROMISE, `of ${wanted} instances of ${service} only ${least} served at some moment`);
  }
}
