/** Who is told what, and what was told already, also by the daemon before? */
import type { Event } from '../model/action.ts';
import type { Notification, NotifySink } from '../model/notification.ts';
import type { Problem } from '../model/problem.ts';
import { keyOf, notify, type Told } from '../policy/notify.ts';
import type { Clock, Files, Random } from '../world/world.ts';
import type { Loop } from './loop.ts';
import { type Deliver, labelOf } from './notify-delivery.ts';
import { NotifyQueue } from './notify-queue.ts';
import { configurationSight, frozenSight, guardSight, sightsOf } from './sights.ts';
import { unwritable, type Wrote } from './state-problems.ts';

export interface NotificationTools {
  readonly sinks: readonly NotifySink[];
  readonly deliver: Deliver;
  readonly loop: Pick<Loop, 'names' | 'glance' | 'desired' | 'removals' | 'onPass'>;
  readonly world: { readonly clock: Clock; readonly files: Files; readonly random: Random };
  /** Why the files are not followed: somebody, or an update that failed, went back to what was before. */
  readonly frozen: () => string | undefined;
  /** What is wrong with where the files come from, besides what is wrong with them. */
  readonly problems: () => readonly Problem[];
  /** What was told is remembered here. */
  readonly stateFile: string;
  readonly hostname: string;
  readonly note: (event: Omit<Event, 'at'>) => void;
  readonly wrote: Wrote;
  readonly warn: (message: string) => void;
}

/** Passes may follow each other quickly: it is looked at them together. Milliseconds. */
const TOGETHER = 250;

/** Time alone may show that a service is well again. Milliseconds. */
const LOOK_AGAIN = 1000;

/** Characters. */
const LONGEST_MESSAGE = 2000;

const STATE_LIMIT = 16 * 1024 * 1024;

export class Notifications {
  readonly #tools: NotificationTools;
  readonly #queues: readonly NotifyQueue[];
  #told: Told;
  /** What the file says. */
  #saved: string;
  #count = 0;
  #due: (() => void) | undefined;
  #stop = () => {};
  #isClosed = false;

  constructor(tools: NotificationTools) {
    this.#tools = tools;
    const { clock, random } = tools.world;
    this.#queues = tools.sinks.map(
      (sink) =>
        new NotifyQueue({
          ...{ sink, deliver: tools.deliver, clock, random },
          settled: (notification, why) => this.#settled(sink, notification, why),
        }),
    );
    this.#told = tools.sinks.length === 0 ? {} : readTold(tools.world.files, tools.stateFile);
    this.#saved = JSON.stringify(this.#told);
  }

  /** From now on; the directory has been read. Costs nothing where nobody wants to be told. */
  begin(): void {
    if (this.#queues.length === 0) return;
    this.#stop = this.#tools.loop.onPass(() => this.#lookIn(TOGETHER));
    this.#lookIn(TOGETHER);
  }

  /** Something has changed that no pass of the loop tells. */
  look(): void {
    if (this.#queues.length > 0) this.#lookIn(TOGETHER);
  }

  /** What was not delivered by now is told again by the next daemon. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#due?.();
    for (const queue of this.#queues) queue.close();
  }

  #lookIn(delay: number): void {
    if (this.#isClosed) return;
    this.#due ??= this.#tools.world.clock.after(delay, () => {
      this.#due = undefined;
      this.#look();
    });
  }

  #look(): void {
    const { loop, world, hostname, frozen, problems } = this.#tools;
    const now = world.clock.now();
    const subjects = [
      ...loop.names().flatMap((name) => sightsOf(name, loop.glance(name))),
      configurationSight([...loop.desired.problems, ...problems()]),
      guardSight(loop.removals),
      frozenSight(frozen()),
    ];
    const { told, messages } = notify(this.#told, subjects, now);
    this.#told = told;
    for (const { since, ...message } of messages) {
      this.#count += 1;
      const notification: Notification = {
        id: `${now}-${this.#count}`,
        ...message,
        message: message.message.slice(0, LONGEST_MESSAGE),
        ...{ at: new Date(now).toISOString(), host: hostname },
        ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
      };
      for (const queue of this.#queues) queue.add(notification);
    }
    this.#saveIfDone();
    // While something that was told lasts, it ends by an event; a service that is back proves itself by time.
    const proves = subjects.some(
      ({ trouble, service, sight }) => sight.is === 'unclear' && keyOf(trouble, service) in told,
    );
    if (proves) this.#lookIn(LOOK_AGAIN);
  }

  #settled(sink: NotifySink, { event, service }: Notification, why: string | undefined): void {
    const { note, warn, loop } = this.#tools;
    const name = loop.names().find((one) => one === service);
    const about = name === undefined ? {} : { service: name };
    const label = labelOf(sink);
    if (why === undefined) note({ name: 'notified', ...about, fields: { event, sink: label } });
    else {
      const whom = service === undefined ? event : `${event} ${service}`;
      warn(`the message "${whom}" did not reach ${label}: ${why}; it is given up`);
      note({ name: 'notification_failed', ...about, fields: { event, sink: label, problem: why } });
    }
    this.#saveIfDone();
  }

  /** Only what has been told counts as told: a daemon that dies before tells it again. */
  #saveIfDone(): void {
    const { world, stateFile, wrote } = this.#tools;
    if (this.#isClosed || this.#queues.some(({ isIdle }) => !isIdle)) return;
    const text = JSON.stringify(this.#told);
    const state = `${JSON.stringify({ version: 1, told: this.#told })}\n`;
    const isSaved = text === this.#saved;
    const failure = isSaved
      ? undefined
      : world.files.replace(stateFile, state, { mode: 0o600, durable: false });
    if (failure === undefined) this.#saved = text;
    // The next look tries again.
    const problem = failure === undefined ? undefined : unwritable(stateFile, failure);
    wrote('notified.json', problem && { ...problem, severity: 'warning' });
  }
}

/** What cannot be read back was not told: once more is better than not at all. */
function readTold(files: Files, path: string): Told {
  const text = files.read(path, STATE_LIMIT);
  if (typeof text !== 'string') return {};
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state !== 'object' || state === null || !('told' in state)) return {};
    const entries = Object.entries(state.told ?? {}).filter(([, value]) => isEntry(value));
    return Object.fromEntries(entries) as Told;
  } catch {
    return {};
  }
}

function isEntry(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'mark' in value &&
    typeof value.mark === 'string' &&
    'at' in value &&
    typeof value.at === 'number'
  );
}
