/** Why is a service in the state that it is in, and what would mend it? */
import type { ServiceView, WhyView } from '../api/contract.ts';
import type { Change } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import { sentence } from '../model/problem.ts';
import { printDuration } from '../model/units.ts';
import type { Situation } from '../reconcile/situation.ts';
import { holdOf } from '../reconcile/wanted.ts';
import { exitsOf, iso } from './views.ts';

export interface WhyInput {
  readonly situation: Situation;
  readonly view: ServiceView;
  readonly change: Change | undefined;
  readonly warnings: readonly Problem[];
  readonly stderrTail: readonly string[];
}

export function whyView(input: WhyInput): WhyView {
  const { situation, view, change, warnings } = input;
  const problems = [...(situation.desired?.problems ?? []), ...warnings];
  return {
    service: view,
    because: [...stateSentences(situation, view), ...problems.map(sentence), ...adviceOf(situation, view)],
    exits: exitsOf(situation),
    changes: change?.because ?? [],
    problems,
    stderr_tail: input.stderrTail,
  };
}

function stateSentences(situation: Situation, view: ServiceView): readonly string[] {
  const { intent } = situation;
  const held = holdOf(situation);
  const until = intent.held?.until === undefined ? '' : ` until ${iso(intent.held.until)}`;
  const sentences = view.reason === '' ? [] : [view.reason];
  if (held !== undefined && view.reason !== held) sentences.push(`${held}${until}`);
  if (intent.stopped !== undefined) {
    sentences.push(
      `stopped by ${intent.stopped.by} at ${iso(intent.stopped.at)}; it stays so until somebody starts it`,
    );
  }
  if (intent.scale !== undefined) {
    sentences.push(
      `scaled to ${intent.scale.instances} by ${intent.scale.by} at ${iso(intent.scale.at)}; the file says ${intent.scale.file}`,
    );
  }
  const exit = view.last_exit;
  if (exit !== null) {
    const by = exit.by === 'stop' ? 'when it was stopped' : 'by itself';
    sentences.push(
      `its last run ended ${by} at ${exit.at} after ${printDuration(exit.uptime_ms)}: ${exit.reason}`,
    );
  }
  return sentences;
}

function adviceOf(situation: Situation, view: ServiceView): readonly string[] {
  const name = situation.name;
  const { desired } = situation;
  if (holdOf(situation) !== undefined) return [`pmctl release ${name} gives it back to the loop`];
  if (desired === undefined) return ['put its file back, or pmctl update --prune stops it'];
  if (desired.problems.length > 0) return [`mend ${desired.file}; it is read again when it is saved`];
  if (situation.intent.stopped !== undefined) return [`pmctl start ${name} starts it`];
  if (!view.enabled) return [`pmctl enable ${name} sets enabled: true in ${desired.file}`];
  if (view.state === 'failed')
    return [`mend the cause and save ${desired.file}, or pmctl start ${name} tries again`];
  return [];
}
