/** What does each entry of `notify` say? */
import { NOTIFICATIONS, type NotifySink } from '../model/notification.ts';
import type { Problem } from '../model/problem.ts';
import type { CompleteSettings } from './generated/types.ts';
import { type Origin, problemAt } from './raw-tree.ts';

/** Milliseconds. */
const DEFAULT_TIMEOUT = 10_000;

type Entry = CompleteSettings['notify'][number];

/** Wrong ones are left out: {@link notifyProblems} tells of them. */
export function notifySinks(entries: CompleteSettings['notify']): readonly NotifySink[] {
  return entries.flatMap((entry): NotifySink[] => {
    const { url, command, secret_file = null, events = NOTIFICATIONS, timeout = DEFAULT_TIMEOUT } = entry;
    if (url !== undefined) return [{ kind: 'webhook', url, secret_file, events, timeout }];
    return command === undefined ? [] : [{ kind: 'command', command, events, timeout }];
  });
}

export function notifyProblems(entries: CompleteSettings['notify'], origin: Origin): readonly Problem[] {
  return entries.flatMap((entry, index) => {
    const wrong = refusalOf(entry);
    if (wrong === undefined) return [];
    return [problemAt(origin, ['notify', index, ...wrong.at], { code: 'value-invalid', says: wrong.says })];
  });
}

function refusalOf({
  url,
  command,
  secret_file,
  timeout,
}: Entry): { readonly at: readonly string[]; readonly says: string } | undefined {
  if (url !== undefined && command !== undefined)
    return { at: ['command'], says: 'there is a url already: make two entries' };
  if (url === undefined && command === undefined) return { at: [], says: 'needs a url or a command' };
  if (command?.[0] === '') return { at: ['command'], says: 'the first word is empty: it names the program' };
  if (url !== undefined && !isWebAddress(url))
    return { at: ['url'], says: 'is no http:// or https:// address' };
  if (url === undefined && secret_file !== undefined)
    return { at: ['secret_file'], says: 'only a webhook is signed' };
  if (timeout === 0) return { at: ['timeout'], says: 'leaves no time at all' };
  return undefined;
}

/** The address itself is not shown: often it is a secret. */
function isWebAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.hostname !== '';
}
