/** How is it told that something else than the files is in force, and what a failed update has left behind? */
import type { FailureView, FrozenView } from '../api/changes.ts';
import { safeText } from '../model/terminal-safe.ts';
import type { Paint } from './paint.ts';

/** Names that are shown of a long list. */
const SHOWN = 10;

/** Nothing when the files are followed. */
export function renderFrozen(frozen: FrozenView | null, paint: Paint): readonly string[] {
  if (frozen === null) return [];
  const { snapshot, since, by, reason, pending } = frozen;
  const what =
    since === null
      ? `frozen: ${reason}`
      : `frozen at snapshot ${snapshot} since ${since} by ${by} (${reason})`;
  const head = `${what}; files are not followed`;
  const waits = pending.length === 0 ? '' : `; ${pending.length} not in force: ${some(pending)}`;
  return [
    `${paint('yellow', 'frozen ')}  ${safeText(`${head}${waits}`)}`,
    '         follow them again with: pmctl resume',
  ];
}

export function renderFailure(failure: FailureView | undefined, paint: Paint): readonly string[] {
  if (failure === undefined) return [];
  const { did, detail, services } = failure;
  const what = did === 'stopped' ? 'not begun' : 'rolled back';
  const names = services.length === 0 ? '' : `; ${what}: ${some(services)}`;
  return [`${paint('red', 'failed ')}  ${safeText(`${detail}${names}`)}`];
}

/** The first of many names, and how many more there are. */
export function some(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? `, and ${names.length - SHOWN} more` : ''}`;
}
