/** Is never more than one healthy instance taken down to be replaced? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { doneTo, type Since } from './round.ts';

const PROMISE = 'instances are replaced one at a time, and a broken new version costs one of them at most';

/** Before the round began. Milliseconds. */
const LONG_AGO = 600_000;

/** @param wanted how many ran before and are to run after */
export function oneAtATime(simulation: Simulation, service: ServiceName, since: Since, wanted: number): void {
  const { least } = doneTo(simulation, service, since);
  const { truth, now } = simulation;
  const rolls = truth.rolls(service) && !truth.mixesTypes(service, now - LONG_AGO);
  const desired = truth.inForce.get(service);
  if (desired?.kind === 'defined' && desired.spec.rollout.on_failure === 'replace') return;
  if (least < wanted - (rolls ? 0 : 1)) {
    throw new Broken(PROMISE, `of ${wanted} instances of ${service} only ${least} served at some moment`);
  }
}
