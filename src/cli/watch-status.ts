/** `status --watch`: how is the status kept on the screen? */
import type { StatusView } from '../api/contract.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, cancelled, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { keepOnScreen, type Picture } from './full-screen.ts';
import { localTime } from './quantities.ts';
import { isRefusal, type Refusal, wrongUsage } from './refusal.ts';
import { renderStatusIn } from './render-status.ts';
import { selectedStatus, statusLook } from './status.ts';
import { fit } from './text-width.ts';
import { stepOf } from './top-view.ts';

/** Lines above the status: the time, and an empty one. */
const HEAD = 2;
/** And the title and the line that counts what is not shown. */
const AROUND = HEAD + 2;

/** Redraws once a second until q or Ctrl-C. A daemon that is away for a while is told, not an end. */
export async function watchStatus(call: Call): Promise<Exit> {
  const { terminal } = call;
  if (terminal.screen() === null) return refuse(call, wrongUsage('--watch needs a terminal'));
  const first = await selectedStatus(call);
  return isRefusal(first) ? refuse(call, first) : keepOnScreen(call, statusPicture(call, first));
}

function statusPicture(call: Call, first: StatusView): Picture {
  let view: StatusView | Refusal = first;
  let from = 0;
  return {
    look: async (cancel) => {
      view = await selectedStatus(cancelled(call, cancel));
    },
    lines: ({ columns, rows }) => {
      const text = `pmctl status   ${localTime(call.terminal.now())}   every second; q ends, arrows scroll`;
      const head = [call.paint('dim', fit(text, columns)), ''];
      if (isRefusal(view)) return [...head, call.paint('red', fit(safeText(view.refused.message), columns))];
      const page = renderStatusIn(view, statusLook(call), rows - HEAD, from);
      from = page.from;
      return [...head, ...page.lines];
    },
    pressed: (key) => {
      if (key === 'q' || key === 'Q') return 'end';
      const step = stepOf(key, Math.max(1, (call.terminal.screen()?.rows ?? 24) - AROUND));
      from = Math.max(0, from + step);
      return step === 0 ? 'nothing' : 'draw';
    },
  };
}
