/** What do log files say, read by pmctl itself? Loaded on demand: only this needs to know how logs are kept. */
import type { LogFile, LogLine, LogsView } from '../api/contract.ts';
import type { HistoryQuery } from '../logs/history-lines.ts';
import { whyElsewhere } from '../logs/logs-elsewhere.ts';
import { type LineOfLog, readHistories } from '../logs/read-histories.ts';
import type { ServiceLog } from '../logs/service-logs.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { lineMatcher } from '../world/line-matcher.ts';
import { openLogHistory } from '../world/log-history.ts';
import { nextTurn } from '../world/turn.ts';
import type { Call } from './call.ts';
import { complainAbout, type LinesWanted, type LogMark, type Say } from './logs.ts';
import { isRefusal, type Refusal } from './refusal.ts';

export interface Here {
  readonly files: readonly LogFile[];
  readonly wanted: LinesWanted;
  /** For files that cannot be read here; the same lines of these services are asked for. */
  readonly ask: (services: readonly string[]) => Promise<LogsView | Refusal>;
  /** A line that is not ended yet is left to whoever follows; `marks` says from where on, by path. */
  readonly isFollowed: boolean;
  readonly marks: Map<string, LogMark>;
  /** The daemon may have the same to say of a file that is read here, too. */
  readonly say: Say;
}

/** Some lines at a time, of all files in the order of their times. What is wrong is said on stderr. */
export async function* readHere(call: Call, here: Here): AsyncGenerator<readonly LogLine[], void> {
  const { files, wanted, ask, isFollowed, marks, say } = here;
  const { lines, since, until, grep } = wanted;
  const { terminal } = call;
  const query: HistoryQuery = {
    ...{ lines, since, until },
    matches: grep === undefined ? null : matching(call, grep),
    endedOnly: isFollowed,
  };
  const elsewhere = linesElsewhere(ask, say);
  const histories = readHistories({
    logs: files.map((log) => ({
      log: { ...log, instance: log.instance ?? null, uid: log.uid ?? NOBODY },
      credentials: credentialsOf(log),
    })),
    query,
    open: (path, credentials) => whyElsewhere(path, terminal.output) ?? openLogHistory(path, credentials),
    goOn: async () => {
      await nextTurn();
      return !terminal.interrupted.aborted;
    },
    wait: (milliseconds) => terminal.sleep(milliseconds),
    tell: say,
    unreadable: (log, why) => (lines === 0 ? undefined : elsewhere.linesOf(log, why)),
    marked: ({ service, path }, mark) => {
      elsewhere.isHere(service);
      marks.set(path, mark);
    },
  });
  for await (const some of histories) {
    if (terminal.interrupted.aborted) return;
    yield some.map(view);
  }
}

/**
 * The daemon reads what this user may not, and what lies where it lives and not here, in a container for example. A
 * service of which something is here lives here: what is missing of it was not written yet. The daemon is asked once,
 * when all files were tried, and only for the services that it is needed for: what it reads is not read twice.
 */
function linesElsewhere(ask: Here['ask'], say: Say) {
  const here = new Set<string>();
  const wanted = new Map<ServiceLog, Problem | undefined>();
  const isWanted = (log: ServiceLog): boolean => wanted.get(log) !== undefined || !here.has(log.service);
  let asked: Promise<LogsView | Refusal> | undefined;
  const askOnce = async (): Promise<LogsView | Refusal> => {
    const view = await ask([...new Set([...wanted.keys()].filter(isWanted).map(({ service }) => service))]);
    if (!isRefusal(view)) complainAbout(say, view);
    return view;
  };
  return {
    isHere: (service: string): void => {
      here.add(service);
    },
    linesOf: (log: ServiceLog, why: Problem | undefined): AsyncIterable<readonly LineOfLog[]> => {
      wanted.set(log, why);
      return (async function* () {
        if (!isWanted(log)) return;
        asked ??= askOnce();
        const view = await asked;
        if (isRefusal(view)) {
          if (why !== undefined) say(sentence(why));
          return;
        }
        const own = view.logs.filter(({ path }) => path === log.path);
        yield own.map(({ line, time }) => ({ log, line, time: time === null ? null : Date.parse(time) }));
      })();
    },
  };
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
