/** A run is to end: what is done about it now? */
import {
  blockedFrom,
  isBlocked,
  isLate,
  nextStopStep,
  resumed,
  stopped,
  stopSettings,
} from '../policy/stop.ts';
import type { Draft } from './draft.ts';
import type { JudgedRun } from './judgement.ts';
import { besides, type Situation } from './situation.ts';

export function isToStop(run: JudgedRun): boolean {
  return run.fate === 'surplus' && (run.life === 'alive' || run.life === 'leftovers');
}

export function stop(draft: Draft, situation: Situation, judged: JudgedRun): void {
  const { key } = judged.run;
  const remembered = draft.run(key.id);
  const settings = stopSettings(judged.spec);
  const hurry = situation.ending?.hurry ?? false;
  let progress = resumed(remembered.stop, situation.now);
  // Its end was noted as that of the stop that had begun by then.
  const begun = progress ?? (remembered.untold ? remembered.stop : null);
  const cause = judged.fate === 'surplus' ? judged.reason : `reload_retire_generation_${key.generation}`;
  const reason = begun?.reason ?? cause;
  const [first] = situation.dependents;
  if (progress === null && first !== undefined && !hurry) {
    // Whoever relies on it goes first; its end wakes this service.
    draft.say({ slot: key.slot, phase: 'stopping', run: key, until: null, blocked: false, after: first });
    return;
  }
  const hooking = situation.inFlight.has(besides(key.id, 'pre_stop'));
  const step = nextStopStep(progress, settings, situation.now, hurry, hooking);
  if (step.say === 'wait') {
    draft.wake(step.until);
  } else {
    progress = stopped(progress, step.say, settings, reason, situation.now);
    const because = isLate(progress) ? `${reason}_grace_timeout` : reason;
    if (step.say === 'hook') draft.actions.push({ do: 'hook', run: key, hook: 'pre_stop', because });
    if (step.say === 'command') draft.actions.push({ do: 'stop_command', run: key, because });
    if (step.say === 'signal')
      draft.actions.push({ do: 'signal', run: key, signal: settings.signal, because });
    if (step.say === 'kill') draft.actions.push({ do: 'kill', run: key, because });
    const next = nextStopStep(progress, settings, situation.now, false, true);
    draft.wake(next.say === 'wait' ? next.until : situation.now);
  }
  const blockedAt = blockedFrom(progress);
  // Whoever waits for the stop is told then, not only when SIGKILL is repeated.
  if (blockedAt !== undefined && blockedAt > situation.now) draft.wake(blockedAt);
  if (progress !== remembered.stop) draft.remember(key.id, { ...remembered, stop: progress });
  const until =
    progress === null || ['hook', 'hooked', 'kill'].includes(progress.step)
      ? null
      : progress.since + progress.grace;
  draft.say({
    slot: key.slot,
    phase: 'stopping',
    run: key,
    until,
    blocked: isBlocked(progress, situation.now),
  });
}

export function cleanUp(draft: Draft, { run, spec, life }: JudgedRun): void {
  if (life === 'over' && spec?.hooks.post_stop != null) {
    draft.actions.push({ do: 'hook', run: run.key, hook: 'post_stop', because: 'the run has ended' });
  }
  draft.actions.push({ do: 'clean_up', run: run.key, because: 'nothing of the run is left' });
}
