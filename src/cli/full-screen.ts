/** How is something kept on the whole screen, and the screen given back as it was, whatever happens? */
import { count } from '../model/units.ts';
import type { Call } from './call.ts';
import type { Exit } from './exit-codes.ts';
import type { Screen } from './terminal.ts';

export interface Picture {
  /**
   * Finds out what is to be shown; once a second, and when a key asks for it.
   * @param cancel nobody looks any more: whoever leaves need not wait for a daemon that does not answer
   */
  look(cancel: AbortSignal): Promise<void>;
  /** What was found out last, each line no longer than the screen is wide. */
  lines(screen: Screen): readonly string[];
  /** `end` leaves, `draw` shows the same in another way, `look` wants to know anew. */
  pressed(key: string): 'end' | 'draw' | 'look' | 'nothing';
}

/** xterm control sequences: alternate screen buffer (DECSET 1049), no wrapping (7), no cursor (25). */
const ENTER = '\u001b[?1049h\u001b[?7l\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?7h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CTRL_C = '\u0003';

/** Milliseconds from one look to the next. */
const EVERY = 1000;

/** Stays until the picture ends or somebody interrupts. Whatever is thrown meanwhile is thrown on afterwards. */
export async function keepOnScreen({ terminal }: Pick<Call, 'terminal'>, picture: Picture): Promise<Exit> {
  const over = new AbortController();
  let exit: Exit = 'fine';
  let mistake: { readonly thrown: unknown } | undefined;
  let hurry = new AbortController();
  let isDrawn = false;
  const end = (as: Exit): void => {
    if (over.signal.aborted) return;
    exit = as;
    over.abort();
    hurry.abort();
    forgetKeys();
    forgetSize();
    terminal.interrupted.removeEventListener('abort', interrupted);
    terminal.write(LEAVE);
  };
  const interrupted = (): void => end('interrupted');
  const draw = (): void => {
    const screen = terminal.screen();
    if (over.signal.aborted || screen === null) return;
    terminal.write(frame(picture.lines(screen), screen));
    isDrawn = true;
  };
  /** What fails between two looks must give the screen back as well. */
  const guarded = (deed: () => void): void => {
    try {
      deed();
    } catch (thrown) {
      mistake = { thrown };
      end('error');
    }
  };
  const forgetKeys = terminal.onKey((key) =>
    guarded(() => {
      if (key === CTRL_C) return end('interrupted');
      const wish = picture.pressed(key);
      if (wish === 'end') end('fine');
      else if (wish === 'look') hurry.abort();
      else if (wish === 'draw' && isDrawn) draw();
    }),
  );
  const forgetSize = terminal.onResize(() => guarded(() => (isDrawn ? draw() : undefined)));
  terminal.interrupted.addEventListener('abort', interrupted, { once: true });
  terminal.write(ENTER);
  try {
    while (!over.signal.aborted) {
      await picture.look(over.signal);
      draw();
      if (terminal.screen() === null) break;
      hurry = new AbortController();
      if (!over.signal.aborted) await terminal.sleep(EVERY, hurry.signal);
    }
  } finally {
    end('fine');
  }
  if (mistake !== undefined) throw mistake.thrown;
  return exit;
}

/** Overwrites in place, so that nothing flickers; what does not fit below is told in the last line. */
function frame(lines: readonly string[], screen: Screen): string {
  const fits = lines.length <= screen.rows;
  const shown = fits
    ? lines
    : [...lines.slice(0, screen.rows - 1), `… ${count(lines.length - screen.rows + 1, 'more line')}`];
  return HOME + shown.map((line) => CLEAR_LINE + line).join('\r\n') + CLEAR_BELOW;
}
