/** What does somebody see on the terminal who waits for a command to take effect? */
import type { ServiceView } from '../api/contract.ts';
import { safeText } from '../model/terminal-safe.ts';
import { printDuration } from '../model/units.ts';
import type { Call } from './call.ts';
import type { Daemon } from './daemon.ts';
import { shortDuration } from './quantities.ts';
import { isRefusal } from './refusal.ts';
import { fit } from './text-width.ts';

export interface Awaited {
  /** `stopping`. */
  readonly doing: string;
  /** Milliseconds after which the waiting ends. */
  readonly limit: number;
  /** True while this service is still waited for. */
  readonly isOpen: (service: ServiceView) => boolean;
}

/** Milliseconds. What is over by then needs no progress line. */
const QUIET = 300;
const EVERY = 500;

/** Shows on stderr, if that is a terminal, which services are not there yet while `outcome` is awaited. */
export async function withProgress<Outcome>(
  call: Call,
  daemon: Daemon,
  awaited: Awaited,
  outcome: Promise<Outcome>,
): Promise<Outcome> {
  const line = progressLine(call);
  if (line === null) return outcome;
  const arrived = new AbortController();
  const watching = watch(call, daemon, awaited, { line, arrived: arrived.signal });
  try {
    return await outcome;
  } finally {
    arrived.abort();
    await watching;
    line.clear();
  }
}

export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

/** One line of stderr that is overwritten; null when nobody would see it. */
export function progressLine(call: Call): ProgressLine | null {
  const { terminal, options } = call;
  if (terminal.progressColumns() === null || options.json) return null;
  let shown = false;
  return {
    show: (text) => {
      shown = true;
      terminal.complain(`\r\u001b[K${fit(safeText(text), (terminal.progressColumns() ?? 80) - 1)}`);
    },
    clear: () => {
      if (shown) terminal.complain('\r\u001b[K');
    },
  };
}

async function watch(
  call: Call,
  daemon: Daemon,
  awaited: Awaited,
  { line, arrived }: { readonly line: ProgressLine; readonly arrived: AbortSignal },
): Promise<void> {
  const { terminal } = call;
  const from = terminal.now();
  await terminal.sleep(QUIET, arrived);
  while (!arrived.aborted && !terminal.interrupted.aborted) {
    const view = await daemon.status();
    if (arrived.aborted) return;
    if (!isRefusal(view)) {
      const elapsed = `${shortDuration(terminal.now() - from)}/${printDuration(awaited.limit)}`;
      line.show(progressText(view.services.filter(awaited.isOpen), awaited.doing, elapsed));
    }
    await terminal.sleep(EVERY, arrived);
  }
}

/** `stopping web (12s/1m): pid 811, SIGTERM sent; and 2 more`. */
export function progressText(open: readonly ServiceView[], doing: string, elapsed: string): string {
  const first = open[0];
  if (first === undefined) return `${doing} (${elapsed})`;
  const pids = first.instances.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  const fact =
    first.reason !== '' ? first.reason : pids.length === 0 ? first.state : `pid ${pids.join(', ')}`;
  const more = open.length > 1 ? `; and ${open.length - 1} more` : '';
  return `${doing} ${first.name} (${elapsed}): ${fact}${more}`;
}
