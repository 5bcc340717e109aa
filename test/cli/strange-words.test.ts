/** Words that this pmctl does not know, of a newer daemon or of one that lies. */
import { expect, test } from 'vitest';
import { paintFor } from '../../src/cli/paint.ts';
import { renderEvent } from '../../src/cli/render-events.ts';
import { renderStatus } from '../../src/cli/render-status.ts';
import { renderWhy } from '../../src/cli/render-why.ts';
import { NOW } from './fake-terminal.ts';
import { serviceView } from './sample-views.ts';

const paint = paintFor({ terminal: true, refused: false, environment: {} });

function why(word: string): string {
  const exit = {
    instance: 0,
    code: null,
    signal: null,
    oom: false,
    at: new Date(NOW).toISOString(),
    uptime_ms: 5,
  };
  const service = serviceView('web', { state: word as never, drift: word as never });
  const exits = [{ ...exit, by: word as never, reason: word, log: ['x'] }];
  const view = { service, because: [], exits, changes: [], problems: [], stderr_tail: [] };
  return renderWhy(view, { now: NOW, paint, onTerminal: true }).join('\n');
}

test('are shown as they are, without a colour', () => {
  const said = why('melting');
  expect(said).toContain('web\u001b[0m is melting, 2/2 ready, drift: melting');
  expect(said).toContain('Output of the run that ended at');
  expect(said.split('\n').filter((line) => line.includes('melting'))).toHaveLength(3);
});

test('are no keys of an object that everybody has', () => {
  const look = { now: NOW, width: null, paint, instances: false };
  const status = renderStatus(
    { services: [serviceView('web', { state: 'toString' as never })], problems: [], prune: null },
    look,
  );
  for (const said of [why('constructor'), status.join('\n')]) expect(said).not.toContain('undefined');
  const event = { id: 1, at: NOW, name: 'toString', fields: {} };
  expect(renderEvent(event, paint)).toMatch(/toString$/);
});

test('say nothing to the terminal', () => {
  const said = why('\u001b]0;owned\u0007');
  expect([said.includes('\u001b]'), said.includes('\u0007')]).toEqual([false, false]);
});
