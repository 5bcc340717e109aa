/** What waits for the end of a hold? */
import type { Change } from '../model/action.ts';
import { changeOf } from './change.ts';
import type { Situation } from './situation.ts';
import { holdOf } from './wanted.ts';

/**
 * What releasing the service would do now.
 * @returns undefined: nobody holds it, or nothing would be done
 */
export function changeWhenReleased(situation: Situation): Change | undefined {
  if (holdOf(situation) === undefined) return undefined;
  const { held: _, ...intent } = situation.intent;
  const change = changeOf({ ...situation, intent });
  return change?.action === 'keep' ? undefined : change;
}
