import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunKey, runId, type ServiceName, type SpecHash } from '../../src/model/names.ts';
import { Watchlist } from '../../src/world/watchlist.ts';
import type { Clock } from '../../src/world/world.ts';

const KEY: RunKey = {
  service: 'web' as ServiceName,
  slot: 0,
  generation: 1,
  hash: 'abcdef012345' as SpecHash,
  id: runId(0, 'abcd'),
};

/** A clock whose timers the test fires by hand. */
class HandClock implements Clock {
  wall(): number {
    return this.now();
  }

  readonly timers = new Set<() => void>();
  now(): number {
    return 0;
  }
  after(_delay: number, wake: () => void): () => void {
    this.timers.add(wake);
    return () => this.timers.delete(wake);
  }
  tick(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const wake of due) wake();
  }
}

describe('a watchlist', () => {
  let clock: HandClock;
  let woken: string[];
  let list: Watchlist;
  let directory: string;

  beforeEach(() => {
    clock = new HandClock();
    woken = [];
    list = new Watchlist(clock, (service) => woken.push(service));
    directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => {
    list.close();
    fs.rmSync(directory, { recursive: true });
  });

  it('wakes once for each answer that differs, and needs no timer when nothing is polled', () => {
    let answer = 'alive';
    expect(clock.timers.size).toBe(0);
    list.poll(KEY, 'alive', () => answer);
    clock.tick();
    expect(woken).toEqual([]);
    answer = 'gone';
    clock.tick();
    clock.tick();
    expect(woken).toEqual(['web']);
    list.forget(KEY.id);
    clock.tick();
    expect(clock.timers.size).toBe(0);
  });

  it('does not miss a change between the look and the first poll', () => {
    list.poll(KEY, 'alive', () => 'gone');
    clock.tick();
    expect(woken).toEqual(['web']);
  });

  it('reads a file that cannot be watched every second instead', () => {
    const file = join(directory, 'events');
    expect(list.watchFile(KEY, file)).toBe(false);
    clock.tick();
    expect(woken).toEqual(['web']);
    fs.writeFileSync(file, 'populated 0');
    clock.tick();
    expect(woken).toEqual(['web', 'web']);
    clock.tick();
    expect(woken).toEqual(['web', 'web']);
  });

  it('wakes by event where the kernel has one', async () => {
    const file = join(directory, 'events');
    fs.writeFileSync(file, 'a');
    const event = new Promise<string>((resolve) => {
      list = new Watchlist(clock, resolve);
    });
    expect(list.watchFile(KEY, file)).toBe(true);
    expect(list.watchFile(KEY, file)).toBe(false);
    fs.writeFileSync(file, 'b');
    expect(await event).toBe('web');
    expect(clock.timers.size).toBe(0);
    expect(list.watched(KEY.service)).toEqual([KEY.id]);
  });

  it('is quiet and without timers once closed', () => {
    list.poll(KEY, 'a', () => 'b');
    list.close();
    clock.tick();
    expect({ woken, timers: clock.timers.size }).toEqual({ woken: [], timers: 0 });
  });
});
