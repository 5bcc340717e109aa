/** Why is a service in the state that it is in, and what would mend it? */
import type { ServiceView, WhyView } from '../api/contract.ts';
import type { Change } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import { sentence } from '../model/problem.ts';
import type { Desired } from '../model/spec.ts';
import { count, printElapsed } from '../model/units.ts';
import { describeOutcome } from '../policy/restart.ts';
import type { Situation } from '../reconcile/situation.ts';
import { holdOf, stoppedBy } from '../reconcile/wanted.ts';
import type { StderrWords } from './last-words.ts';
import { exitsOf, iso } from './views.ts';

export interface WhyInput {
  readonly situation: Situation;
  readonly view: ServiceView;
  readonly change: Change | undefined;
  readonly warnings: readonly Problem[];
  readonly stderr: StderrWords;
  /** What each run of a schedule wrote, newest first. */
  readonly excerpts: readonly (readonly string[] | undefined)[];
}

export function whyView(input: WhyInput): WhyView {
  const { situation, view, change, warnings } = input;
  const problems = [...(situation.desired?.problems ?? []), ...warnings];
  return {
    service: view,
    // The state is often that of the first problem.
    because: [
      ...new Set([
        ...stateSentences(situation, view),
        ...problems.map(sentence),
        ...adviceOf(situation, view),
      ]),
    ],
    exits: exitsOf(situation).map((exit, at) => {
      const log = input.excerpts[at];
      return log === undefined ? exit : { ...exit, log };
    }),
    changes: change?.because ?? [],
    problems,
    ...input.stderr,
  };
}

/**
 * Why nothing is known of a service that files define all the same.
 * @param frozen why the files are not followed, and what ends it; nothing where they are
 */
export function whyNotInForce(view: ServiceView, desired: Desired, frozen: readonly string[]): WhyView {
  const because = `${desired.file} defines it, and is not in force yet`;
  return {
    // It is not on its way, as it would be were the file followed.
    service: { ...view, state: 'stopped', drift: 'pending', reason: because },
    because: [because, ...desired.problems.map(sentence), ...(frozen.length > 0 ? frozen : [APPLIES])],
    exits: [],
    changes: [],
    problems: desired.problems,
    stderr_tail: [],
  };
}

const APPLIES = 'pmctl update applies it';

function stateSentences(situation: Situation, view: ServiceView): readonly string[] {
  const { intent } = situation;
  const held = holdOf(situation);
  const stopped = intent.stopped && stoppedBy(intent.stopped.by);
  const sentences = view.reason === '' || view.reason === stopped ? [] : [view.reason];
  if (held !== undefined && view.reason !== held) sentences.push(held);
  if (isDisabled(situation) && intent.stopped !== undefined) sentences.push('disabled in its file');
  if (intent.stopped !== undefined) {
    sentences.push(`${stopped} at ${iso(intent.stopped.at)}; it stays so until somebody starts it`);
  }
  if (intent.scale !== undefined) {
    sentences.push(
      `scaled to ${intent.scale.instances} by ${intent.scale.by} at ${iso(intent.scale.at)}; the file says ${intent.scale.file}`,
    );
  }
  sentences.push(
    ...probeSentences(view),
    ...dependencySentences(situation, view),
    ...scheduleSentences(view),
  );
  const { rejected } = situation.memory;
  if (
    rejected !== null &&
    view.instances.some(({ generation }) => generation !== null && generation < rejected.generation)
  ) {
    const { desired } = situation;
    const isAccepted = desired?.kind === 'defined' && desired.spec.rollout.on_failure === 'replace';
    const follows = isAccepted ? 'replaces the older one all the same' : 'the older one goes on';
    sentences.push(
      `generation ${rejected.generation} failed at ${iso(rejected.at)} and ${follows}: ${rejected.reason}`,
    );
  }
  return [...sentences, ...straySentences(situation), ...exitSentence(situation)];
}

