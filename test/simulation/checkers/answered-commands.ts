/** Does a new daemon know every command that was answered? */
import type { Intent } from '../../../src/model/memory.ts';
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'an answered command survives the daemon';

export const answeredCommands: Checker = {
  promise: PROMISE,
  boot({ truth, daemon }) {
    for (const [name, intent] of truth.intents) {
      const kept = daemon?.store.intent(name) ?? {};
      if (lasting(kept) !== lasting(intent)) {
        throw new Broken(PROMISE, `${name}: ${lasting(intent)} became ${lasting(kept)}`);
      }
    }
  },
};

/** The daemon itself drops a scale and approves a removal. */
function lasting({ stopped, held, minGeneration, pardon, triggers }: Intent): string {
  return JSON.stringify({ stopped, held, minGeneration, pardon, triggers });
}
