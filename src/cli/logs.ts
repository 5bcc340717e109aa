/** `logs`: what did the services write last, and what do they write now? */
import { basename } from 'node:path';
import type { LogFile, LogStream, LogsView } from '../api/contract.ts';
import { patternRefusal } from '../api/logs-request.ts';
import { parseLogTime } from '../model/log-time.ts';
import { sentence } from '../model/problem.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, refuse } from './call.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Exit } from './exit-codes.ts';
import { type LogSource, logSource } from './log-source.ts';
import { isRefusal, type Refusal, refusal, wrongUsage } from './refusal.ts';
import { logPrinter } from './render-logs.ts';

/** Which files, and which of their lines. */
export interface LogSelection {
  readonly services: readonly string[];
  readonly file?: string;
  readonly stream?: LogStream;
  readonly instance?: number;
  /** Lines that are shown; without it all of them. */
  readonly matches?: (line: string) => boolean;
  /** By path: where following begins; everything before that was shown already. */
  readonly marks?: ReadonlyMap<string, LogMark>;
  /** When that was, milliseconds since 1970: a log that appears later is shown with what was written and rotated since. */
  readonly since?: number;
}

/** A position in a log, as LogFollower takes it. */
export interface LogMark {
  readonly after: { readonly identity: string; readonly modified: number; readonly born: number } | null;
  readonly position: number;
  readonly tail: string;
}

/** Which of the lines. Milliseconds since 1970; null: no bound. */
export interface LinesWanted {
  /** The last so many of each file. */
  readonly lines: number | null;
  readonly since: number | null;
  readonly until: number | null;
  readonly grep: string | undefined;
}

/** As many names as a request line has room for (node:http refuses 16 KiB). Of more, the whole selection is asked. */
const MOST_NAMED = 100;

const LAST_LINES = 50;
const LAST_LINES_FOLLOWED = 10;

export async function logs(call: Call): Promise<Exit> {
  call.terminal.endWithReader();
  const wanted = linesWanted(call);
  if (isRefusal(wanted)) return refuse(call, wanted);
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const source = logSource(call, daemon);
  const selection = await selectLogs(source, call);
  if (isRefusal(selection)) return refuse(call, selection);
  if (daemon.isRemote) {
    const { remoteLogs } = await import('./remote-logs.ts');
    return remoteLogs(call, daemon, { ...selection, ...request(wanted) });
  }
  const since = call.terminal.now();
  const view = await source.logs({ ...selection, lines: 0 });
  if (isRefusal(view)) return refuse(call, view);
  const { linesMatching, readHere } = await import('./read-logs.ts');
  const { follow } = call.options;
  const say = sayingOnce(call);
  let print: ReturnType<typeof logPrinter> | undefined;
  const marks = new Map<string, LogMark>();
  const ask = async (services: readonly string[]): Promise<LogsView | Refusal> =>
    source.ask({
      ...{ ...selection, ...request(wanted) },
      services: services.length > MOST_NAMED ? selection.services : services,
    });
  const here = { files: view.files, wanted, ask, isFollowed: follow === true, marks, say };
  for await (const some of readHere(call, here)) {
    print ??= logPrinter(call, withLines(view.files, marks));
    print(some);
  }
  complainAbout(say, view);
  if (!follow || call.terminal.interrupted.aborted) return 'fine';
  const { followLogs } = await import('./follow-logs.ts');
  const following: Call = { ...call, options: { ...call.options, lines: 0 } };
  const matches = wanted.grep === undefined ? {} : { matches: linesMatching(call, wanted.grep) };
  const selected = { ...selection, ...matches, marks, since };
  return followLogs(following, { ...daemon, logs: source.logs }, selected, { say, print });
}

/** @param marks where each of the files ended that were there */
function withLines(files: readonly LogFile[], marks: ReadonlyMap<string, LogMark>): readonly LogFile[] {
  return files.filter(({ path }) => {
    const mark = marks.get(path);
    return mark !== undefined && (mark.position > 0 || mark.after !== null);
  });
}

function linesWanted({ options, terminal }: Call): LinesWanted | Refusal {
  const now = terminal.now();
  const { grep, follow } = options;
  if (follow && options.until !== undefined) return wrongUsage('-f goes on, --until ends: give one of them');
  const times: { since: number | null; until: number | null } = { since: null, until: null };
  for (const key of ['since', 'until'] as const) {
    const text = options[key];
    if (text === undefined) continue;
    const time = parseLogTime(text, now);
    if (typeof time === 'object') return wrongUsage(`--${key}: ${time.refused}`);
    times[key] = time;
  }
  if (times.since !== null && times.until !== null && times.until < times.since) {
    return wrongUsage('--until is before --since: no line is between them');
  }
  const wrong = grep === undefined ? undefined : patternRefusal(grep);
  if (wrong !== undefined) return wrongUsage(`--grep: ${wrong}`);
  const unsaid = times.since === null ? (follow ? LAST_LINES_FOLLOWED : LAST_LINES) : null;
  return { ...times, lines: options.lines ?? unsaid, grep };
}

