/** What does the journal say, read by pmctl itself? Loaded on demand: it finds out where the journal lies. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../config/settings.ts';
import type { NumberedEvent } from '../model/action.ts';
import type { EventQuery } from '../model/event-query.ts';
import { eventsIn } from '../world/event-history.ts';
import { isReadable } from '../world/event-segments.ts';
import { systemFiles } from '../world/files.ts';
import { systemUsers } from '../world/users.ts';
import type { Call } from './call.ts';

export type EventsOnDisk = (query: EventQuery, event: (event: NumberedEvent) => void) => Promise<void>;

/**
 * @param socket of the daemon that does not answer
 * @returns undefined: there is no journal that may be read, or it is that of another daemon
 */
export function eventsOnDisk({ options, terminal }: Call, socket: string): EventsOnDisk | undefined {
  const { environment, directory } = terminal;
  const loaded = loadSettings({
    ...(options.config === undefined ? {} : { file: options.config }),
    ...{ cwd: directory, env: environment, flags: {}, hostname: hostname() },
    ...{ files: systemFiles(), users: systemUsers() },
  });
  if ('problems' in loaded) return undefined;
  const { state_directory, sock_path } = loaded.settings;
  if (options.config === undefined && sock_path !== socket) return undefined;
  const journal = join(state_directory, 'events');
  if (!isReadable(journal)) return undefined;
  return async (query, event) => {
    for await (const { events } of eventsIn(journal, query)) {
      if (terminal.interrupted.aborted) return;
      for (const one of events) event(one);
    }
  };
}
