/** How do lines of services get into the log of the daemon, each of them once? */
import { LogFollower, type Notice } from '../logs/follow.ts';
import { type WrittenLog, writtenLogs } from '../model/log-path.ts';
import type { ServiceName } from '../model/names.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Credentials, Defined, DesiredState } from '../model/spec.ts';
import { identityOf } from '../world/log-files.ts';
import { placeOf } from '../world/log-identity.ts';
import type { Clock, Files } from '../world/world.ts';
import { ForwardMarks } from './forward-marks.ts';
import type { Log } from './reports.ts';
import type { Wrote } from './state-problems.ts';

export interface ForwardingTools {
  readonly clock: Clock;
  readonly files: Pick<Files, 'read' | 'replace'>;
  /** Where the positions are kept. */
  readonly path: string;
  readonly log: Log;
  /** Device and inode of each file that the daemon itself writes to: forwarded, it would never end. */
  readonly own: () => readonly string[];
  readonly complain: (problem: Problem) => void;
  readonly wrote: Wrote;
}

interface Forwarded {
  /** Where the file really is: several services may name it by several paths. */
  readonly place: string;
  service: ServiceName;
  /** `[web] STDOUT`. */
  label: string;
  log: WrittenLog;
  credentials: Credentials | null;
  readonly follower: LogFollower;
  /** Nobody writes there any more by his file, but perhaps the end of a process of before; null: somebody does. */
  until: number | null;
  isBusy: boolean;
}

/** Between two looks, and when more is there already. Milliseconds. */
const EVERY = 200;
const BEHIND = 20;

/** For one look: of one log, and of all together. The loop must not wait for those who write much. */
const OF_EACH = { bytes: 1 << 18, lines: 300 };
const OF_ALL = 1000;

/** A directory with very many files takes long to look at: then the others come at the next look. Milliseconds. */
const LONGEST_LOOK = 50;

/** Positions are written at most so often; milliseconds. */
const KEPT_EVERY = 1000;

/** The logs of a service that goes are forwarded for so long; milliseconds. */
const LINGER = 10_000;

/** At the end of the daemon, so long at most; milliseconds. */
const LAST_LOOKS = 1000;

/**
 * A log is forwarded from where it ended when it was met first: before a service is started, or when forwarding is
 * switched on. From then on every line once, also across restarts of the daemon; after `kill -9` those of the last
 * second come again. A service that writes more than can be forwarded is forwarded later, up to what rotation keeps.
 */
export class Forwarding {
  readonly #tools: ForwardingTools;
  readonly #marks: ForwardMarks;
  readonly #logs = new Map<string, Forwarded>();
  /** Where each log was at the last arrangement, by user and path: no start waits for that. */
  readonly #places = new Map<string, string>();
  #cancel: (() => void) | undefined;
  #look: Promise<boolean> | undefined;
  #first = 0;
  #kept = 0;
  #isClosed = false;

  constructor(tools: ForwardingTools) {
    this.#tools = tools;
    this.#marks = new ForwardMarks(tools.files, tools.path);
    const problem = this.#marks.load();
    if (problem !== undefined) tools.complain(problem);
  }