/** As the daemon takes it; of more lines than it answers at once it answers the last ones. */
function request({ lines, since, until, grep }: LinesWanted) {
  return {
    lines: lines ?? 999_999_999,
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(grep === undefined ? {} : { grep }),
  };
}

/** On stderr. */
export type Say = (text: string) => void;

/** Each sentence once, however many answers have it: the daemon is asked for the files, and again for lines. */
export function sayingOnce({ terminal }: Pick<Call, 'terminal'>): Say {
  const said = new Set<string>();
  return (text) => {
    if (!said.has(text)) terminal.complain(`pmctl: ${safeText(text)}\n`);
    said.add(text);
  };
}

/** Says which files could not be shown; they do not keep the others from being shown. */
export function complainAbout(say: Say, { problems }: LogsView): void {
  for (const problem of problems) say(sentence(problem));
}

/** A word is a service if one has that name, else the name of a log file; one that is neither is refused. */
async function selectLogs(source: LogSource, { words, options }: Call): Promise<LogSelection | Refusal> {
  const { stream, instance } = options;
  const chosen = await selectFiles(source, words);
  if (isRefusal(chosen)) return chosen;
  const selection = { ...chosen, ...(stream === undefined ? {} : { stream }) };
  if (instance === undefined) return selection;
  const view = await source.logs({ ...selection, lines: 0 });
  if (isRefusal(view)) return view;
  const refused = sharedByInstances(selection, view.files) ?? noSuchInstance(instance, selection, view.files);
  return refused ?? { ...selection, instance };
}

async function selectFiles(source: LogSource, words: readonly string[]): Promise<LogSelection | Refusal> {
  if (words.length === 0) return { services: [] };
  const known = await source.names();
  if (isRefusal(known)) return known;
  const services = words.filter((word) => known.includes(word));
  const others = words.filter((word) => !known.includes(word) && word !== 'all');
  const file = others[0];
  if (file === undefined) return { services };
  const view = await source.logs({ services, lines: 0 });
  if (isRefusal(view)) return view;
  const unknown = others.find((word) => !view.files.some(({ path }) => basename(path) === word));
  if (unknown !== undefined) return noSuchLog(unknown, { services, known, files: view.files });
  if (others.length > 1) return wrongUsage(`name one log file, not ${others.length}: ${others.join(', ')}`);
  return { services, file };
}

/** A refusal when nobody can tell the lines of one instance from those of the others. */
function sharedByInstances({ services }: LogSelection, files: readonly LogFile[]): Refusal | undefined {
  const own = new Set(
    files.filter(({ instance }) => (instance ?? null) !== null).map(({ service }) => service),
  );
  const sharing = services.find((service) => !own.has(service));
  if (sharing === undefined && own.size > 0) return undefined;
  return refusal(
    'error',
    'log_shared',
    `all instances of ${sharing ?? 'each service'} write to the same files; name them with \${instance} in logs.stdout and logs.stderr to tell them apart`,
  );
}

/** A refusal when there is none, and none has left a log: of one of the named services, or of all. */
function noSuchInstance(
  instance: number,
  { services, file }: LogSelection,
  files: readonly LogFile[],
): Refusal | undefined {
  const lacks = (of: readonly LogFile[]): boolean => !of.some((each) => each.instance === instance);
  const lacking = services.find((name) => lacks(files.filter(({ service }) => service === name)));
  if (lacking === undefined && !lacks(files)) return undefined;
  const own = files.filter(({ service }) => lacking === undefined || service === lacking);
  const known = [...new Set(own.flatMap((each) => each.instance ?? []))].sort((a, b) => a - b);
  const whose = lacking === undefined ? '' : ` of ${lacking}`;
  const what = file === undefined ? 'is not there, and has left no log' : `has no log ${file}`;
  const message = `instance ${instance}${whose} ${what}; there ${known.length === 1 ? 'is' : 'are'} ${ranges(known)}`;
  return refusal('unknownService', 'unknown_instance', message);
}

/** Neighbours in short: `0 to 2, 5`. */
function ranges(numbers: readonly number[]): string {
  const rows: { readonly first: number; last: number }[] = [];
  for (const number of numbers) {
    const row = rows.at(-1);
    if (row?.last === number - 1) row.last = number;
    else rows.push({ first: number, last: number });
  }
  return rows.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`)).join(', ');
}

function noSuchLog(
  word: string,
  known: {
    readonly services: readonly string[];
    readonly known: readonly string[];
    readonly files: readonly LogFile[];
  },
): Refusal {
  const names = [...new Set(known.files.map(({ path }) => basename(path)))];
  const what =
    known.services.length === 0
      ? `no service and no log file is called ${JSON.stringify(word)}`
      : `no log file of ${known.services.join(', ')} and no service is called ${JSON.stringify(word)}`;
  return refusal('unknownService', 'unknown_service', what + didYouMean(word, [...known.known, ...names]));
}
