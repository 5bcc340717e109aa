/** What do log files say, read by pmctl itself? Loaded on demand: only this needs to know how logs are kept. */
import type { LogFile, LogLine, LogsView } from '../api/contract.ts';
import type { HistoryQuery } from '../logs/history-lines.ts';
import { type LineOfLog, only, readHistories } from '../logs/read-histories.ts';
import type { ServiceLog } from '../logs/service-logs.ts';
import { sentence } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { safeText } from '../model/terminal-safe.ts';
import { lineMatcher } from '../world/line-matcher.ts';
import { nextTurn } from '../world/turn.ts';
import type { Call } from './call.ts';
import { complainAbout, type LinesWanted, type LogMark } from './logs.ts';
import { isRefusal, type Refusal } from './refusal.ts';

export interface Here {
  readonly files: readonly LogFile[];
  readonly wanted: LinesWanted;
  /** For files that cannot be read here; the same lines are asked for. */
  readonly ask: () => Promise<LogsView | Refusal>;
  /** A line that is not ended yet is left to whoever follows; `marks` says from where on, by path. */
  readonly isFollowed: boolean;
  readonly marks: Map<string, LogMark>;
}

/** Some lines at a time, of all files in the order of their times. What is wrong is said on stderr. */
export async function* readHere(call: Call, here: Here): AsyncGenerator<readonly LogLine[], void> {
  const { files, wanted, ask, isFollowed, marks } = here;
  const { lines, since, until, grep } = wanted;
  const { terminal } = call;
  const say = (text: string): void => terminal.complain(`pmctl: ${safeText(text)}\n`);
  const query: HistoryQuery = {
    ...{ lines, since, until },
    matches: grep === undefined ? null : matching(call, grep),
    endedOnly: isFollowed,
  };
  let asked: Promise<LogsView | Refusal> | undefined;
  const elsewhere = async function* (log: ServiceLog, otherwise: string | undefined) {
    const isFirst = asked === undefined;
    asked ??= ask();
    const view = await asked;
    if (isRefusal(view)) {
      if (otherwise !== undefined) say(otherwise);
      return;
    }
    if (isFirst) complainAbout(call, view);
    const own = view.logs.filter(({ path }) => path === log.path);
    yield* only(own.map(({ line, time }) => ({ log, line, time: time === null ? null : Date.parse(time) })));
  };
  const histories = readHistories({
    logs: files.map((log) => ({
      log: { ...log, instance: log.instance ?? null, uid: log.uid ?? NOBODY },
      credentials: credentialsOf(log),
    })),
    query,
    goOn: async () => {
      await nextTurn();
      return !terminal.interrupted.aborted;
    },
    wait: (milliseconds) => terminal.sleep(milliseconds),
    tell: say,
    unreadable: (log, why) =>
      lines === 0 ? undefined : elsewhere(log, why === undefined ? undefined : sentence(why)),
    marked: ({ path }, mark) => marks.set(path, mark),
  });
  for await (const some of histories) {
    if (terminal.interrupted.aborted) return;
    yield some.map(view);
  }
}

/** For lines that come one by one. */
export function linesMatching(call: Call, grep: string): (line: string) => boolean {
  const matches = matching(call, grep);
  return (line) => matches([line])?.[0] ?? false;
}

function matching(call: Call, grep: string): (lines: readonly string[]) => readonly boolean[] | undefined {
  const matcher = lineMatcher(grep);
  // The option was looked at before.
  if ('refused' in matcher) throw new Error(matcher.refused);
  let isTold = false;
  return (lines) => {
    const answer = matcher.matches(lines);
    if (answer === undefined && !isTold) {
      isTold = true;
      call.terminal.complain(
        'pmctl: the pattern takes too long: write it without one repetition inside another\n',
      );
    }
    return answer;
  };
}

/** No user has this number (chown(2): -1 leaves the owner as it is): everybody is a stranger to him. */
const NOBODY = -1;

/** Only the user matters for opening; what is not known counts as somebody who may not be trusted. */
function credentialsOf({ uid = NOBODY }: LogFile): Credentials {
  return { uid, gid: NOBODY, groups: [], user: `user ${uid}`, home: '/', shell: '/bin/sh' };
}

function view({ log, line, time }: LineOfLog): LogLine {
  return { ...log, line, time: time === null ? null : new Date(time).toISOString() };
}
