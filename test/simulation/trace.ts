/** What happened, in an order and form that a person can follow? */
import type { RunKey } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { Deed } from '../twins/containment.ts';

export type Entry = { readonly at: number; readonly daemon: number } & (
  | Deed
  | { readonly what: 'exit'; readonly run: RunKey; readonly role: string; readonly outcome: Outcome }
  /** Steps of the history, boots, deaths, readings. */
  | { readonly what: 'note'; readonly note: string }
  /** A lifecycle event as the daemon tells it. */
  | {
      readonly what: 'told';
      readonly event: string;
      readonly service: string;
      /** The run that it is about. */
      readonly id: string | undefined;
      readonly fields: Readonly<Record<string, string | number>>;
    }
);

/** `+12.345  daemon 2  signal SIGTERM  web/0 generation 3`. */
export function printEntry(entry: Entry, start: number): string {
  const at = `+${((entry.at - start) / 1000).toFixed(3)}`.padStart(9);
  return `${at}  daemon ${entry.daemon}  ${words(entry)}`;
}

function words(entry: Entry): string {
  switch (entry.what) {
    case 'note':
      return entry.note;
    case 'told': {
      const fields = Object.entries(entry.fields).map(([key, value]) => `${key}=${value}`);
      return `  tells ${entry.event} ${entry.service} ${fields.join(' ')}`;
    }
    case 'exit':
      return `  ${entry.role} of ${place(entry.run)} ended: ${outcomeText(entry.outcome)}`;
    case 'signal':
      return `${entry.signal} to ${place(entry.run)}`;
    case 'beside':
      return `${entry.word} of ${place(entry.run)}`;
    case 'taken_back':
      return `${entry.word} of ${place(entry.run)} taken back`;
    case 'answer':
      return `  ${entry.word} of ${place(entry.run)}: ${entry.ok ? 'well' : 'not well'}`;
    case 'start':
      return `start ${place(entry.run)} pid ${entry.pid}`;
    case 'remove':
      return `remove ${place(entry.run)}${entry.done ? '' : ' (refused: busy)'}`;
    case 'forget':
    case 'limit':
      return `${entry.what} ${entry.service}`;
    default:
      return `${entry.what} ${place(entry.run)}`;
  }
}

function place(run: RunKey): string {
  return `${run.service}/${run.slot} generation ${run.generation} (${run.hash.slice(0, 4)}, ${run.id})`;
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'exited') return `code ${outcome.code}`;
  return outcome.kind === 'signaled' ? `${outcome.signal}${outcome.oom ? ' (oom)' : ''}` : outcome.kind;
}
