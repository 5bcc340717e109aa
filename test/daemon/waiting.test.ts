/** When is somebody who waits told, and is that what the kernel knows by then? */
import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Loop } from '../../src/daemon/loop.ts';
import type { Outcome } from '../../src/daemon/outcome.ts';
import { untilSettled } from '../../src/daemon/waiting.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

const PROVING: Outcome = { result: 'pending', detail: 'was just started', again: 300 };
const UP: Outcome = { result: 'done', detail: '1/1 running' };
const FAILED: Outcome = { result: 'failed', detail: 'exited with code 1' };

describe('who waits', () => {
  let time: { now: number };
  let timers: Agenda;
  let listeners: Set<() => void>;
  const pass = () => {
    for (const listener of listeners) listener();
  };
  /** Lets everything come that is due by then; `between` is what is read from the kernel between two timers. */
  const advance = (to: number, between = () => {}) => {
    time.now = to;
    for (let item = timers.take(to); item !== undefined; item = timers.take(to)) {
      item.act();
      between();
    }
  };
  const wait = (ask: () => Outcome, limit = 60_000, gone?: AbortSignal) => {
    const onPass = (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    let told: Outcome | undefined;
    const loop = { onPass } as unknown as Loop;
    const promise = untilSettled(loop, simulatedClock(time, 0, timers), limit, ask, gone);
    void promise.then((outcome) => {
      told = outcome;
    });
    return { promise, told: () => told };
  };

  beforeEach(() => {
    time = { now: 1000 };
    timers = new Agenda();
    listeners = new Set();
  });

  it('is told of the end of a run that the daemon could not read before its proof of life was over', async () => {
    let outcome: Outcome = PROVING;
    const { promise } = wait(() => outcome);
    pass();
    // The process stood still: the proof of life is over, and the run has ended long ago.
    outcome = UP;
    advance(5000, () => {
      outcome = FAILED;
      pass();
    });
    expect(await promise).toEqual(FAILED);
    expect(listeners.size).toBe(0);
    expect(timers.next).toBeUndefined();
  });

  it('is told without a pass when the time comes that the answer named', async () => {
    let outcome: Outcome = PROVING;
    const { promise, told } = wait(() => outcome);
    pass();
    advance(1299);
    await Promise.resolve();
    expect(told()).toBeUndefined();
    outcome = UP;
    advance(1300);
    expect(await promise).toEqual(UP);
  });

  it('is told the last answer when the limit is over', async () => {
    const { promise } = wait(() => ({ result: 'pending', detail: 'starting' }), 500);
    pass();
    advance(1500);
    expect(await promise).toEqual({ result: 'pending', detail: 'starting' });
  });

  it.each(['before', 'while'])('is waited for no more when he has gone, %s he waits', async (when) => {
    const asker = new AbortController();
    if (when === 'before') asker.abort();
    const { promise } = wait(() => PROVING, 60_000, asker.signal);
    if (when === 'while') {
      pass();
      expect(listeners.size).toBe(1);
      asker.abort();
    }
    expect(await promise).toEqual(PROVING);
    expect(listeners.size).toBe(0);
    expect(timers.next).toBeUndefined();
  });

  it('is asked about no more when he has his answer, though his connection ends', async () => {
    const asker = new AbortController();
    let asked = 0;
    const { promise } = wait(
      () => {
        asked++;
        return UP;
      },
      60_000,
      asker.signal,
    );
    pass();
    await promise;
    asker.abort();
    expect(asked).toBe(1);
  });

  it('costs his connection one listener, for however many services he waits', async () => {
    const asker = new AbortController();
    const [settled, ...others] = Array.from({ length: 50 }, (_, index) => {
      return wait(() => (index === 0 ? UP : PROVING), 60_000, asker.signal).promise;
    });
    pass();
    expect(await settled).toEqual(UP);
    expect(getEventListeners(asker.signal, 'abort')).toHaveLength(1);
    asker.abort();
    expect(new Set(await Promise.all(others))).toEqual(new Set([PROVING]));
    expect(listeners.size).toBe(0);
  });
});
