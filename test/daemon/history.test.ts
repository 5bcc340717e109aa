/** Which applied states are written down, and what becomes of them? */
import { describe, expect, test } from 'vitest';
import type { Commit } from '../../src/api/deploys.ts';
import { History } from '../../src/daemon/history.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import { Snapshots } from '../../src/daemon/snapshots.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Defined, Desired, DesiredState } from '../../src/model/spec.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import type { Clock } from '../../src/world/world.ts';
import { defined, memory, NOW, name, runKey } from '../builders.ts';
import { TwinFiles } from '../twins/files.ts';

const soon = (): Promise<void> => Promise.resolve();

/** A daemon of which only this is there: what is desired, and how each service stands. */
class Place {
  readonly files: TwinFiles;
  readonly stands = new Map<string, 'up' | 'failed' | 'waiting'>();
  readonly complaints: string[] = [];
  readonly texts = new WeakMap<Desired, string>();
  readonly history: History;
  readonly snapshots: Snapshots;
  commit: Commit | null = null;
  desired: DesiredState = { services: new Map(), problems: [], files: 0, readable: true };
  #now = NOW;
  #timers: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(files = new TwinFiles()) {
    this.files = files;
    this.snapshots = new Snapshots(files, '/state', soon);
    const place = this;
    this.history = new History({
      snapshots: this.snapshots,
      loop: {
        get desired() {
          return place.desired;
        },
        glance: (service) => place.#glance(service),
        names: () => [...place.desired.services.keys()],
      },
      clock: this.#clock(),
      soon,
      directory: '/etc/config.d',
      most: 50,
      textOf: (desired) => {
        const text = place.texts.get(desired);
        return text === undefined ? undefined : { file: `/etc/config.d/${desired.name}.yaml`, text };
      },
      commit: async () => place.commit,
      complain: ({ message }) => this.complaints.push(message),
    });
  }

  /** The directory says this now, each service one text. */
  async apply(texts: Readonly<Record<string, string>>, by = 'bob'): Promise<void> {
    const services = Object.entries(texts).map(([service, text]): [ServiceName, Defined] => {
      const one = defined({ name: name(service), digest: `digest of ${text}` });
      this.texts.set(one, text);
      return [one.name, one];
    });
    this.desired = { services: new Map(services), problems: [], files: services.length, readable: true };
    this.history.applied({ trigger: 'update', by });
    await this.history.settled();
    await soon();
  }

  later(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.wake();
    }
    this.#now = until;
  }

  results(): readonly (readonly [string, Readonly<Record<string, string>>])[] {
    return this.snapshots.all().map(({ trigger, results }) => [trigger, results] as const);
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      wall: () => this.#now,
      after: (delay, wake) => {
        const timer = { at: this.#now + delay, wake };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    };
  }

  #glance(service: ServiceName): Glance {
    const stands = this.stands.get(service) ?? 'waiting';
    const running: SlotPhase = {
      slot: 0,
      phase: 'running',
      run: runKey(),
      outdated: false,
      mainEnded: false,
      ready: true,
      health: '',
      rejected: null,
    };
    const phase =
      stands === 'up'
        ? running
        : stands === 'failed'
          ? ({ slot: 0, phase: 'failed', reason: 'exit_3', retryAt: null } as const)
          : ({ slot: 0, phase: 'waiting', reason: 'for db' } as const);
    return {
      desired: this.desired.services.get(service),
      intent: {},
      ending: undefined,
      now: this.#now,
      memory: memory(),
      decision: { actions: [], memory: memory(), slots: [phase], notices: [], wakeAt: undefined },
    };
  }
}

test('an entry tells what changed against the one before', async () => {
  const place = new Place();
  await place.apply({ a: '1', b: '1', c: '1' });
  await place.apply({ a: '2', b: '1', d: '1' });
  const [newest] = place.snapshots.all();
  expect(newest).toMatchObject({ number: 2, by: 'bob', added: ['d'], changed: ['a'], removed: ['c'] });
  expect(newest?.files.map(({ path }) => path)).toEqual(['a.yaml', 'b.yaml', 'd.yaml']);
});

