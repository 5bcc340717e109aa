/** What does that which an earlier daemon, or an earlier release, wrote mean now? */
import { type Intent, type Memory, NO_MEMORY, NO_RUN, NO_SLOT } from '../model/memory.ts';
import type { ServiceSpec } from '../model/spec.ts';

/** With what an earlier release did not know; and no run has been looked at by this daemon. */
export function completed(memory: Memory | null): Memory {
  if (memory === null) return NO_MEMORY;
  const slots = Object.entries(memory.slots ?? {}).map(([slot, each]) => [slot, { ...NO_SLOT, ...each }]);
  const runs = Object.entries(memory.runs ?? {}).map(([id, each]) => [
    id,
    { ...NO_RUN, ...each, met: false },
  ]);
  return { ...NO_MEMORY, ...memory, slots: Object.fromEntries(slots), runs: Object.fromEntries(runs) };
}

/** After a reboot nothing runs, a failure is tried again and a one-shot has its next turn. */
export function afterReboot(memory: Memory): Memory {
  const slots = Object.fromEntries(
    Object.entries(memory.slots).map(([slot, remembered]) => [
      slot,
      { ...remembered, end: null, next: null, attempt: 0, crashes: [], generation: 0, preStart: null },
    ]),
  );
  // What was about to run at that moment was missed.
  return { ...memory, slots, runs: {}, due: null };
}

/**
 * Intent may be lost where memory is not. What was noted under a count was asked for that often at least: counted from 0
 * again, it would look like forgiven now, and the next requests like fulfilled before.
 */
export function caughtUp(intent: Intent, { slots, rejected, runs, triggered }: Memory): Intent {
  const noted = Object.values(slots).flatMap(({ end, next }) => [end?.pardon, next?.pardon]);
  const pardon = most(intent.pardon, [...noted, rejected?.pardon]);
  const reloads = most(
    intent.reloads,
    Object.values(runs).map(({ reloaded }) => reloaded),
  );
  const triggers = most(intent.triggers, [triggered]);
  if (pardon === intent.pardon && reloads === intent.reloads && triggers === intent.triggers) return intent;
  return {
    ...intent,
    ...(pardon === undefined ? {} : { pardon }),
    ...(reloads === undefined ? {} : { reloads }),
    ...(triggers === undefined ? {} : { triggers }),
  };
}

/** @returns undefined: still nothing was counted */
function most(count: number | undefined, noted: readonly (number | undefined)[]): number | undefined {
  const greatest = Math.max(count ?? 0, ...noted.map((each) => each ?? 0));
  return greatest > (count ?? 0) ? greatest : count;
}

/** A definition of an earlier release, with what it meant about keys that it did not have. */
export function completedSpec(spec: ServiceSpec): ServiceSpec {
  return {
    ...LATER,
    ...spec,
    process: { ...LATER_PROCESS, ...spec.process },
    restart_policy: { ...LATER_POLICY, ...spec.restart_policy },
  };
}

const LATER = {
  rollout: { surge: 0, overlap: 0, timeout: 60_000, min_ready: 0, on_failure: 'keep_old' },
  probes: { startup: null, readiness: null, liveness: null },
  depends_on: {},
  hooks: { pre_start: null, post_start: null, pre_stop: null, post_stop: null },
  watch: null,
} as const;

const LATER_PROCESS = { schedule: null, reload_signal: null, reload_command: null };

const LATER_POLICY = { crash_on_start: 'restart' } as const;
