/** How is a log rotated where a test has nothing more to say about it? */
import { NUMBERED, placement } from '../../src/policy/rotation-names.ts';
import type { Freezer } from '../../src/world/cgroup-freeze.ts';
import type { RotationOrder } from '../../src/world/log-rotation.ts';

/** Stops nobody, where nobody writes. */
export const STILL: Freezer = { cgroups: [], freeze: () => ({ holds: () => true, thaw: () => 0 }) };

/** To the next number, of root's own log, without anybody to be frozen. */
export function rotationOrder(
  path: string,
  journal: string,
  changes: Partial<RotationOrder> = {},
): RotationOrder {
  return {
    ...{ path, credentials: null, target: NUMBERED, naming: placement, journal, freezer: () => null },
    ...changes,
  };
}
