/** How does a line of a log look, so that one sees whose it is? */
import { basename } from 'node:path';
import type { LogFile, LogLine } from '../api/contract.ts';
import { type Call, printJson } from './call.ts';
import type { Colour } from './paint.ts';
import { safeLine, safeText } from './terminal-safe.ts';
import { pad, textWidth } from './text-width.ts';

const COLOURS: Readonly<Record<LogFile['stream'], Colour>> = { stdout: 'cyan', stderr: 'red', hint: 'blue' };

/**
 * Prints lines as `web stdout | text`, the bars of all `files` below each other. On a terminal the text is made
 * harmless; in a file or pipe it stays byte for byte what the service wrote.
 */
export function logPrinter(call: Call, files: readonly LogFile[]): (line: LogLine) => void {
  if (call.options.json) return (line) => printJson(call, line);
  const width = Math.max(0, ...files.map((file) => textWidth(label(file))));
  const onTerminal = call.terminal.screen() !== null;
  return (line) => {
    const head = call.paint(COLOURS[line.stream], pad(label(line), width, 'left'));
    call.terminal.write(`${head} | ${onTerminal ? safeLine(line.line) : line.line}\n`);
  };
}

function label({ service, stream, path }: LogFile): string {
  return safeText(`${service} ${stream === 'hint' ? basename(path) : stream}`);
}
