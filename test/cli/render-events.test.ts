/** Events as people read them. */
import { expect, test } from 'vitest';
import { renderEvent } from '../../src/cli/render-events.ts';
import type { NumberedEvent } from '../../src/model/action.ts';
import type { ServiceName } from '../../src/model/names.ts';

function said(name: string, fields: NumberedEvent['fields'], others: Partial<NumberedEvent> = {}): string {
  const [, service, ...text] = renderEvent({ id: 1, at: 0, name, fields, ...others }).split('  ');
  return [service, ...text].join('  ');
}

test('say by what the daemon was told to end', () => {
  expect(said('manager_shutdown_requested', { signal: 'TERM', reason: 'signal_term' })).toBe(
    '-  daemon is to end: SIGTERM',
  );
  const byItself = { signal: 'internal', reason: 'workers_exhausted_no_respawn', exit_status: 3 };
  expect(said('manager_shutdown_requested', byItself)).toBe(
    '-  daemon is to end: workers_exhausted_no_respawn  exit_status=3',
  );
});

test('tell a start that was refused from a run that ended', () => {
  const fields = { instance: 0, generation: 2, pid: 'none', status: 'none', restart_action: 'none' };
  expect(said('worker_exited', { ...fields, exit_reason: 'not_started' })).toBe(
    '-  could not be started (instance 0, generation 2)',
  );
  expect(said('worker_exited', { ...fields, exit_reason: 'exit_3', restart_action: 'respawn' })).toBe(
    '-  ended (instance 0, generation 2): exit_3, is started again',
  );
});

test('tell for how long a service is held', () => {
  expect(said('hold_requested', { reason: 'incident', for_ms: 3_600_000 })).toBe(
    '-  hold for 1h asked for: incident',
  );
  expect(said('hold_requested', { reason: 'incident' })).toBe('-  hold asked for: incident');
});

test('count in words of the right number', () => {
  const done = (changes: number) => said('manager_reload_completed', { changes, failed: 0, errors: 0 });
  expect([done(0), done(1), done(2)]).toEqual([
    '-  update done: 0 changes',
    '-  update done: 1 change',
    '-  update done: 2 changes',
  ]);
  expect(said('prune_held', { count: 1, reason: 'the directory is empty' })).toBe(
    '-  1 removed service left running: the directory is empty',
  );
});

test('tell of an update what failed, and nothing that did not', () => {
  const failed = (fields: NumberedEvent['fields']) => said('manager_reload_failed', fields);
  expect(failed({ changes: 2, failed: 1, errors: 0, failed_services: 'api' })).toBe(
    '-  update done in part: 1 of 2 changes failed (api)',
  );
  expect(failed({ changes: 0, failed: 0, errors: 1 })).toBe('-  update done in part: 1 error');
  expect(failed({ changes: 1, failed: 1, errors: 2 })).toBe(
    '-  update done in part: 1 of 1 change failed, 2 errors',
  );
});

test('name the service before and the actor after, and what no sentence is known for as it is', () => {
  const of: Partial<NumberedEvent> = { service: 'web' as ServiceName, actor: 'bob' };
  expect(said('stop_requested', {}, of)).toBe('web  stop asked for (bob)');
  expect(said('melted', { at_degrees: 900, note: 'too hot' }, of)).toBe(
    'web  melted  at_degrees=900 note="too hot" (bob)',
  );
});
