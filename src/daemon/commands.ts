/** What does a command change in the intent of a service, and when has it been fulfilled? */
import type { CommandRequest, Verb } from '../api/contract.ts';
import type { Intent } from '../model/memory.ts';
import type { Observed } from '../model/observed.ts';
import type { ServiceSpec } from '../model/spec.ts';
import type { Situation } from '../reconcile/situation.ts';
import { holdOf, stoppedBy, wantedOf } from '../reconcile/wanted.ts';
import {
  type Glance,
  isDown,
  isReloaded,
  isTriggered,
  isUp,
  type Outcome,
  reloadsInPlace,
} from './outcome.ts';

/** The intent afterwards, or one sentence why the command is refused. */
export type NewIntent = { readonly intent: Intent } | { readonly refused: string };

export function intentAfter(request: CommandRequest, situation: Situation): NewIntent {
  const { intent, now } = situation;
  const asked = { by: request.by, at: now };
  const refusal = refusalOf(request.verb, situation);
  if (refusal !== undefined) return { refused: refusal };
  const pardon = (intent.pardon ?? 0) + 1;
  switch (request.verb) {
    case 'start': {
      const { stopped: _, ...rest } = intent;
      return { intent: { ...rest, pardon } };
    }
    case 'restart': {
      const { stopped: _, ...rest } = intent;
      return { intent: { ...rest, pardon, minGeneration: newestGeneration(situation) + 1 } };
    }
    case 'reload': {
      if (reloadsInPlace(situation)) return { intent: { ...intent, reloads: (intent.reloads ?? 0) + 1 } };
      const minGeneration = newestGeneration(situation) + 1;
      return { intent: { ...intent, pardon, minGeneration } };
    }
    case 'trigger':
      return { intent: { ...intent, triggers: (intent.triggers ?? 0) + 1 } };
    case 'stop':
      return { intent: { ...intent, stopped: asked } };
    case 'hold': {
      const reason = request.reason === undefined ? {} : { reason: request.reason };
      const until = request.for === undefined ? {} : { until: now + request.for };
      return { intent: { ...intent, held: { ...asked, ...reason, ...until } } };
    }
    case 'release': {
      const { held: _, ...rest } = intent;
      return { intent: rest };
    }
    case 'scale':
      return scaled(request, situation, asked);
    case 'enable':
    case 'disable':
      return { intent };
  }
}

/**
 * What the caller waits for.
 * @param look asks the kernel
 */
export function fulfilment(verb: Verb, glance: Glance, look: () => Observed): Outcome {
  switch (verb) {
    case 'start':
    case 'restart':
      return noneWanted(glance) ?? isUp(glance);
    case 'reload':
      return isReloaded(glance);
    case 'trigger':
      return isTriggered(glance);
    case 'scale': {
      const wanted = wantedOf(glance);
      if (wanted.kind === 'run') return isUp(glance);
      return { result: 'done', detail: `noted; nothing is started: ${wanted.reason}` };
    }
    case 'stop': {
      const down = isDown(glance, look);
      const revoked = glance.intent.stopped === undefined && glance.desired !== undefined;
      if (down.result !== 'pending' || !revoked) return down;
      return { result: 'failed', detail: 'somebody started it again meanwhile' };
    }
    case 'disable':
      return isDown(glance, look);
    case 'enable':
      return glance.intent.stopped === undefined
        ? isUp(glance)
        : { result: 'done', detail: `enabled, but ${stoppedBy(glance.intent.stopped.by)}; start it as well` };
    case 'hold':
      return { result: 'done', detail: holdOf(glance) ?? 'held' };
    case 'release':
      return { result: 'done', detail: 'its file is followed again' };
  }
}

/** Nothing comes of the command, though it is noted. */
function noneWanted(glance: Glance): Outcome | undefined {
  const wanted = wantedOf(glance);
  if (wanted.kind !== 'run' || wanted.count > 0) return undefined;
  const { scale } = glance.intent;
  const { name, file } = wanted.desired;
  const detail =
    scale === undefined
      ? `nothing is started: ${file} says instances: 0`
      : `nothing is started: it is scaled to 0 instances by ${scale.by}; pmctl scale ${name} 1 starts one`;
  return { result: 'failed', detail };
}

/** Commands that mean nothing for a service that cannot run. */
const STARTING: ReadonlySet<Verb> = new Set(['start', 'restart', 'reload', 'trigger', 'scale']);

function refusalOf(verb: Verb, situation: Situation): string | undefined {
  const held = holdOf(situation);
  const { desired, intent } = situation;
  if (held !== undefined && verb !== 'hold' && verb !== 'release') return `${held}; release it first`;
  if (verb === 'release' && intent.held === undefined) return 'nobody holds it';
  if (!STARTING.has(verb)) return undefined;
  if (desired === undefined) return 'its file is gone';
  if (desired.kind === 'broken') return desired.problems[0]?.message ?? 'its file has errors';
  if (!desired.spec.enabled) return `it is disabled in ${desired.file}; enable it first`;
  const stopped =
    intent.stopped === undefined ? undefined : `${stoppedBy(intent.stopped.by)}; start it first`;
  if ((verb === 'reload' || verb === 'trigger') && stopped !== undefined) return stopped;
  const scheduled = desired.spec.process.schedule !== null;
  if (verb === 'trigger' && !scheduled) return 'it has no schedule';
  if (verb === 'restart' && scheduled) return 'it runs by its schedule: pmctl trigger runs it now';
  if (verb === 'reload' && scheduled && !reloadsInPlace(situation)) return 'it runs by its schedule';
  if (verb === 'scale' && desired.spec.process.schedule !== null)
    return 'it runs by a schedule, one at a time';
  return undefined;
}

function scaled(
  request: CommandRequest,
  { intent, desired }: Situation,
  asked: { by: string; at: number },
): NewIntent {
  const instances = request.instances;
  if (instances === undefined || !Number.isInteger(instances) || instances < 0 || instances > 999) {
    return { refused: 'scale needs a number of instances from 0 to 999' };
  }
  const spec: ServiceSpec | undefined = desired?.kind === 'defined' ? desired.spec : undefined;
  const { scale: _, ...rest } = intent;
  if (spec === undefined || spec.instances === instances) return { intent: rest };
  return { intent: { ...rest, scale: { ...asked, instances, file: spec.instances } } };
}

function newestGeneration({ memory, observed, intent }: Situation): number {
  const seen = observed.kind === 'seen' ? observed.runs.map((run) => run.key.generation) : [];
  return Math.max(0, memory.generation, intent.minGeneration ?? 0, ...seen);
}