  /** To be called before a run of the service is started: what that writes is forwarded from its first line on. */
  starting(service: Defined): void {
    if (this.#isClosed) return;
    for (const [place, log] of this.#logsOf(service)) {
      if (this.#logs.has(place)) continue;
      const isKnown = this.#marks.get(place) !== undefined;
      const forwarded = this.#follow(service, log, place);
      // The look finds the end, and does so at once.
      if (!isKnown) void this.#forward(forwarded, OF_EACH.lines);
    }
    this.#lookLater(EVERY);
  }

  /** To be called with each new desired state, once its services were started. */
  arrange({ services }: DesiredState): void {
    if (this.#isClosed) return;
    this.#places.clear();
    const wanted = new Map<string, { readonly service: Defined; readonly log: WrittenLog }>();
    for (const service of services.values()) {
      if (service.kind !== 'defined') continue;
      for (const [place, log] of this.#logsOf(service))
        if (!wanted.has(place)) wanted.set(place, { service, log });
    }
    for (const [place, forwarded] of this.#logs) {
      if (wanted.has(place)) continue;
      const service = services.get(forwarded.service);
      const isSwitchedOff = service?.kind === 'defined' && !service.spec.logs.forward;
      if (isSwitchedOff) this.#drop(forwarded);
      else if (service?.kind !== 'broken') forwarded.until ??= this.#tools.clock.now() + LINGER;
    }
    for (const [place, { service, log }] of wanted) this.#follow(service, log, place);
    // Nothing is known of the logs of a file that is broken since before this daemon: their marks stay.
    const isBroken = [...services.values()].some(({ kind }) => kind === 'broken');
    if (!isBroken) this.#marks.keepOnly((place) => this.#logs.has(place));
    this.#lookLater(EVERY);
  }

  /** Forwards what is there by now, as far as that can be done soon. */
  async close(): Promise<void> {
    const { clock } = this.#tools;
    this.#isClosed = true;
    this.#cancel?.();
    await this.#look;
    const end = clock.now() + LAST_LOOKS;
    while (this.#logs.size > 0 && (await this.#lookAtAll()) && clock.now() < end);
    this.#keep();
    for (const { follower } of this.#logs.values()) follower.close();
    this.#logs.clear();
  }

  #follow(service: Defined, log: WrittenLog, place: string): Forwarded {
    const { credentials, name, spec } = service;
    const whose = log.instance !== null && spec.instances > 1 ? `${name}[${log.instance}]` : name;
    const about = {
      service: name,
      label: `[${whose}] ${log.stream.toUpperCase()}`,
      log,
      credentials,
      until: null,
    };
    const known = this.#logs.get(place);
    const isSame = known?.log.path === log.path && known.credentials?.uid === credentials?.uid;
    if (known !== undefined && isSame) return Object.assign(known, about);
    if (known !== undefined) this.#drop(known);
    const from = this.#marks.get(place) ?? 'end';
    const follower = new LogFollower({ path: log.path, credentials, rotation: 'ours' }, from);
    const forwarded: Forwarded = { ...about, place, follower, isBusy: false };
    this.#logs.set(place, forwarded);
    return forwarded;
  }

  #drop(forwarded: Forwarded): void {
    forwarded.follower.close();
    if (this.#logs.get(forwarded.place) === forwarded) this.#logs.delete(forwarded.place);
  }

  /** Each with its place. */
  #logsOf({ spec, credentials }: Defined): readonly (readonly [place: string, log: WrittenLog])[] {
    if (!spec.logs.forward) return [];
    return writtenLogs(spec.logs, spec.instances).map((log) => {
      const named = `${credentials?.uid ?? ''} ${log.path}`;
      const place = this.#places.get(named) ?? placeOf(log.path, credentials);
      this.#places.set(named, place);
      return [place, log];
    });
  }

  #lookLater(delay: number): void {
    if (this.#isClosed || this.#cancel !== undefined || this.#logs.size === 0) return;
    this.#cancel = this.#tools.clock.after(delay, () => void this.#lookNow());
  }

  async #lookNow(): Promise<void> {
    this.#look = this.#lookAtAll();
    const more = await this.#look;
    if (this.#tools.clock.now() - this.#kept >= KEPT_EVERY) this.#keep();
    this.#cancel = undefined;
    this.#lookLater(more ? BEHIND : EVERY);
  }

  /** True if there is more already. Who comes first changes with each look. */
  async #lookAtAll(): Promise<boolean> {
    const all = [...this.#logs.values()];
    const until = this.#tools.clock.now() + LONGEST_LOOK;
    this.#first = (this.#first + 1) % Math.max(1, all.length);
    let left = OF_ALL;
    let more = false;
    for (const forwarded of [...all.slice(this.#first), ...all.slice(0, this.#first)]) {
      if (left <= 0 || this.#tools.clock.now() > until) return true;
      const told = await this.#forward(forwarded, Math.min(OF_EACH.lines, left));
      left -= told.lines;
      more ||= told.more;
      const end = forwarded.until;
      if (end !== null && this.#tools.clock.now() > end && !told.more) this.#drop(forwarded);
    }
    return more;
  }

  async #forward(forwarded: Forwarded, lines: number): Promise<{ lines: number; more: boolean }> {
    const { follower, place, log, label, service } = forwarded;
    // Somebody else may have taken its place while others were read.
    if (forwarded.isBusy || this.#logs.get(place) !== forwarded) return { lines: 0, more: false };
    forwarded.isBusy = true;
    const reading = await follower.read({ ...OF_EACH, lines });
    forwarded.isBusy = false;
    if (this.#logs.get(place) !== forwarded) {
      follower.close();
      return { lines: 0, more: false };
    }
    if (follower.identity !== undefined && this.#tools.own().includes(follower.identity)) {
      this.#tools.complain(ownLog(service, log.path));
      this.#drop(forwarded);
      return { lines: 0, more: false };
    }
    const fields = { service, stream: log.stream };
    for (const notice of reading.notices) {
      this.#tools.log.warn(fields, `${label} is forwarded with a gap: ${inWords(notice)}`);
    }
    for (const line of reading.lines) {
      if (log.stream === 'stdout') this.#tools.log.info(fields, `${label}: ${line}`);
      else this.#tools.log.warn(fields, `${label}: ${line}`);
    }
    const mark = follower.mark();
    if (mark !== undefined) this.#marks.set(place, mark);
    return { lines: reading.lines.length, more: reading.more };
  }

  #keep(): void {
    this.#kept = this.#tools.clock.now();
    const problem = this.#marks.save();
    this.#tools.wrote('forward.json', problem);
  }
}

/** As the daemon with these settings needs them. */
export function forwardingTools(
  files: ForwardingTools['files'],
  settings: Settings,
  log: Log,
): Omit<ForwardingTools, 'clock' | 'complain' | 'wrote'> {
  // Its standard streams may lead to files.
  const own = [1, 2, settings.log.file, settings.lifecycle_log].filter((file) => file !== null);
  return {
    files,
    path: `${settings.state_directory}/forward.json`,
    log,
    own: () => own.flatMap((file) => identityOf(file) ?? []),
  };
}

function inWords(notice: Notice): string {
  switch (notice.kind) {
    case 'truncated':
      return 'somebody has truncated the file';
    case 'lost':
      return 'what came next was removed before it was read';
    case 'unreadable':
      return sentence(notice.problem);
  }
}

function ownLog(service: ServiceName, path: string): Problem {
  const message = `${path} is not forwarded: the daemon writes its own log there`;
  return { code: 'log-unreadable', severity: 'warning', message, service, path: 'logs.forward' };
}
