/** What waits for the end of a hold? */
import type { Change } from '../model/action.ts';
import type { Desired } from '../model/spec.ts';
import { changeOf } from './change.ts';
import type { Situation } from './situation.ts';
import { holdOf } from './wanted.ts';

/**
 * What releasing the service would do now.
 * @param before what is in force, where the situation has another reading
 * @returns undefined: nobody holds it, or nothing would be done
 */
export function changeWhenReleased(situation: Situation, before?: Desired): Change | undefined {
  if (holdOf(situation) === undefined) return undefined;
  const { held: _, ...intent } = situation.intent;
  const change = changeOf({ ...situation, intent }, before);
  return change?.action === 'keep' ? undefined : change;
}
