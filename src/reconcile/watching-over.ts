/** A run lives and is to live on: what is asked of it now? */
import { askedProbe, earlyBy, nextProbe, type Probe } from '../policy/probe.ts';
import type { Draft } from './draft.ts';
import { PROBE_KINDS, probesOf } from './health.ts';
import type { JudgedRun } from './judgement.ts';
import { besides, type Situation } from './situation.ts';

/** Its hook after the start, its probes, and the reloads that it has not heard of. */
export function watchOver(draft: Draft, situation: Situation, judged: JudgedRun): void {
  const { run, spec, life } = judged;
  if (life !== 'alive' || spec === undefined) return;
  const { id } = run.key;
  if (!draft.run(id).postStarted) {
    draft.remember(id, { ...draft.run(id), postStarted: true });
    if (spec.hooks.post_start !== null) {
      draft.actions.push({ do: 'hook', run: run.key, hook: 'post_start', because: 'it was started' });
    }
  }
  probe(draft, situation, judged);
  const reloads = situation.intent.reloads ?? 0;
  // One at a time; its end wakes the service.
  if (draft.run(id).reloaded >= reloads || situation.inFlight.has(besides(id, 'reload'))) return;
  draft.remember(id, { ...draft.run(id), reloaded: reloads });
  const { reload_signal, reload_command } = spec.process;
  // A run of an older definition may know no reload: a signal that it does not expect would end it.
  if (reload_signal === null && reload_command === null) return;
  draft.actions.push({ do: 'reload', run: run.key, because: 'reload_requested' });
}

function probe(draft: Draft, situation: Situation, judged: JudgedRun): void {
  const { run } = judged;
  const { id } = run.key;
  for (const kind of PROBE_KINDS) {
    const probes = probesOf(judged, draft.run(id));
    const known = probes[kind];
    if (known === undefined) continue;
    const inFlight = situation.inFlight.has(besides(id, kind));
    const answer = nextProbe(kind, probes, { startedAt: run.startedAt, now: situation.now, inFlight });
    if (answer.say === 'wait') draft.wake(answer.until, answer.from);
    // One more success is not told of: the next time to ask has to be remembered while the probe is in flight.
    if (inFlight) wakeForNext(draft, known, situation.now);
    if (answer.say !== 'now') continue;
    const memory = askedProbe(known.memory, situation.now);
    const before = draft.run(id);
    draft.remember(id, { ...before, probes: { ...before.probes, [kind]: memory } });
    const { spec } = known;
    draft.actions.push({ do: 'probe', run: run.key, kind, spec, because: `${kind} is due` });
    wakeForNext(draft, { spec, memory }, situation.now);
  }
}

/** At the first whole interval since the probe was asked that is still to come. */
function wakeForNext(draft: Draft, { spec, memory }: Probe, now: number): void {
  const { interval } = spec;
  const passed = Math.max(0, now - (memory.asked ?? now));
  const next = now - passed + (Math.floor(passed / interval) + 1) * interval;
  draft.wake(next, next - earlyBy(spec));
}
