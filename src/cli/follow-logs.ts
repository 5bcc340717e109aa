/** `logs -f`: how are files followed while services come, go and rotate? Loaded on demand: only this reads on. */
import type { LogFile, LogsRequest } from '../api/contract.ts';
import { LogFollower, type Notice } from '../logs/follow.ts';
import type { From } from '../logs/log-position.ts';
import { logsHere } from '../logs/logs-elsewhere.ts';
import { sentence } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { safeText } from '../model/terminal-safe.ts';
import { FILE_TICK } from '../world/file-time.ts';
import { identityOf } from '../world/log-files.ts';
import { type Call, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { complainAbout, type LogMark, type LogSelection, type Say, sayingOnce } from './logs.ts';
import { isRefusal, refusal } from './refusal.ts';
import { logPrinter } from './render-logs.ts';

const LAST_LINES = 10;
/** Milliseconds between looks at the files, and how many looks there are between questions for new files. */
const EVERY = 200;
const LOOKS = 10;

const NOTHING_HERE = refusal('error', 'log_unreadable', 'none of these logs can be followed from here');

interface Followed {
  file: LogFile;
  readonly follower: LogFollower;
}

/** Who has shown lines and said what is wrong until now. */
interface Before {
  readonly say: Say;
  readonly print?: ReturnType<typeof logPrinter> | undefined;
}

/**
 * The daemon says which files there are; they are read here, so that following goes on while the daemon is away.
 * A file that appears later is shown from its beginning, with what was rotated meanwhile. Lines of several files come in
 * the order in which they are noticed.
 */
export async function followLogs(
  call: Call,
  daemon: Pick<Daemon, 'logs'>,
  selection: LogSelection,
  { say, print = logPrinter(call, []) }: Before = { say: sayingOnce(call) },
): Promise<Exit> {
  const { terminal } = call;
  terminal.endWithReader();
  const { matches, marks, since = terminal.now(), ...selected } = selection;
  const request: LogsRequest = { ...selected, lines: 0 };
  const first = await daemon.logs(request);
  if (isRefusal(first)) return refuse(call, first);
  const here = following(call, say);
  const files = here(first.files);
  complainAbout(say, first);
  if (files.length === 0 && first.files.length > 0) return refuse(call, NOTHING_HERE);
  const all = new Map<string, Followed>();
  const add = (file: LogFile, from: From): void => {
    if (!all.has(keyOf(file))) all.set(keyOf(file), follow(file, from));
  };
  // Beside a hint lies what somebody else keeps there.
  const fromSince = ({ stream }: LogFile): From =>
    stream === 'hint' ? 'start' : { since: since - FILE_TICK, position: 0 };
  const lines = call.options.lines ?? LAST_LINES;
  // What has no mark was not there yet when the marks were taken.
  for (const file of files) {
    add(file, marks === undefined ? { lines } : (marks.get(file.path) ?? fromSince(file)));
  }
  for (let looks = 1; !terminal.interrupted.aborted; looks++) {
    let more = false;
    for (const { file, follower } of all.values()) {
      const reading = await follower.read();
      more ||= reading.more;
      for (const notice of reading.notices) complain(call, file, notice);
      print(reading.lines.filter((line) => matches?.(line) ?? true).map((line) => ({ ...file, line })));
    }
    await terminal.sleep(more ? 0 : EVERY);
    if (looks % LOOKS !== 0) continue;
    const view = await daemon.logs(request);
    if (isRefusal(view)) continue;
    complainAbout(say, view);
    for (const file of here(view.files)) if (!isFollowed(all, file)) add(file, fromSince(file));
  }
  for (const { follower } of all.values()) follower.close();
  return 'interrupted';
}

/** While a rotation goes on, nobody can tell where a log ends: it is asked so often, every so many milliseconds. */
const TRIES = 10;
const PAUSE = 20;

/**
 * Where these logs end now, also in the middle of a line: whoever follows them from there on sees only what comes later.
 * @returns by path; without those that are not there or cannot be read
 */
export async function logEnds(
  { terminal }: Pick<Call, 'terminal'>,
  files: readonly LogFile[],
): Promise<ReadonlyMap<string, LogMark>> {
  const ends = new Map<string, LogMark>();
  for (const file of logsHere(files, terminal.output)) {
    const { follower } = follow(file, 'end');
    for (let tries = 0; tries < TRIES && !ends.has(file.path); tries++) {
      if (tries > 0) await terminal.sleep(PAUSE);
      await follower.read();
      const mark = follower.mark();
      if (mark !== undefined) ends.set(file.path, mark);
    }
    follower.close();
  }
  return ends;
}

/** Those that can be followed here; of the others it is told once each why they are left out. */
function following({ terminal }: Call, say: Say): (files: readonly LogFile[]) => readonly LogFile[] {
  return (files) =>
    logsHere(files, terminal.output, (problem, { service }) => say(`${service}: ${sentence(problem)}`));
}

/** A file that several services share counts as that of another one when the first of them goes: it is no new one. */
function isFollowed(all: Map<string, Followed>, file: LogFile): boolean {
  if (all.has(keyOf(file))) return true;
  const identity = identityOf(file.path);
  for (const [key, followed] of identity === undefined ? [] : all) {
    if (followed.follower.identity !== identity) continue;
    all.delete(key);
    all.set(keyOf(file), Object.assign(followed, { file }));
    return true;
  }
  return false;
}

function follow(file: LogFile, from: From): Followed {
  const rotation = file.stream === 'hint' ? 'unknown' : 'ours';
  const follower = new LogFollower({ path: file.path, credentials: writerOf(file), rotation }, from);
  return { file, follower };
}

/** No user has this number (chown(2): -1 leaves the owner as it is): everybody is a stranger to him. */
const NOBODY = -1;

/** Only his number matters: a link that he may have planted is not followed. */
function writerOf({ uid = NOBODY }: LogFile): Credentials {
  return { uid, gid: NOBODY, groups: [], user: `user ${uid}`, home: '/', shell: '/bin/sh' };
}

function complain(call: Call, { path }: LogFile, notice: Notice): void {
  call.terminal.complain(`pmctl: ${safeText(inWords(path, notice))}\n`);
}

function inWords(path: string, notice: Notice): string {
  switch (notice.kind) {
    case 'truncated':
      return `${path} was truncated; it is followed from its beginning`;
    case 'lost':
      return `${path}: lines are missing here, what held them was removed before it was read`;
    case 'unreadable':
      return sentence(notice.problem);
  }
}

function keyOf({ service, stream, path }: LogFile): string {
  return `${service} ${stream} ${path}`;
}
