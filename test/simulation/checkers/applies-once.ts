/** Does applying twice do nothing? */
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'applying twice does nothing';

export function appliesOnce(simulation: Simulation): void {
  // What the guard holds back is judged again with each reading, and more may run by now.
  const guarded = simulation.daemon?.loop.removals.held.length !== 0;
  if (!guarded) apply(simulation);
  const calls = simulation.injector.calls;
  if (guarded) simulation.lookAtEverything();
  else apply(simulation);
  const done = simulation.injector.calls - calls;
  if (done > 0) throw new Broken(PROMISE, `${done} things were done the second time`);
}

function apply(simulation: Simulation): void {
  simulation.reload();
  simulation.lookAtEverything();
  simulation.run(5000);
}
