/** `logs`: what did the services write last, and what do they write now? */
import { basename } from 'node:path';
import type { LogFile, LogsView } from '../api/contract.ts';
import { sentence } from '../model/problem.ts';
import { type Call, printJson, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal, refusal, wrongUsage } from './refusal.ts';
import { logPrinter } from './render-logs.ts';
import { safeText } from './terminal-safe.ts';

export interface LogSelection {
  readonly services: readonly string[];
  readonly file?: string;
}

const LAST_LINES = 50;

export async function logs(call: Call): Promise<Exit> {
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const selection = await selectLogs(daemon, call.words);
  if (isRefusal(selection)) return refuse(call, selection);
  if (call.options.follow) {
    const { followLogs } = await import('./follow-logs.ts');
    return followLogs(call, daemon, selection);
  }
  const view = await daemon.logs({ ...selection, lines: call.options.lines ?? LAST_LINES });
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) {
    printJson(call, view);
    return 'fine';
  }
  const print = logPrinter(call, view.files);
  for (const line of view.logs) print(line);
  complainAbout(call, view);
  return 'fine';
}

/** Says which files could not be shown; they do not keep the others from being shown. */
export function complainAbout(call: Call, { problems }: LogsView): void {
  for (const problem of problems) call.terminal.complain(`pmctl: ${safeText(sentence(problem))}\n`);
}

/** A word is a service if one has that name, else the name of a log file; one that is neither is refused. */
export async function selectLogs(daemon: Daemon, words: readonly string[]): Promise<LogSelection | Refusal> {
  if (words.length === 0) return { services: [] };
  const status = await daemon.status();
  if (isRefusal(status)) return status;
  const known = status.services.map(({ name }) => name);
  const services = words.filter((word) => known.includes(word));
  const others = words.filter((word) => !known.includes(word) && word !== 'all');
  const file = others[0];
  if (file === undefined) return { services };
  const view = await daemon.logs({ services, lines: 0 });
  if (isRefusal(view)) return view;
  const unknown = others.find((word) => !view.files.some(({ path }) => basename(path) === word));
  if (unknown !== undefined) return noSuchLog(unknown, { services, known, files: view.files });
  if (others.length > 1) return wrongUsage(`name one log file, not ${others.length}: ${others.join(', ')}`);
  return { services, file };
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
