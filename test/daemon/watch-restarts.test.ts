/** When is a service restarted that changes its own sources, and what is told of it? */
import { expect, test } from 'vitest';
import { type Restart, WatchRestarts } from '../../src/daemon/watch-restarts.ts';
import type { Problem } from '../../src/model/problem.ts';
import { name } from '../builders.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

class Ground {
  readonly time = { now: 1_000_000 };
  readonly agenda = new Agenda();
  readonly restarts: (Restart & { readonly at: number })[] = [];
  readonly told: string[] = [];
  startedAt = this.time.now;
  goneAt: number | undefined;
  renewedAt = 0;
  isPrepared = false;
  /** What the service does after each start. */
  started = (): void => {};
  readonly watched = new WatchRestarts({
    service: name('web'),
    debounce: 200,
    clock: simulatedClock(this.time, 0, this.agenda),
    times: () => ({
      startedAt: this.startedAt,
      goneAt: this.goneAt,
      renewedAt: this.renewedAt,
      isPrepared: this.isPrepared,
    }),
    restart: (restart) => {
      this.restarts.push({ ...restart, at: this.time.now });
      this.startedAt = this.time.now;
      this.goneAt = undefined;
      this.renewedAt = this.time.now;
      this.started();
    },
    lasting: (before: readonly Problem[], now: readonly Problem[]) => {
      for (const { message } of before) this.told.push(`gone: ${message}`);
      for (const { message } of now) this.told.push(message);
    },
  });

  /** It writes these files a moment after each start. */
  writes(...files: readonly string[]): void {
    this.started = () => {
      this.agenda.add(this.time.now + 300, () => this.watched.changed(files));
    };
    this.started();
  }

  pass(duration: number): void {
    const end = this.time.now + duration;
    for (;;) {
      const next = this.agenda.take(Math.min(end, this.agenda.next ?? end));
      if (next === undefined) break;
      this.time.now = next.at;
      next.act();
    }
    this.time.now = end;
  }

  get pauses(): readonly number[] {
    return this.restarts.slice(1).map(({ at }, index) => at - (this.restarts[index]?.at ?? 0));
  }
}

/** Restarted for its own file over and over: braked, the next restart waits, and it writes no more. */
function braked(prepare: (ground: Ground) => void = () => {}): { ground: Ground; before: number } {
  const ground = new Ground();
  prepare(ground);
  ground.writes('out.log');
  ground.pass(40_000);
  ground.started = () => {};
  return { ground, before: ground.restarts.length };
}

test('a service that writes at each start is restarted ever more rarely, and that is told once', () => {
  const ground = new Ground();
  ground.writes('out.log');
  ground.pass(120_000);
  expect(ground.pauses).toEqual([300, 300, 300, 1300, 2300, 4300, 8300, 16_300, 30_300, 30_300]);
  expect(ground.told).toEqual([
    'out.log is changed by the service itself, or all the time: restarts for it wait, up to 30s',
  ]);
  expect(ground.watched.problems).toMatchObject([{ service: 'web', hint: 'add it to watch.ignore' }]);
});

test('a run that takes its time to stop makes no row any shorter: it counts when the restart was asked for', () => {
  const ground = new Ground();
  const { startedAt } = ground;
  ground.writes('out.log');
  const { started } = ground;
  ground.started = () => {
    ground.startedAt = startedAt;
    started();
  };
  ground.pass(10_000);
  expect(ground.pauses).toEqual([300, 300, 300, 1300, 2300, 4300]);
});

test('a restart that waits comes at once with a file that a person saves, and tells all that has changed', () => {
  const { ground, before } = braked();
  ground.watched.changed(['main.js']);
  expect(ground.restarts.slice(before)).toEqual([
    { files: 2, shown: 'out.log, main.js', at: ground.time.now },
  ]);
  // What had waited is over with it: only the next change counts, and is told alone.
  ground.pass(60_000);
  expect(ground.restarts).toHaveLength(before + 1);
  ground.watched.changed(['main.js']);
  expect(ground.restarts.at(-1)).toMatchObject({ shown: 'main.js' });
});

const MESSAGE =
  'a.log, b.log are changed by the service itself, or all the time: restarts for them wait, up to 30s';

/** Braked, and about to be restarted for the last time, after which it writes no more. */
function mended(): Ground {
  const ground = new Ground();
  ground.writes('a.log', 'b.log');
  ground.pass(10_000);
  ground.started = () => {};
  ground.pass((ground.agenda.next ?? 0) - ground.time.now);
  return ground;
}

