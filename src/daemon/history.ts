/** Which state was applied when, on whose account, and what became of it? Written down when nobody waits for it. */
import { relative } from 'node:path';
import type { Commit, SnapshotResult, Trigger } from '../api/deploys.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Desired, DesiredState } from '../model/spec.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Clock } from '../world/world.ts';
import { fileOf, isSame, isSameState, type Seen, snapshotOf } from './entries.ts';
import type { KeptText } from './freeze.ts';
import type { Loop } from './loop.ts';
import { type Glance, isUp } from './outcome.ts';
import { blobOf, type Snapshot, type SnapshotFile, type Snapshots, touchedBy } from './snapshots.ts';
import { Unkept } from './unkept.ts';

/** Why something is applied. */
export interface Cause {
  readonly trigger: Trigger;
  readonly by: string | null;
}

export interface HistoryTools {
  readonly snapshots: Snapshots;
  readonly loop: Pick<Loop, 'desired' | 'glance' | 'names'>;
  readonly clock: Clock;
  /** Resolves when others have had their turn. */
  readonly soon: () => Promise<void>;
  readonly directory: string;
  readonly most: number;
  /** The text that a definition was read from; the path is absolute. */
  readonly textOf: (desired: Desired) => { readonly file: string; readonly text: string } | undefined;
  /** Never rejects. */
  readonly commit: () => Promise<Commit | null>;
  /** Told after each write; undefined: all of it is on disk. */
  readonly wrote: (problem: Problem | undefined) => void;
}

/** An entry whose outcome is looked at. */
interface Followed {
  readonly snapshot: Snapshot;
  /** Services of it that no later entry has touched, and that have not come up yet. */
  readonly open: ReadonlySet<string>;
}

/** How often the outcome is looked at: soon at first, then less and less. Milliseconds. */
const FIRST_LOOK = 250;
const LONGEST_PAUSE = 5000;

/** What is not known by then may be the end of a long one-shot; milliseconds. It is looked at this seldom from then on. */
const LONG = 30 * 60_000;
const SELDOM = 60_000;

/** So many texts are worked out in one turn. */
const AT_ONCE = 50;

