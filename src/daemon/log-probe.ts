/** Has a run said in its log that it has started? */
import { LogFollower } from '../logs/follow.ts';
import type { RunId } from '../model/names.ts';
import { type ProbeResult, safeDetail } from '../model/probe.ts';
import type { Credentials } from '../model/spec.ts';
import { inWords, passing } from '../world/errno.ts';
import { type LineMatcher, lineMatcher } from '../world/line-matcher.ts';
import { openLogFile } from '../world/log-files.ts';
import { nextTurn } from '../world/turn.ts';

export interface LogQuestion {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
  /** When the run was started; milliseconds since 1970. */
  readonly since: number;
  /** The size of the log then; bytes. */
  readonly from: number;
  /** A regular expression of JavaScript that a line has to match. */
  readonly pattern: string;
}

/** Answered from what was written since the last question. `ask` never rejects; one at a time. */
export interface LogProbe {
  ask(): Promise<ProbeResult>;
  close(): void;
}

export type OpenLogProbe = (question: LogQuestion) => LogProbe;

/** So much is looked through for one answer, the rest for the next one. Bytes. */
const AT_ONCE = 16 << 20;

/** And so much until others have a turn; bytes. */
const A_TURN = 1 << 20;

/** For the lines of one turn: what is matched is chosen by the service, and everybody waits. Milliseconds. */
const PATIENCE = 250;

/** The probes of all runs: each reads on where it stopped, until its run is forgotten. */
export class LogProbes {
  readonly #open: OpenLogProbe;
  readonly #probes = new Map<RunId, { readonly pattern: string; readonly probe: LogProbe }>();

  constructor(open: OpenLogProbe = openLogProbe) {
    this.#open = open;
  }

  /**
   * @param done called once, after this call has returned
   * @returns cancels
   */
  ask(run: RunId, question: LogQuestion, done: (result: ProbeResult) => void): () => void {
    let isWanted = true;
    const known = this.#probes.get(run);
    if (known?.pattern !== question.pattern) known?.probe.close();
    const probe = known?.pattern === question.pattern ? known.probe : this.#open(question);
    this.#probes.set(run, { pattern: question.pattern, probe });
    void probe.ask().then((result) => {
      if (isWanted) done(result);
    });
    return () => {
      isWanted = false;
    };
  }

  forget(run: RunId): void {
    this.#probes.get(run)?.probe.close();
    this.#probes.delete(run);
  }
}

/**
 * Goes on through rotations, and remembers what it has found. Safe against what the user of the service may have planted.
 */
export const openLogProbe: OpenLogProbe = (question) => {
  const { path, credentials, since, from, pattern } = question;
  const follower = new LogFollower({ path, credentials, rotation: 'ours' }, { since, position: from });
  const matcher = lineMatcher(pattern, PATIENCE);
  let found: string | undefined;
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    follower.close();
  };
  const look = async (): Promise<ProbeResult> => {
    if ('refused' in matcher) return failure(matcher.refused);
    found ??= await firstMatch(follower, matcher, () => isOpen);
    // What was being read when it was closed has been opened again since.
    if (found !== undefined || !isOpen) close();
    if (found !== undefined) return { ok: true, detail: safeDetail(found), elapsed: 0 };
    return unreadable(question) ?? failure(`no line matches ${pattern} yet`);
  };
  return {
    ask: () =>
      look().catch((error: unknown) => {
        if (error instanceof TooSlow) return failure(`the pattern ${pattern} takes too long`);
        return { ...failure(inWords(error)), ...passing(error) };
      }),
    close,
  };
};

class TooSlow extends Error {}

/** A line that is not ended yet counts too: not everybody ends a prompt. */
async function firstMatch(
  follower: LogFollower,
  matcher: LineMatcher,
  isWanted: () => boolean,
): Promise<string | undefined> {
  for (let read = 0; read < AT_ONCE && isWanted(); read += A_TURN) {
    const { lines, more } = await follower.read({ bytes: A_TURN, lines: Number.POSITIVE_INFINITY });
    const told = more ? lines : [...lines, follower.unfinished];
    const answers = matcher.matches(told);
    if (answers === undefined) throw new TooSlow();
    const line = told[answers.indexOf(true)];
    if (line !== undefined || !more) return line;
    await nextTurn();
  }
  return undefined;
}

function unreadable({ path, credentials }: LogQuestion): ProbeResult | undefined {
  const opened = openLogFile(path, credentials);
  if (!('code' in opened)) {
    opened.close();
    return undefined;
  }
  return { ...failure(opened.message), ...(opened.passing === true ? { passing: true } : {}) };
}

function failure(detail: string): Extract<ProbeResult, { ok: false }> {
  return { ok: false, detail: safeDetail(detail), elapsed: 0 };
}
