/** Where does the daemon's own log go, and how does it read? Lifecycle lines are another thing: see lifecycle.ts. */
import { type Logger, pino } from 'pino';
import type { Settings } from '../model/settings.ts';
import { safeLine } from '../model/terminal-safe.ts';
import { count } from '../model/units.ts';
import { OwnLog } from '../world/own-log.ts';

/**
 * Pretty for a person at a terminal, JSON lines for everything else.
 * @param terminal standard error is a terminal
 * @param atHangup calls back when a file is to be opened afresh, because somebody may have moved it away
 */
export async function openDaemonLog(
  settings: Settings['log'],
  terminal: boolean,
  atHangup: (reopen: () => void) => void = () => undefined,
): Promise<Logger> {
  const options = { level: settings.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const out = new OwnLog(settings.file, (lost, why) =>
    log.warn({ lost }, `${count(lost, 'line')} of this log could not be written: ${why}`),
  );
  const pretty =
    settings.format === 'pretty' || (settings.format === 'auto' && settings.file === null && terminal);
  const shape = pretty ? await prettyShape(terminal && settings.file === null) : (line: string) => line;
  const log = pino(options, { write: (line) => out.write(shape(line)) });
  atHangup(() => {
    const failed = out.reopen();
    if (failed !== undefined) log.warn({}, `${settings.file} cannot be opened afresh: ${failed}`);
  });
  return log;
}

async function prettyShape(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    // What services write is repeated here, too; JSON is harmless by itself.
    messageFormat: (line, key) => safeLine(String(line[key] ?? '')),
    ignore: 'pid,hostname',
  });
}
