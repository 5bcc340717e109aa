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

/** Lines above the status: the time, and an empty one. */
const HEAD = 2;

/** Redraws once a second until q or Ctrl-C. A daemon that is away for a while is told, not an end. */
export async function watchStatus(call: Call): Promise<Exit> {
  const { terminal } = call;
  if (terminal.screen() === null) return refuse(call, wrongUsage('--watch needs a terminal'));
  const first = await selectedStatus(call);
  return isRefusal(first) ? refuse(call, first) : keepOnScreen(call, statusPicture(call, first));
}

function statusPicture(call: Call, first: StatusView): Picture {
  let view: StatusView | Refusal = first;
  return {
    look: async (cancel) => {
      view = await selectedStatus(cancelled(call, cancel));
    },
    lines: ({ columns, rows }) => {
      const text = `pmctl status   ${localTime(call.terminal.now())}   every second; q ends`;
      const body = isRefusal(view)
        ? [call.paint('red', fit(safeText(view.refused.message), columns))]
        : renderStatusIn(view, statusLook(call), rows - HEAD);
      return [call.paint('dim', fit(text, columns)), '', ...body];
    },
    pressed: (key) => (key === 'q' || key === 'Q' ? 'end' : 'nothing'),
  };
}
