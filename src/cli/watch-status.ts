/** How is the status kept on the screen, and the screen given back as it was? */
import { type Call, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { localTime } from './quantities.ts';
import { isRefusal, wrongUsage } from './refusal.ts';
import { renderStatus } from './render-status.ts';
import { selectedStatus, statusLook } from './status.ts';
import type { Screen } from './terminal.ts';
import { safeText } from './terminal-safe.ts';
import { fit } from './text-width.ts';

/** xterm control sequences: alternate screen buffer (DECSET 1049), no wrapping (7), no cursor (25). */
const ENTER = '\u001b[?1049h\u001b[?7l\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?7h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

const EVERY = 1000;

/** Redraws once a second until q or Ctrl-C. A daemon that is away for a while is told, not an end. */
export async function watchStatus(call: Call): Promise<Exit> {
  const { terminal } = call;
  if (terminal.screen() === null) return refuse(call, wrongUsage('--watch needs a terminal'));
  const first = await selectedStatus(call);
  if (isRefusal(first)) return refuse(call, first);
  const ended = new AbortController();
  let exit: Exit = 'fine';
  const end = (as: Exit): void => {
    if (ended.signal.aborted) return;
    exit = as;
    ended.abort();
    releaseKeys();
    terminal.write(LEAVE);
  };
  const releaseKeys = terminal.onKey((key) => {
    if (key === 'q' || key === 'Q') end('fine');
    if (key === '\u0003') end('interrupted');
  });
  terminal.interrupted.addEventListener('abort', () => end('interrupted'), { once: true });
  terminal.write(ENTER);
  while (!ended.signal.aborted) {
    const body = await bodyOf(call);
    const screen = terminal.screen();
    if (ended.signal.aborted || screen === null) break;
    terminal.write(frame([headOf(call), '', ...body], screen));
    await terminal.sleep(EVERY, ended.signal);
  }
  end('fine');
  return exit;
}

async function bodyOf(call: Call): Promise<readonly string[]> {
  const view = await selectedStatus(call);
  if (isRefusal(view)) return [call.paint('red', fit(safeText(view.refused.message), screenWidth(call)))];
  return renderStatus(view, statusLook(call));
}

function headOf(call: Call): string {
  const text = `pmctl status   ${localTime(call.terminal.now())}   every second; q ends`;
  return call.paint('dim', fit(text, screenWidth(call)));
}

function screenWidth(call: Call): number {
  return call.terminal.screen()?.columns ?? 80;
}

/** Overwrites in place, so that nothing flickers; what does not fit below is told in the last line. */
function frame(lines: readonly string[], screen: Screen): string {
  const fits = lines.length <= screen.rows;
  const shown = fits
    ? lines
    : [...lines.slice(0, screen.rows - 1), `… ${lines.length - screen.rows + 1} more lines`];
  return HOME + shown.map((line) => CLEAR_LINE + line).join('\r\n') + CLEAR_BELOW;
}