export class History {
  readonly #tools: HistoryTools;
  readonly #unkept: Unkept;
  #last: readonly Seen[] | undefined;
  #work: Promise<void> = Promise.resolve();
  /** Applied, and not written down yet: what is seen of services now says nothing about the newest entry. */
  #unwritten = 0;
  /** Counts what was applied from the files of the checkout, and not from a state that was kept. */
  #readings = 0;
  /** The entry of what is in force. */
  #current: Snapshot | undefined;
  /** That entry and older ones, newest first: what they have brought comes up, or fails, on their account. */
  #followed: readonly Followed[] = [];
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: HistoryTools) {
    this.#tools = tools;
    this.#unkept = new Unkept(tools.snapshots, tools.wrote);
  }

  /** The entry of what is in force. */
  get current(): Snapshot | undefined {
    return this.#current ?? this.#tools.snapshots.latest();
  }

  /** What is followed now was applied. Returns at once; the rest is done in small pieces. */
  applied(cause: Cause): void {
    const { loop, clock } = this.#tools;
    const { desired } = loop;
    if (!desired.readable || this.#isClosed) return;
    const seen = this.seen(desired);
    if (this.#last !== undefined && isSame(this.#last, seen)) return;
    this.#last = seen;
    const at = clock.now();
    this.#unwritten++;
    if (!isKept(cause)) this.#readings++;
    const reading = this.#readings;
    this.#work = this.#work.then(() => this.#record(seen, at, cause, reading));
  }

  /**
   * To be called before something else is followed: what has come up by then has converged, though nobody has looked
   * since.
   */
  look(): void {
    if (this.#isClosed || this.#unwritten > 0) return;
    this.#lookBack();
    if (this.#followed.length === 0) return;
    const names = new Set<string>(this.#tools.loop.names());
    for (const { snapshot, open } of this.#followed) {
      const { results } = snapshot;
      const news: [string, SnapshotResult][] = [];
      for (const service of open) {
        const now = this.#resultOf(service as ServiceName, names);
        // What has failed and is tried again has failed until it has come up.
        const isNews = now !== results[service] && !(results[service] === 'failed' && now === 'pending');
        if (isNews) news.push([service, now]);
      }
      if (news.length > 0) this.#note({ ...snapshot, results: { ...results, ...Object.fromEntries(news) } });
    }
  }

  /**
   * What has converged may be given up later, and come up again when somebody starts it: one goes back to a state as it
   * was left. It is told by the entry that is in force then, whichever has brought the service.
   */
  #lookBack(): void {
    const current = this.#current;
    if (current === undefined) return;
    const told = new Set(this.#followed.flatMap(({ open }) => [...open]));
    const news = current.files.flatMap(({ service }): [string, SnapshotResult][] => {
      if (told.has(service)) return [];
      const known = current.results[service];
      const glance = this.#tools.loop.glance(service as ServiceName);
      if (known !== 'failed') return isGivenUp(glance) ? [[service, 'failed']] : [];
      return isUp(glance).result === 'done' ? [[service, 'converged']] : [];
    });
    if (news.length === 0) return;
    this.#note({ ...current, results: { ...current.results, ...Object.fromEntries(news) } });
  }

  /** Something of what was applied has failed, and something else is about to be applied for it. */
  failed(service: ServiceName): void {
    this.#work = this.#work.then(() => {
      const isCurrent = this.#current?.results[service] !== undefined;
      const found = isCurrent
        ? this.#current
        : this.#followed.find(({ open }) => open.has(service))?.snapshot;
      if (found === undefined) return;
      this.#note({ ...found, results: { ...found.results, [service]: 'failed' } });
    });
  }

  /** The texts of a reading, as they are followed: for a broken file its last good text. */
  textsOf(desired: DesiredState): readonly KeptText[] {
    return this.seen(desired).map(({ path, text }) => ({ path, text }));
  }

  seen(desired: DesiredState): readonly Seen[] {
    const { directory, textOf } = this.#tools;
    return [...desired.services.values()].flatMap((each) => {
      const found = textOf(each);
      return found === undefined
        ? []
        : [{ path: pathIn(directory, found.file), text: found.text, desired: each }];
    });
  }

  /** What could not be written is tried again. */
  again(): void {
    const { snapshots, most } = this.#tools;
    this.#work = this.#work.then(() => this.#unkept.again()).then(() => snapshots.prune(most));
  }

  /** Resolves when everything so far is written. */
  settled(): Promise<void> {
    return this.#work;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    return this.#work;
  }

  async #record(seen: readonly Seen[], at: number, cause: Cause, reading: number): Promise<void> {
    const { snapshots, soon, most } = this.#tools;
    await soon();
    const before = snapshots.latest();
    const { files, texts } = await this.#filesOf(seen);
    const next = snapshotOf(files, before, { at, number: this.#unkept.nextNumber, ...cause });
    const dropped = this.#unkept.drop();
    this.#followed = this.#followed.filter((each) => each.snapshot.number !== dropped);
    if (before !== undefined && isSameState(before, next)) {
      // Nothing new; but an earlier daemon may have ended before it knew what became of it.
      this.#follow(before);
      if (dropped !== undefined) await this.#unkept.again();
      return;
    }
    await this.#unkept.keep(next, texts);
    this.#follow(next);
    void this.#noteCommit(next, reading);
    await snapshots.prune(most);
  }

  async #filesOf(
    seen: readonly Seen[],
  ): Promise<{ readonly files: readonly SnapshotFile[]; readonly texts: ReadonlyMap<string, string> }> {
    const files: SnapshotFile[] = [];
    const texts = new Map<string, string>();
    for (const [count, one] of seen.entries()) {
      if (count % AT_ONCE === AT_ONCE - 1) await this.#tools.soon();
      const blob = blobOf(one.text);
      texts.set(blob, one.text);
      files.push(fileOf(one, blob));
    }
    return { files, texts };
  }

  /** Nothing waits for Git. */
  async #noteCommit(entry: Snapshot, reading: number): Promise<void> {
    const { number } = entry;
    const commit = await this.#commitOf(entry);
    // Where files were applied again meanwhile it stays without: by now the checkout may stand elsewhere. What was gone
    // back to meanwhile, as after a deploy that failed at once, has left the checkout where it was.
    if (commit === null || this.#isClosed || reading !== this.#readings) return;
    const noted = this.#unkept.of(number);
    if (noted?.id === entry.id) this.#note({ ...noted, commit });
  }

  /** The checkout stays where it is when one goes back: the commit is the one that the state was of. */
  async #commitOf({ id, number, trigger }: Snapshot): Promise<Commit | null> {
    if (!isKept({ trigger })) return this.#tools.commit();
    let isKnown = trigger === 'rollback';
    for (const each of this.#tools.snapshots.ofState(id)) {
      if (each.number === number) continue;
      if (each.commit !== null) return each.commit;
      isKnown = true;
      await this.#tools.soon();
    }
    if (isKnown) return null;
    // A part of an update: what is checked out, and not all of it.
    const commit = await this.#tools.commit();
    return commit === null ? null : { ...commit, dirty: true };
  }

  #follow(snapshot: Snapshot): void {
    this.#cancel();
    this.#unwritten--;
    if (snapshot.number !== this.#current?.number) {
      const touched = new Set(touchedBy(snapshot));
      // Of an entry that may be cleared away nothing is written any more.
      const oldest = snapshot.number - this.#tools.most;
      const others = this.#followed.flatMap((each) => {
        const open = new Set([...each.open].filter((service) => !touched.has(service)));
        return each.snapshot.number > oldest ? [{ ...each, open }] : [];
      });
      this.#followed = [{ snapshot, open: openOf(snapshot) }, ...others].filter(({ open }) => open.size > 0);
    }
    this.#current = snapshot;
    this.#lookAt(this.#tools.clock.now(), FIRST_LOOK);
  }

  #lookAt(since: number, pause: number): void {
    const { clock } = this.#tools;
    if (this.#isClosed || this.#followed.length === 0) return;
    this.#cancel = clock.after(pause, () => {
      this.look();
      const longest = clock.now() - since < LONG ? LONGEST_PAUSE : SELDOM;
      this.#lookAt(since, Math.min(pause * 2, longest));
    });
  }

  #note(snapshot: Snapshot): void {
    if (snapshot.number === this.#current?.number) this.#current = snapshot;
    this.#followed = this.#followed.flatMap((each) => {
      if (each.snapshot.number !== snapshot.number) return [each];
      const open = new Set([...each.open].filter((service) => snapshot.results[service] !== 'converged'));
      return open.size === 0 ? [] : [{ snapshot, open }];
    });
    if (this.#unkept.note(snapshot) || snapshot.number !== this.#current?.number) return;
    this.#work = this.#work.then(() => this.#keepLost(snapshot.number));
  }

  /** The entry of what is in force was removed: its texts are known. */
  async #keepLost(number: number): Promise<void> {
    const current = this.#current;
    if (current?.number !== number) return;
    const { texts } = await this.#filesOf(this.#last ?? []);
    // Something else may have been applied meanwhile, and is written next.
    if (current.files.every(({ blob }) => texts.has(blob))) await this.#unkept.keep(current, texts);
  }

  #resultOf(service: ServiceName, names: ReadonlySet<string>): SnapshotResult {
    const glance = this.#tools.loop.glance(service);
    if (glance.desired === undefined) return names.has(service) ? 'pending' : 'converged';
    const wanted = wantedOf(glance);
    if (wanted.kind === 'none') return 'converged';
    if (wanted.kind === 'leave') return wanted.why === 'broken' ? 'failed' : 'pending';
    const { result } = isUp(glance);
    return result === 'done' ? 'converged' : result;
  }
}

/** Not what is tried again by itself. */
function isGivenUp(glance: Glance): boolean {
  if (wantedOf(glance).kind !== 'run') return false;
  return glance.decision?.slots.some(({ phase }) => phase === 'failed') ?? false;
}

/** It puts a state that was kept in the place of the files. */
function isKept({ trigger }: Pick<Cause, 'trigger'>): boolean {
  return trigger === 'rollback' || trigger === 'failure';
}

/** What it has touched, and has not come up yet. */
function openOf(snapshot: Snapshot): ReadonlySet<string> {
  return new Set(touchedBy(snapshot).filter((service) => snapshot.results[service] !== 'converged'));
}

/** Nearly every file lies in the directory itself. */
function pathIn(directory: string, file: string): string {
  return file.startsWith(`${directory}/`) ? file.slice(directory.length + 1) : relative(directory, file);
}