function straySentences({ observed }: Situation): readonly string[] {
  const runs = observed.kind === 'seen' ? observed.runs : [];
  return runs.flatMap(({ main }) =>
    main.is === 'running' && main.outside !== undefined
      ? [
          `its main process ${main.pid} has left its cgroup and is in ${main.outside}: no limit of the service holds there, a rotation of its logs cannot make it stand still, and a stop ends it, but not what it has started there`,
        ]
      : [],
  );
}

function exitSentence({ memory }: Situation): readonly string[] {
  const exits = Object.values(memory.slots).flatMap((slot) => slot.exits);
  const [last] = exits.sort((a, b) => b.at - a.at);
  if (last === undefined) return [];
  const { outcome } = last;
  if (outcome.kind === 'not_started') {
    return [`its last start was refused at ${iso(last.at)}: ${describeOutcome(outcome)}`];
  }
  const by = last.because === undefined ? ENDED_BY[last.by] : `because ${last.because},`;
  // Of a run that an earlier daemon started only that it ended is seen, whoever watched.
  const isUnknown = outcome.kind === 'unknown' && !outcome.oom;
  const how = isUnknown ? 'its exit code is not known' : describeOutcome(outcome);
  return [`its last run ended ${by} at ${iso(last.at)} after ${printElapsed(last.uptime)}: ${how}`];
}

const ENDED_BY = {
  stop: 'when it was stopped',
  itself: 'by itself',
  policy: 'because it was not well',
} as const;

function probeSentences({ instances }: ServiceView): readonly string[] {
  return instances.flatMap(({ instance, probes }) =>
    probes.map(({ kind, ok, detail, at, failures, threshold }) => {
      if (ok === null) return `${kind} of instance ${instance} has not been asked yet`;
      const row =
        failures === 0 ? '' : `, ${count(failures, 'failure')} in a row (${threshold} count as failed)`;
      return `${kind} of instance ${instance} ${ok ? 'passed' : 'failed'} at ${at}: ${detail}${row}`;
    }),
  );
}

/** Those of which the reason does not speak already. */
function dependencySentences({ dependencies }: Situation, { reason }: ServiceView): readonly string[] {
  return dependencies
    .filter(({ state, detail }) => state !== 'met' && !reason.includes(detail))
    .map(({ detail }) => `dependency: ${detail}`);
}

function scheduleSentences({ schedule }: ServiceView): readonly string[] {
  if (schedule === null) return [];
  const { missed, running } = schedule.skipped;
  const next = schedule.next_at === null ? 'it has no further time' : `its next time is ${schedule.next_at}`;
  const skipped =
    missed + running === 0 ? [] : [`${missed} of its times were missed, ${running} came while it still ran`];
  return [next, ...skipped];
}

function isDisabled({ desired }: Situation): boolean {
  return desired?.kind === 'defined' && !desired.spec.enabled;
}

function adviceOf(situation: Situation, view: ServiceView): readonly string[] {
  const name = situation.name;
  const { desired } = situation;
  if (holdOf(situation) !== undefined) return [`pmctl release ${name} gives it back to the loop`];
  if (desired === undefined) {
    const { observed } = situation;
    const isOver = observed.kind === 'seen' && observed.runs.length === 0;
    return [`put its file back, or pmctl update --prune ${isOver ? 'removes' : 'stops'} it`];
  }
  // Where the whole directory is not read, its problem says what to do, and the file may be right.
  const isItsFile = desired.problems.some(({ code }) => code !== 'directory-unreadable');
  if (isItsFile) return [`mend ${desired.file}; it is read again when it is saved`];
  const isStopped = situation.intent.stopped !== undefined;
  if (isDisabled(situation)) {
    const then = isStopped ? `; then pmctl start ${name} starts it` : '';
    return [`pmctl enable ${name} sets enabled: true in ${desired.file}${then}`];
  }
  if (isStopped) return [`pmctl start ${name} starts it`];
  if (view.state === 'failed')
    return [`mend the cause and save ${desired.file}, or pmctl start ${name} tries again`];
  return [];
}
