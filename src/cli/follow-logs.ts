/** `logs -f`: how are files followed while services come, go and rotate? */
import type { LogFile } from '../api/contract.ts';
import { type Call, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { complainAbout, type LogSelection } from './logs.ts';
import { isRefusal } from './refusal.ts';
import { logPrinter } from './render-logs.ts';
import { Tail } from './tail.ts';
import { safeText } from './terminal-safe.ts';

const LAST_LINES = 10;
/** Milliseconds between looks at the files, and how many looks there are between questions for new files. */
const EVERY = 200;
const LOOKS = 25;

/**
 * The daemon says which files there are; they are read here, so that following goes on while the daemon is away.
 * A file that appears later is shown from its beginning.
 */
export async function followLogs(call: Call, daemon: Daemon, selection: LogSelection): Promise<Exit> {
  const { terminal } = call;
  const first = await daemon.logs({ ...selection, lines: 0 });
  if (isRefusal(first)) return refuse(call, first);
  complainAbout(call, first);
  const tails = new Map<string, Followed>();
  let print = logPrinter(call, first.files);
  const add = (files: readonly LogFile[], lines: number | null): void => {
    for (const file of files) if (!tails.has(keyOf(file))) tails.set(keyOf(file), follow(file, lines));
  };
  add(first.files, call.options.lines ?? LAST_LINES);
  for (let looks = 1; !terminal.interrupted.aborted; looks++) {
    for (const followed of tails.values()) {
      for (const line of followed.tail.read()) print({ ...followed.file, line });
      complainOnce(call, followed);
    }
    await terminal.sleep(EVERY);
    if (looks % LOOKS !== 0) continue;
    const view = await daemon.logs({ ...selection, lines: 0 });
    if (isRefusal(view)) continue;
    add(view.files, null);
    print = logPrinter(call, view.files);
  }
  for (const { tail } of tails.values()) tail.close();
  return 'interrupted';
}

interface Followed {
  readonly file: LogFile;
  readonly tail: Tail;
  complained: boolean;
}

/** A hint may be a link (/var/log/syslog often is one); where a service writes, a link is what somebody planted. */
function follow(file: LogFile, lines: number | null): Followed {
  return { file, tail: new Tail(file.path, { lines, links: file.stream === 'hint' }), complained: false };
}

function complainOnce(call: Call, followed: Followed): void {
  const { trouble } = followed.tail;
  if (trouble === undefined || followed.complained) return;
  followed.complained = true;
  call.terminal.complain(`pmctl: cannot follow ${safeText(followed.file.path)}: ${trouble}\n`);
}

function keyOf({ service, stream, path }: LogFile): string {
  return `${service} ${stream} ${path}`;
}
