/** Does a new daemon know every command that was answered? */
import type { Intent } from '../../../src/model/memory.ts';
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'an answered command survives the daemon';

export const answeredCommands: Checker = {
  promise: PROMISE,
  boot({ truth, daemon }) {
    for (const [name, intent] of [...truth.intents]) {
      const kept = daemon?.store.intent(name) ?? {};
      const known = {
        ...intent,
        ...(truth.forgottenAt.has(name) ? countedOn(intent, kept) : {}),
        ...(truth.inForce.has(name) ? {} : remembered(intent, kept)),
      };
      if (lasting(kept) !== lasting(known)) {
        throw new Broken(PROMISE, `${name}: ${lasting(intent)} became ${lasting(kept)}`);
      }
      truth.intents.set(name, known);
    }
  },
};

/** Its daemon died before what it noted of a forgotten service was gone as well: that is counted on from. */
function countedOn(intent: Intent, { pardon = 0, triggers = 0 }: Intent): Partial<Intent> {
  return {
    ...(pardon > (intent.pardon ?? 0) ? { pardon } : {}),
    ...(triggers > (intent.triggers ?? 0) ? { triggers } : {}),
  };
}

/** A stop is remembered where a removal could not be judged yet when somebody confirmed those that there were. */
function remembered(intent: Intent, { stopped }: Intent): Partial<Intent> {
  return intent.stopped === undefined && stopped !== undefined ? { stopped } : {};
}

/** The daemon itself drops a scale and approves a removal. */
function lasting({ stopped, held, minGeneration, pardon, triggers }: Intent): string {
  return JSON.stringify({ stopped, held, minGeneration, pardon, triggers });
}
