/** How does a line of a log look, so that one sees whose it is? */
import { basename } from 'node:path';
import type { LogFile, LogLine } from '../api/contract.ts';
import { timeOfLine } from '../model/line-time.ts';
import { safeLine, safeText } from '../model/terminal-safe.ts';
import { type Call, printJson } from './call.ts';
import type { Colour } from './paint.ts';
import { pad, textWidth } from './text-width.ts';

const COLOURS: Readonly<Record<LogFile['stream'], Colour>> = { stdout: 'cyan', stderr: 'red', hint: 'blue' };

/** Without `time`, the line itself is asked. */
export type LineToPrint = Omit<LogLine, 'time'> & Partial<Pick<LogLine, 'time'>>;

/**
 * Prints lines as `web[0] stdout | text`, the bars of all `files` below each other; the instance where it has a file of
 * its own. On a terminal the text is made harmless; in a file or pipe it stays what the service wrote, but for bytes that are no
 * UTF-8.
 * With `--json` one object a line.
 */
export function logPrinter(call: Call, files: readonly LogFile[]): (line: LineToPrint) => void {
  if (call.options.json) return (line) => printJson(call, lineObject(line, call.terminal.now()));
  const width = Math.max(0, ...files.map((file) => textWidth(label(file))));
  const onTerminal = call.terminal.screen() !== null;
  return (line) => {
    const head = call.paint(COLOURS[line.stream], pad(label(line), width, 'left'));
    call.terminal.write(`${head} | ${onTerminal ? safeLine(line.line) : line.line}\n`);
  };
}

function lineObject({ service, stream, path, line, ...more }: LineToPrint, now: number) {
  const instance = more.instance ?? null;
  return { service, instance, stream, file: path, time: more.time ?? timeIn(line, now), line };
}

function timeIn(line: string, now: number): string | null {
  const time = timeOfLine(line, { reference: now });
  return time === null ? null : new Date(time).toISOString();
}

function label({ service, stream, path, instance = null }: LogFile): string {
  const whose = instance === null ? service : `${service}[${instance}]`;
  return safeText(`${whose} ${stream === 'hint' ? basename(path) : stream}`);
}
