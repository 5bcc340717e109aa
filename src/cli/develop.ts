/** `run --dev`: what does somebody see and do who develops a service? */
import type { DefineView } from '../api/definition.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, printJson, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import type { LogMark } from './logs.ts';
import { isRefusal } from './refusal.ts';
import { renderEvent } from './render-events.ts';

/** Lines from before the first look: what the service wrote while the answer was on its way. */
const FIRST_LINES = 50;

/** Longest time that Ctrl-C waits for the service to end; a second one does not wait. Milliseconds. */
const END = 60_000;

export interface Development {
  readonly view: DefineView;
  /** When the command was given; milliseconds since 1970. */
  readonly since: number;
  readonly directory: string;
  /** See sessionStart. */
  readonly marks: ReadonlyMap<string, LogMark> | undefined;
}

/**
 * Where the logs of a service end before it is started: what an earlier session left in them is not shown as if it were
 * new.
 * @returns undefined: the daemon does not know the service yet
 */
export async function sessionStart(
  call: Call,
  daemon: Daemon,
  service: string,
): Promise<ReadonlyMap<string, LogMark> | undefined> {
  const view = await daemon.logs({ services: [service], lines: 0 });
  if (isRefusal(view) || view.files.length === 0) return undefined;
  const { logEnds } = await import('./follow-logs.ts');
  return logEnds(call, view.files);
}

/**
 * Shows the logs and, on stderr, what becomes of the service, until Ctrl-C: that stops the service. Its file stays, so
 * that the same command finds it again.
 */
export async function develop(
  call: Call,
  daemon: Daemon,
  { view, since, directory, marks }: Development,
): Promise<Exit> {
  const { terminal, options } = call;
  const { service } = view;
  if (options.json) printJson(call, view);
  const say = (text: string): void => terminal.complain(`pmctl: ${safeText(text)}\n`);
  say(`${service} restarts when a file below ${directory} changes; Ctrl-C stops it (${view.file})`);
  const events = showEvents(daemon, { service, since }, say);
  const following: Call = { ...call, options: { ...options, lines: options.lines ?? FIRST_LINES } };
  const { followLogs } = await import('./follow-logs.ts');
  const end = await followLogs(following, daemon, {
    services: [service],
    ...(marks === undefined ? {} : { marks }),
    since,
  });
  await events;
  if (end !== 'interrupted') return end;
  const stopping = await call.daemon(new AbortController().signal);
  if (isRefusal(stopping)) return refuse(call, stopping);
  const stopped = await stopping.command({ verb: 'stop', services: [service], wait: END });
  if (isRefusal(stopped)) return refuse(call, stopped);
  const [result] = stopped.results;
  const how = result?.result === 'done' ? 'stopped' : (result?.detail ?? 'it was not stopped');
  say(`${service}: ${how}; pmctl delete ${service} removes its file`);
  return result?.result === 'done' ? 'interrupted' : 'error';
}

/** Until the user interrupts, or the daemon ends: the logs are followed on without it. */
async function showEvents(
  daemon: Daemon,
  { service, since }: { readonly service: string; readonly since: number },
  say: (text: string) => void,
): Promise<void> {
  await daemon.events({ services: [service], since, follow: true }, (event) => {
    if (event.service === service && event.at >= since) say(renderEvent(event));
  });
}