test('the same state applied again is no new entry, an older one is, with its id', async () => {
  const place = new Place();
  await place.apply({ a: '1' });
  await place.apply({ a: '1' });
  await place.apply({ a: '2' });
  await place.apply({ a: '1' });
  const ids = place.snapshots.all().map(({ id }) => id);
  expect(ids).toHaveLength(3);
  expect(ids[0]).toBe(ids[2]);
});

test('a directory that cannot be read is no state', async () => {
  const place = new Place();
  await place.apply({ a: '1' });
  place.desired = { ...place.desired, services: new Map(), readable: false };
  place.history.applied({ trigger: 'watch', by: null });
  await place.history.settled();
  expect(place.snapshots.all()).toHaveLength(1);
});

describe('the outcome', () => {
  test('is written when it is known; what failed has failed until it has come up', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    expect(place.results()).toEqual([['update', { a: 'pending', b: 'pending' }]]);
    place.stands.set('a', 'up').set('b', 'failed');
    place.later(300);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'failed' }]]);
    place.stands.set('b', 'waiting');
    place.later(10_000);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'failed' }]]);
    place.stands.set('b', 'up');
    place.later(10_000);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'converged' }]]);
    expect(new Snapshots(place.files, '/state', soon).latest()?.results).toEqual({
      a: 'converged',
      b: 'converged',
    });
  });

  test('of what has come up before something else is followed is known, however soon that is', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    place.stands.set('a', 'up').set('b', 'failed');
    place.history.look();
    await place.apply({ a: '2', b: '2' });
    expect(place.results()[1]).toEqual(['update', { a: 'converged', b: 'failed' }]);
  });

  test('of the newer is not taken for that of the older while the newer is not written down', async () => {
    const place = new Place();
    await place.apply({ a: '1' });
    place.stands.set('a', 'up');
    const written = place.apply({ a: '2' });
    place.history.look();
    await written;
    expect(place.results()[1]).toEqual(['update', { a: 'pending' }]);
  });

  test('is found out by the next daemon when the first one did not live to see it', async () => {
    const first = new Place();
    await first.apply({ a: '1' });
    await first.history.close();
    const next = new Place(first.files);
    next.stands.set('a', 'up');
    await next.apply({ a: '1' });
    next.later(300);
    expect(next.results()).toEqual([['update', { a: 'converged' }]]);
  });

  test('of what had not come up before is a part of what is applied next', async () => {
    const place = new Place();
    place.stands.set('a', 'failed').set('b', 'up');
    await place.apply({ a: '1', b: '1' });
    place.later(300);
    await place.apply({ a: '1', b: '2' });
    place.later(300);
    expect(place.results()[0]).toEqual(['update', { b: 'converged', a: 'failed' }]);
  });

  test('of a removed service is that nothing is left', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    await place.apply({ b: '1' });
    place.later(300);
    expect(place.results()[0]?.[1]).toMatchObject({ a: 'converged' });
  });
});

test('the commit comes when Git has told it, and is not told of a state that is gone by then', async () => {
  const place = new Place();
  place.commit = { oid: 'c'.repeat(40), branch: 'main', dirty: false };
  await place.apply({ a: '1' });
  expect(place.snapshots.latest()?.commit).toEqual(place.commit);
});

test('what cannot be written is complained about, and nothing stops for it', async () => {
  const place = new Place();
  place.files.mkdir('/state/snapshots/blobs');
  const replace = place.files.replace.bind(place.files);
  place.files.replace = (path, text, options) =>
    path.includes('blobs') ? { failed: 'ENOSPC' } : replace(path, text, options);
  await place.apply({ a: '1' });
  expect(place.complaints).toEqual([expect.stringContaining('ENOSPC')]);
});
