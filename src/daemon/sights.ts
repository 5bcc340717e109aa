/** What is in trouble now, of all that somebody may want to be told of? */

import { NO_SLOT } from '../model/memory.ts';
import type { Problem } from '../model/problem.ts';
import { sentence } from '../model/problem.ts';
import { firstOf } from '../model/shown-words.ts';
import type { Defined } from '../model/spec.ts';
import { count } from '../model/units.ts';
import type { Sight, Subject } from '../policy/notify.ts';
import { jobFailure } from '../policy/restart.ts';
import type { SlotPhase } from '../reconcile/situation.ts';
import { wantedOf, whyNothing } from '../reconcile/wanted.ts';
import type { Glance } from './outcome.ts';

const WELL: Sight = { is: 'well' };
const UNCLEAR: Sight = { is: 'unclear' };

/** A service, by the last decision about it; the kernel is not asked. */
export function sightsOf(service: string, glance: Glance): readonly Subject[] {
  const wanted = wantedOf(glance);
  const both = (sight: Sight): readonly Subject[] => [
    { trouble: 'failed', service, sight },
    { trouble: 'rolled_back', service, sight },
  ];
  // That it is held, or that its file cannot be read, mends nothing.
  if (glance.ending !== undefined || wanted.kind === 'leave') return both(UNCLEAR);
  const nothing = whyNothing(wanted);
  if (wanted.kind === 'none' || nothing !== '') return both({ is: 'unwanted', detail: nothing });
  if (glance.decision === undefined) return both(UNCLEAR);
  const failed =
    wanted.desired.spec.process.schedule === null
      ? worst(glance.decision.slots.map((phase) => slotSight(phase, wanted.desired, glance)))
      : scheduledSight(wanted.desired, glance);
  return [
    { trouble: 'failed', service, sight: failed },
    { trouble: 'rolled_back', service, sight: rolloutSight(glance.decision.slots, glance) },
  ];
}

export function configurationSight(problems: readonly Problem[]): Subject {
  const [first, ...more] = problems.filter(({ severity }) => severity === 'error');
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  const sight: Sight =
    first === undefined ? WELL : { is: 'in_trouble', mark: 'invalid', detail: `${sentence(first)}${rest}` };
  return { trouble: 'configuration_invalid', sight };
}

export function guardSight({
  held,
  reason,
}: {
  readonly held: readonly string[];
  readonly reason: string;
}): Subject {
  const detail = `${count(held.length, 'removed service')} left running: ${firstOf(held, 10)}; ${reason}`;
  return {
    trouble: 'prune_held',
    sight: held.length === 0 ? WELL : { is: 'in_trouble', mark: 'held', detail },
  };
}

/** @param why the files are not followed; undefined: they are */
export function frozenSight(why: string | undefined): Subject {
  const sight: Sight = why === undefined ? WELL : { is: 'in_trouble', mark: why, detail: why };
  return { trouble: 'rolled_back', sight };
}

/** Something is in trouble when one part of it is, and well when all of it is. */
function worst(sights: readonly Sight[]): Sight {
  return sights.find(({ is }) => is === 'in_trouble') ?? sights.find(({ is }) => is !== 'well') ?? WELL;
}

function slotSight(phase: SlotPhase, { spec }: Defined, { memory, now }: Glance): Sight {
  const { tolerance, stable_after } = spec.restart_policy;
  const trouble = (detail: string): Sight => ({
    is: 'in_trouble',
    mark: 'failed',
    detail: spec.instances === 1 ? detail : `instance ${phase.slot}: ${detail}`,
  });
  switch (phase.phase) {
    case 'failed':
      return trouble(phase.retryAt === null ? `${phase.reason}; it is given up` : phase.reason);
    case 'backoff': {
      // Restarts that follow each other so slowly that they never count as too many.
      const { attempt } = memory.slots[phase.slot] ?? NO_SLOT;
      return attempt > tolerance.max_restarts
        ? trouble(`${phase.reason}; ${attempt} times in a row`)
        : UNCLEAR;
    }
    case 'running': {
      const { readySince = null } = memory.runs[phase.run.id] ?? {};
      // One that dies a second after each start is not well in between.
      const isStable = readySince !== null && (now - readySince >= stable_after || readySince > now);
      return phase.ready && !phase.mainEnded && isStable ? WELL : UNCLEAR;
    }
    case 'completed':
      return WELL;
    default:
      return UNCLEAR;
  }
}

/** Its last run tells, also while the next one goes on. */
function scheduledSight({ spec }: Defined, { memory }: Glance): Sight {
  const [last] = memory.slots[0]?.exits ?? [];
  if (last === undefined || last.by === 'stop') return UNCLEAR;
  const failure = jobFailure(last, spec.restart_policy);
  return failure === undefined ? WELL : { is: 'in_trouble', mark: 'failed', detail: `its ${failure}` };
}

function rolloutSight(slots: readonly SlotPhase[], { memory }: Glance): Sight {
  const running = slots.flatMap((phase) => (phase.phase === 'running' ? [phase] : []));
  const kept = running.find(({ rejected }) => rejected !== null);
  if (kept?.rejected != null) {
    const detail = `the new definition failed, the old one goes on: ${kept.rejected}`;
    return { is: 'in_trouble', mark: String(memory.rejected?.at ?? ''), detail };
  }
  return running.every(({ outdated, ready }) => !outdated && ready) && running.length === slots.length
    ? WELL
    : UNCLEAR;
}
