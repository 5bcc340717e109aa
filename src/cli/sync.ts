/** `sync`: bring the checkout to the newest commit of its branch, and make what runs what it says. */
import type { DiffView } from '../api/changes.ts';
import type { SyncView } from '../api/sync.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import { exitOf } from './diff.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';
import { renderDiff, renderUnderWay } from './render-diff.ts';
import { lastWords } from './verbs.ts';

const DEFAULT_TIMEOUT = 60_000;

/**
 * Exit 1 when it was refused, or would be, 2 when `--dry-run` finds something to do, 5 when nothing is left to be done but
 * a service has failed by the newest commit, else as `update`.
 */
export async function sync(call: Call): Promise<Exit> {
  const { options } = call;
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const wait = options.wait === false ? 0 : (options.timeout ?? DEFAULT_TIMEOUT);
  const view = await daemon.sync({
    dryRun: options.dryRun === true,
    prune: options.prune === true,
    wait,
    ...(options.onFailure === undefined ? {} : { on_failure: options.onFailure }),
    // An older daemon knows no such word: it is told only what somebody has typed.
    ...(wait > 0 || options.timeout === undefined ? {} : { limit: options.timeout }),
  });
  if (isRefusal(view)) return refuse(call, view);
  if (options.json) printJson(call, view);
  else print(call, view);
  const { result, update, failed = [] } = view;
  if (result === 'refused') return 'error';
  if (result === 'would_apply') return 'changes';
  if (failed.length > 0) return 'partly';
  if (update === null) return 'fine';
  return exitOf(update, [], wait > 0);
}

function print(call: Call, view: SyncView): void {
  const { paint, terminal } = call;
  const { result, commits, failed = [] } = view;
  const branch = safeText(view.branch ?? 'the checkout');
  if (commits.length > 0) {
    const head = commits.map(({ id, subject }) => `  ${short(id)}  ${safeText(subject)}`);
    printLines(call, [`${branch} ${short(view.from)}..${short(view.to)}`, ...head]);
  } else if (result !== 'refused') {
    const but = result === 'nothing_new' ? '' : '; not all of it was in force';
    printLines(call, [`${branch} has the newest commit already (${short(view.from)})${but}`]);
  }
  const others = view.other_files ?? 0;
  if (others > 0 && result !== 'refused') {
    const files = others === 1 ? '1 other file changes' : `${others} other files change`;
    printLines(call, [`${files}: a deploy restarts no service for ${others === 1 ? 'it' : 'them'}`]);
  }
  for (const { service, detail } of failed)
    printLines(call, [`${paint('red', 'failed ')}  ${safeText(`${service}: ${detail}`)}`]);
  const underway = view.update?.underway ?? [];
  if (result === 'nothing_new') {
    printLines(call, renderUnderWay(underway, paint));
    printLines(call, lastWords(underway));
    return;
  }
  if (result === 'refused') {
    if (view.diff !== null) printDiff(call, view.diff);
    for (const { file, line, column, message, hint } of view.errors) {
      const place = file === null ? '' : `${file}:${line ?? 1}:${column ?? 1}  `;
      terminal.complain(
        `${paint('red', safeText(`${place}${message}${hint === null ? '' : `; ${hint}`}`))}\n`,
      );
    }
    terminal.complain(`pmctl: ${safeText(view.reason ?? 'refused')}\n`);
    return;
  }
  const shown = view.update ?? view.diff;
  if (shown !== null) printDiff(call, shown);
  if (view.update !== null) printLines(call, lastWords([...view.update.changes, ...underway]));
}

function printDiff(call: Call, diff: DiffView): void {
  printLines(call, renderDiff(diff, { width: widthOf(call), paint: call.paint }));
}

function short(commit: string | null): string {
  return safeText((commit ?? '').slice(0, 10));
}
