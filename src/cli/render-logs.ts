/** How does a line of a log look, so that one sees whose it is? */
import { basename } from 'node:path';
import type { LogFile, LogLine } from '../api/contract.ts';
import { timeOfLine } from '../model/line-time.ts';
import { CUT, isCutLine, LONGEST_LINE } from '../model/log-line.ts';
import { safeJson, safeLine, safeText } from '../model/terminal-safe.ts';
import type { Call } from './call.ts';
import type { Colour } from './paint.ts';
import { fitMiddle, pad, textWidth } from './text-width.ts';

const COLOURS: Readonly<Record<LogFile['stream'], Colour>> = { stdout: 'cyan', stderr: 'red', hint: 'blue' };

/** Without `time`, the line itself is asked. */
export type LineToPrint = Omit<LogLine, 'time'> & Partial<Pick<LogLine, 'time'>>;

/** On a terminal a label takes this part of a line at most, but so many columns at least. */
const LABELS_PART = 1 / 3;
const LABEL_ENOUGH = 20;

/**
 * Prints lines as `web[0] stdout | text`, the bars below each other; the instance where it has a file of its own. Labels
 * take the room of the longest of `files` and of what was printed so far; on a terminal, long ones are cut. There the
 * text is made harmless, too; in a file or pipe it stays what the service wrote, but for bytes that are no UTF-8. Of each
 * file it is told once on stderr that a line of it is cut.
 * With `--json` one object a line.
 * @param files those that may have lines
 */
export function logPrinter(call: Call, files: readonly LogFile[]): (lines: readonly LineToPrint[]) => void {
  const { terminal, options } = call;
  const tell = cutTeller(call);
  const widthOf = (some: readonly LogFile[]): number =>
    some.reduce((most, file) => Math.max(most, textWidth(label(file))), 0);
  let width = options.json === true ? 0 : widthOf(files);
  const text = (lines: readonly LineToPrint[]): string => {
    if (options.json) {
      const now = terminal.now();
      return lines.map((line) => `${safeJson(lineObject(line, now))}\n`).join('');
    }
    width = Math.max(width, widthOf(lines));
    const screen = terminal.screen();
    const columns =
      screen === null ? width : Math.min(width, Math.max(LABEL_ENOUGH, screen.columns * LABELS_PART));
    const head = (line: LineToPrint): string =>
      call.paint(
        COLOURS[line.stream],
        pad(fitMiddle(label(line), Math.floor(columns)), Math.floor(columns), 'left'),
      );
    return lines
      .map((line) => `${head(line)} | ${screen === null ? line.line : safeLine(line.line)}\n`)
      .join('');
  };
  return (lines) => {
    if (lines.length === 0) return;
    // Not one system call for each line.
    terminal.write(text(lines));
    tell(lines);
  };
}

/** Tells once of each file that a line of it is not shown to its end. */
function cutTeller({ terminal }: Call): (lines: readonly LineToPrint[]) => void {
  const told = new Set<string>();
  return (lines) => {
    for (const line of lines) {
      if (!isCutLine(line.line) || told.has(line.path)) continue;
      told.add(line.path);
      terminal.complain(
        `pmctl: ${safeText(line.path)}: lines of more than ${LONGEST_LINE / 1024} KiB are shown cut, and end with ${CUT}\n`,
      );
    }
  };
}

function lineObject({ service, stream, path, line, ...more }: LineToPrint, now: number) {
  const instance = more.instance ?? null;
  const time = more.time ?? timeIn(line, now);
  return { service, instance, stream, file: path, time, line, cut: isCutLine(line) };
}

function timeIn(line: string, now: number): string | null {
  const time = timeOfLine(line, { reference: now });
  return time === null ? null : new Date(time).toISOString();
}

function label({ service, stream, path, instance = null }: LogFile): string {
  const whose = instance === null ? service : `${service}[${instance}]`;
  return safeText(`${whose} ${stream === 'hint' ? basename(path) : stream}`);
}
