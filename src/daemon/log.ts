/** Where does the daemon's own log go, and how does it read? Lifecycle lines are another thing: see lifecycle.ts. */
import { type Logger, pino } from 'pino';
import type { Settings } from '../model/settings.ts';
import { safeLine } from '../model/terminal-safe.ts';
import { makeOwnLog } from '../world/own-log.ts';

/**
 * Pretty for a person at a terminal, JSON lines for everything else.
 * @param terminal standard error is a terminal
 */
export async function openDaemonLog(settings: Settings['log'], terminal: boolean): Promise<Logger> {
  const options = { level: settings.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const target = settings.file ?? 2;
  if (settings.file !== null) makeOwnLog(settings.file);
  const pretty =
    settings.format === 'pretty' || (settings.format === 'auto' && settings.file === null && terminal);
  if (!pretty)
    return pino(options, pino.destination({ dest: target, append: true, mkdir: true, sync: true }));
  const { default: prettify } = await import('pino-pretty');
  return pino(
    options,
    prettify({
      destination: target,
      sync: true,
      append: true,
      mkdir: true,
      colorize: terminal && settings.file === null,
      translateTime: 'SYS:HH:MM:ss.l',
      // What services write is repeated here, too; JSON is harmless by itself.
      messageFormat: (line, key) => safeLine(String(line[key] ?? '')),
      ignore: 'pid,hostname',
    }),
  );
}
