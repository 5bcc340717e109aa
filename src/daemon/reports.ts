/** Who is told what: lifecycle lines for machines, the log for people, each complaint once. */
import type { Event } from '../model/action.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { count } from '../model/units.ts';
import type { Host } from '../world/host.ts';
import type { Clock } from '../world/world.ts';
import type { Journal } from './journal.ts';
import { lifecycleLine } from './lifecycle.ts';
import { problemEvents } from './problem-events.ts';

/** The part of pino that is used here. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The same complaint is not repeated within this time. Milliseconds. */
const QUIET = 60_000;

export class Reports {
  readonly #tools: { host: Host; log: Log; journal: Journal; clock: Clock; settings: Settings };
  readonly #complained = new Map<string, number>();
  #lastConfigProblems = '';
  #configProblems: readonly Problem[] = [];
  #lifecycleBroken = false;

  constructor(tools: { host: Host; log: Log; journal: Journal; clock: Clock; settings: Settings }) {
    this.#tools = tools;
  }

  event(event: Event): void {
    const { host, journal, settings } = this.#tools;
    journal.add(withActor(event));
    const line = lifecycleLine(event, host.pid);
    host.print(line);
    if (settings.lifecycle_log === null) return;
    const failure = host.append(settings.lifecycle_log, `${line}\n`);
    if (failure !== undefined && !this.#lifecycleBroken) {
      this.#tools.log.error(
        { path: settings.lifecycle_log },
        `the lifecycle log cannot be written (${failure})`,
      );
    }
    this.#lifecycleBroken = failure !== undefined;
  }

  /** An event of the manager itself. */
  manager(name: string, fields: Event['fields'] = {}): void {
    this.event({ at: this.#tools.clock.now(), name, fields });
  }

  /** Something that is no lifecycle: only the journal tells it. */
  note(event: Omit<Event, 'at'>): void {
    this.#tools.journal.add({ ...event, at: this.#tools.clock.now() });
  }

  complain(problem: Problem): void {
    const now = this.#tools.clock.now();
    const text = `${problem.service ?? ''} ${problem.code} ${problem.message}`;
    const last = this.#complained.get(text);
    if (last !== undefined && now - last < QUIET) return;
    if (this.#complained.size > 1000) this.#complained.clear();
    this.#complained.set(text, now);
    // Whoever looks into what happened to a service finds it there: it is in no status, for it does not last.
    if (problem.service !== undefined) for (const event of problemEvents([], [problem])) this.note(event);
    this.#tell(problem);
  }

  /** Problems of the configuration: told when they change. */
  configuration(problems: readonly Problem[]): void {
    const all = problems.map(sentence).join('\n');
    if (all === this.#lastConfigProblems) return;
    if (problems.length === 0) this.#tools.log.info({}, 'the configuration has no errors any more');
    this.#lastConfigProblems = all;
    for (const event of problemEvents(this.#configProblems, problems)) this.note(event);
    this.#configProblems = problems;
    for (const problem of problems.slice(0, 50)) this.#tell(problem);
    if (problems.length > 50)
      this.#tools.log.error({}, `… and ${count(problems.length - 50, 'more problem')}`);
  }

  /** A problem that lasts: told when it begins, becomes another or ends. */
  lasting(before: readonly Problem[], now: readonly Problem[]): void {
    for (const event of problemEvents(before, now)) this.note(event);
    for (const problem of now) this.#tell(problem);
  }

  #tell(problem: Problem): void {
    const { log } = this.#tools;
    const fields = {
      code: problem.code,
      ...(problem.service === undefined ? {} : { service: problem.service }),
    };
    if (problem.severity === 'warning') log.warn(fields, sentence(problem));
    else log.error(fields, sentence(problem));
  }
}

/** The lifecycle line has it among the fields. */
function withActor(event: Event): Event {
  const { by, ...fields } = event.fields;
  return typeof by === 'string' ? { ...event, actor: by, fields } : event;
}
