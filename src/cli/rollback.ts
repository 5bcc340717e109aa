/** `rollback` and `resume`: go back to an applied state, and follow the files again. */
import type { ServiceView, UpdateView } from '../api/contract.ts';
import { type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Daemon } from './daemon.ts';
import { exitOf } from './diff.ts';
import type { Exit } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { isRefusal, type Refusal, refusal } from './refusal.ts';
import { renderDiff } from './render-diff.ts';
import { lastWords } from './verbs.ts';

/** Exit codes as of `update`. */
export async function rollback(call: Call): Promise<Exit> {
  const [id] = call.words;
  return carryOut(call, ROLLING_BACK, (daemon, asked) =>
    daemon.rollback(id === undefined ? asked : { ...asked, id }),
  );
}

export async function resume(call: Call): Promise<Exit> {
  return carryOut(call, 'resuming', (daemon, asked) => daemon.resume(asked));
}

const ROLLING_BACK = 'rolling back';

const DEFAULT_TIMEOUT = 60_000;

async function carryOut(
  call: Call,
  doing: string,
  ask: (
    daemon: Daemon,
    asked: { readonly prune: boolean; readonly wait: number },
  ) => Promise<UpdateView | Refusal>,
): Promise<Exit> {
  const { options } = call;
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const wait = options.wait === false ? 0 : (options.timeout ?? DEFAULT_TIMEOUT);
  const asked = ask(daemon, { prune: options.prune === true, wait });
  const view = await withProgress(call, daemon, { doing, limit: wait, isOpen }, asked);
  if (isRefusal(view)) return refuse(call, view);
  if (doing === ROLLING_BACK && view.prune !== null) {
    const { services, reason } = view.prune;
    const message = `nothing was done: ${reason}: ${services.join(', ')}; the same command with --prune confirms it`;
    return refuse(call, refusal('guarded', 'guarded', message));
  }
  if (options.json) printJson(call, view);
  else {
    printLines(call, renderDiff(view, { width: widthOf(call), paint: call.paint }));
    printLines(call, lastWords(view.changes));
  }
  return exitOf(view, [], wait > 0);
}

function isOpen({ state, drift }: ServiceView): boolean {
  return state === 'starting' || state === 'stopping' || drift === 'pending';
}