test('a run that goes on and changes no files ends the row, and what was told of it', () => {
  const ground = mended();
  ground.pass(3199);
  expect(ground.watched.problems).toHaveLength(1);
  ground.pass(1);
  expect(ground.watched.problems).toEqual([]);
  expect(ground.told).toEqual([MESSAGE, `gone: ${MESSAGE}`]);
  const before = ground.restarts.length;
  // Also right after a start by somebody else.
  ground.startedAt = ground.time.now;
  ground.watched.changed(['a.log']);
  expect(ground.restarts).toHaveLength(before + 1);
  expect(ground.agenda.next).toBeUndefined();
});

test('a restart for a file that a person saves, and a start by somebody else, end it no later', () => {
  const saved = mended();
  saved.pass(2000);
  saved.watched.changed(['main.js']);
  saved.pass(3199);
  expect(saved.watched.problems).toHaveLength(1);
  saved.pass(1);
  expect(saved.watched.problems).toEqual([]);

  const { ground } = braked();
  ground.renewedAt = ground.time.now;
  ground.startedAt = ground.time.now;
  ground.pass(40_000);
  expect(ground.watched.problems).toEqual([]);
});

test('it counts from the newest start; where nothing comes up any more, the row is over as well', () => {
  const ground = mended();
  const restartedAt = ground.time.now;
  ground.renewedAt = restartedAt - 1;
  ground.pass(60_000);
  expect(ground.watched.problems).toHaveLength(1);
  // The run before has ended at last, and the next one is there.
  ground.renewedAt = ground.time.now;
  ground.startedAt = ground.time.now;
  ground.pass(3199);
  expect(ground.watched.problems).toHaveLength(1);
  ground.pass(3200);
  expect(ground.watched.problems).toEqual([]);

  const failed = mended();
  failed.renewedAt = failed.time.now - 1;
  failed.goneAt = failed.time.now;
  failed.pass(3200);
  expect(failed.watched.problems).toEqual([]);
});

test('what dies at its start is restarted at each change of the person who mends it, and nothing is told of it', () => {
  const ground = new Ground();
  ground.started = () => {
    ground.agenda.add(ground.time.now + 100, () => {
      ground.goneAt = ground.time.now;
    });
  };
  ground.started();
  for (let save = 0; save < 20; save++) {
    ground.pass(1500);
    ground.watched.changed(['app.js']);
  }
  expect(ground.restarts).toHaveLength(20);
  expect(ground.told).toEqual([]);
});

test('a restart that waits comes at once with a change while nothing of the service runs', () => {
  const { ground, before } = braked();
  ground.goneAt = ground.time.now - 1199;
  ground.watched.changed(['out.log']);
  expect(ground.restarts).toHaveLength(before);
  ground.pass(1);
  ground.watched.changed(['out.log']);
  expect(ground.restarts.slice(before)).toMatchObject([{ shown: 'out.log', at: ground.time.now }]);
});

test('a start by somebody else takes the place of a restart that waits, unless something changed since', () => {
  const { ground, before } = braked();
  ground.renewedAt = ground.time.now;
  ground.pass(60_000);
  expect(ground.restarts).toHaveLength(before);
  // It is forgotten: the next restart is for what comes later alone.
  ground.watched.changed(['main.js']);
  expect(ground.restarts.slice(before)).toMatchObject([{ shown: 'main.js' }]);
});

test('a start by somebody else takes the place of no restart where a hook came before it', () => {
  const { ground, before } = braked((each) => {
    each.isPrepared = true;
  });
  ground.renewedAt = ground.time.now;
  ground.pass(60_000);
  expect(ground.restarts).toHaveLength(before + 1);
});

test.each([0, 1])('a change %i ms after a start by somebody else is not lost', (after) => {
  const { ground, before } = braked();
  ground.renewedAt = ground.time.now;
  ground.pass(after);
  ground.watched.changed(['out.log']);
  ground.pass(60_000);
  expect(ground.restarts).toHaveLength(before + 1);
});

test('nothing is restarted any more when it is watched no longer', () => {
  const ground = new Ground();
  ground.writes('out.log');
  ground.pass(10_000);
  const before = ground.restarts.length;
  ground.watched.close();
  ground.started = () => {};
  ground.pass(60_000);
  expect(ground.restarts).toHaveLength(before);
  expect(ground.watched.problems).toEqual([]);
});
