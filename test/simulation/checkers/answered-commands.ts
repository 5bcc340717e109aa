/** Does a new daemon know every command that was answered? */
import type { Intent } from '../../../src/model/memory.ts';
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'an answered command survives the daemon';

export const answeredCommands: Checker = {
  promise: PROMISE,
  boot({ truth, daemon }) {
    for (const [name, intent] of [...truth.intents]) {
      const kept = daemon?.store.intent(name) ?? {};
      const known = { ...intent, ...more(intent, kept, truth.inForce.has(name)) };
      if (lasting(kept) !== lasting(known)) {
        throw new Broken(PROMISE, `${name}: ${lasting(intent)} became ${lasting(kept)}`);
      }
      truth.intents.set(name, known);
    }
  },
};

/**
 * What a new daemon may know besides: it counts on from what was noted under a greater count, and remembers a stop where
 * a removal could not be judged yet when somebody confirmed those that there were.
 */
function more(intent: Intent, kept: Intent, hasFile: boolean): Partial<Intent> {
  const { pardon = 0, triggers = 0 } = kept;
  return {
    ...(pardon > (intent.pardon ?? 0) ? { pardon } : {}),
    ...(triggers > (intent.triggers ?? 0) ? { triggers } : {}),
    ...(!hasFile && intent.stopped === undefined && kept.stopped !== undefined
      ? { stopped: kept.stopped }
      : {}),
  };
}

/** The daemon itself drops a scale and approves a removal. */
function lasting({ stopped, held, minGeneration, pardon, triggers }: Intent): string {
  return JSON.stringify({ stopped, held, minGeneration, pardon, triggers });
}
