import { describe, expect, it } from 'vitest';
import { report, runHistory, shorten } from './run-history.ts';

/**
 * The same seeds on every run. SEED=n replays one history, KEEP=1,4,7 only these of its steps; HISTORIES=n runs more.
 * Long runs use every core: HISTORIES=100000 node scripts/simulate.mjs
 */
const SEED = process.env['SEED'];
const KEEP = process.env['KEEP']?.split(',').map(Number);
const HISTORIES = Number(process.env['HISTORIES'] ?? 2000);

describe('random histories', () => {
  it.runIf(SEED === undefined)(`${HISTORIES} of them keep every promise`, { timeout: HISTORIES * 60 }, () => {
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const failed = runHistory(seed);
      if (failed !== undefined) expect.fail(report(shorten(failed)));
    }
  });

  it.runIf(SEED !== undefined)(`the history of seed ${SEED} keeps every promise`, () => {
    const failed = runHistory(Number(SEED), KEEP);
    if (failed !== undefined) expect.fail(report(failed));
  });
});
