/** What does the next daemon know of a service that this one has forgotten? */
import { expect, test } from 'vitest';
import { Store } from '../../src/daemon/store.ts';
import { name } from '../builders.ts';
import { SmallDaemon } from './small-daemon.ts';

function following(...services: readonly string[]): SmallDaemon {
  const daemon = new SmallDaemon();
  for (const service of services) daemon.save(service);
  daemon.loop.reload();
  daemon.pass(5000);
  return daemon;
}

/** Lets it be gone, and not a moment longer. */
function untilGone(daemon: SmallDaemon, service: string): void {
  for (let waited = 0; daemon.loop.names().includes(name(service)); waited++) {
    if (waited > 60_000) throw new Error(`${service} is still known`);
    daemon.pass(1);
  }
}

function nextDaemon({ state }: SmallDaemon): Store {
  const store = new Store(state, '/state', 'boot');
  expect(store.load()).toBeUndefined();
  return store;
}

test('nothing, from the moment on in which it is forgotten', () => {
  const daemon = following('web', 'db');
  expect(nextDaemon(daemon).names()).toEqual(['db', 'web']);
  daemon.files.delete('web');
  daemon.loop.reload();
  untilGone(daemon, 'web');
  expect(nextDaemon(daemon).names()).toEqual(['db']);
});

test('many that go together are written in a few turns', () => {
  const many = Array.from({ length: 200 }, (_, index) => `s${index}`);
  const daemon = following('db', ...many);
  let writes = 0;
  const replace = daemon.state.replace.bind(daemon.state);
  daemon.state.replace = (path, text) => {
    if (path.endsWith('/memory.json')) writes += 1;
    return replace(path, text);
  };
  for (const service of many) daemon.files.delete(service);
  daemon.loop.reload();
  daemon.loop.prune();
  daemon.pass(60_000);
  expect(daemon.loop.names()).toEqual(['db']);
  expect(writes).toBeLessThan(many.length / 4);
});
