/** How is a process asked whether it is well, according to a complete tree? */
import type { ProbeKind, ProbeMeans, ProbeSpec } from '../model/probe.ts';
import type { Problem } from '../model/problem.ts';
import type { Probes } from '../model/spec.ts';
import { argv } from './argv.ts';
import type { CompleteService } from './generated/types.ts';
import { patternRefusal } from './log-pattern.ts';
import { httpQuestion, type QuestionRefused, type ServicePort, tcpQuestion } from './probe-questions.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';
import { PROBE_MEANS } from './short-forms.ts';

type Written = NonNullable<CompleteService['probes']['startup']>;

/** More often than this costs more than it tells. Milliseconds. */
const LEAST_INTERVAL = 100;

/** @param port of the service */
export function probesOf(
  written: CompleteService['probes'],
  port: ServicePort,
  origin: Origin,
): { readonly probes: Probes; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const probe = (kind: ProbeKind): ProbeSpec | null => {
    const one = written[kind];
    if (one === undefined) return null;
    const at = ['probes', kind];
    const means = meansOf(one, kind, port);
    problems.push(...limitProblems(one, kind, origin));
    if (!('says' in means)) return { how: means, ...timesOf(one) };
    const { says, hint } = means;
    problems.push(problemAt(origin, [...at, ...means.at], { code: 'value-invalid', says, hint }));
    return null;
  };
  const probes = { startup: probe('startup'), readiness: probe('readiness'), liveness: probe('liveness') };
  return { probes, problems };
}

function timesOf(written: Written): Omit<ProbeSpec, 'how'> {
  const { interval, timeout, failure_threshold, success_threshold, initial_delay } = written;
  return { interval, timeout, failure_threshold, success_threshold, initial_delay };
}

function meansOf(written: Written, kind: ProbeKind, port: ServicePort): ProbeMeans | QuestionRefused {
  const given = PROBE_MEANS.filter((means) => written[means] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    const says = 'does not say how to ask';
    return {
      at: [],
      says,
      hint: `give it http, tcp${kind === 'startup' ? ', exec, log or fd' : ' or exec'}`,
    };
  }
  if (second !== undefined) {
    return { at: [second], says: `the probe asks by ${first} already`, hint: 'keep one of them' };
  }
  if (written.http !== undefined) {
    return below('http', httpQuestion(written.http, port), (http) => ({ http }));
  }
  if (written.tcp !== undefined) return below('tcp', tcpQuestion(written.tcp, port), (tcp) => ({ tcp }));
  if (written.exec !== undefined) return { exec: argv(written.exec) };
  if (written.fd !== undefined) return { fd: written.fd };
  const log = written.log ?? '';
  const says = patternRefusal(log);
  return says === undefined ? { log } : { at: ['log'], says };
}

function below<Question extends object>(
  key: string,
  question: Question | QuestionRefused,
  means: (question: Question) => ProbeMeans,
): ProbeMeans | QuestionRefused {
  if (!('says' in question)) return means(question);
  return { ...question, at: [key, ...question.at] };
}

/** As the kubelet has it, one success is enough for `startup` and `liveness`: there is no half a start. */
function limitProblems(written: Written, kind: ProbeKind, origin: Origin): readonly Problem[] {
  const wrong: [string, string][] = [];
  if (written.interval < LEAST_INTERVAL) wrong.push(['interval', `must be at least ${LEAST_INTERVAL}ms`]);
  if (written.timeout === 0) wrong.push(['timeout', '0 leaves no time for an answer']);
  if (kind !== 'readiness' && written.success_threshold !== 1) {
    wrong.push(['success_threshold', `must be 1 for ${kind}: more than one can be asked of readiness only`]);
  }
  return wrong.map(([key, says]) => {
    const path: Path = ['probes', kind, key];
    return problemAt(origin, path, { code: 'value-invalid', says });
  });
}
