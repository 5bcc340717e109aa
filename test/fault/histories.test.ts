import { describe, expect, it } from 'vitest';
import { cgroupsMissing } from '../linux/ground.ts';
import { runHistory } from './history.ts';

/**
 * The same seeds on every run: SEEDS=200 runs more, FROM=100 begins there, SEED=n runs one. A seed draws what happens
 * and what fails; how long the kernel takes in between, it does not.
 */
const ONE = process.env['SEED'];
const FROM = Number(ONE ?? process.env['FROM'] ?? 1);
const COUNT = ONE === undefined ? Number(process.env['SEEDS'] ?? 4) : 1;

const KINDS = cgroupsMissing ? (['process_group'] as const) : (['cgroup', 'process_group'] as const);

describe.each(KINDS)('faults around the executor, containment %s', (kind) => {
  it(`${COUNT} histories end well, from seed ${FROM} on`, { timeout: COUNT * 60_000 }, async () => {
    const troubles: string[] = [];
    for (let seed = FROM; seed < FROM + COUNT; seed++) {
      const trouble = await runHistory(seed, kind);
      if (trouble === undefined) continue;
      const replay = `SEED=${seed} npx vitest run --project e2e test/fault/histories.test.ts -t ${kind}`;
      troubles.push(`seed ${seed}, in ${kind}: ${trouble}\n\nreplay: ${replay}`);
    }
    if (troubles.length > 0) expect.fail(`${troubles.length} of ${COUNT}:\n${troubles.join('\n\n')}`);
  });
});
