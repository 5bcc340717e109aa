import { describe, expect, test } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';
import { Measuring } from '../../src/daemon/measuring.ts';
import type { ServiceName } from '../../src/model/names.ts';

const NO_READING = { count: 0, last: null };

function measuring(names: readonly string[], cpu: Readonly<Record<string, number | null>> = {}) {
  const journal = new Journal();
  const runs = Object.keys(cpu).map((id, index) => ({ key: { id, slot: index % 2 } }));
  const measured = new Measuring({
    journal,
    loop: {
      names: () => names as readonly ServiceName[],
      glance: (name: string) => (name === 'late' ? { due: true } : {}),
      situation: (name: string) => ({
        observed: name === 'unseen' ? { kind: 'unseen' } : { kind: 'seen', runs: name === 'web' ? runs : [] },
      }),
    } as never,
    world: {
      containment: { usage: ({ id }: { id: string }) => ({ cpuMicroseconds: cpu[id] ?? null }) },
    } as never,
  });
  const happened = (name: string, service: string, fields: Record<string, string>): void =>
    journal.add({ at: 0, name, service: service as ServiceName, fields });
  return { measured, happened, journal };
}

describe('what is counted', () => {
  test('starts and exits by their reason, of services that are there', async () => {
    const { measured, happened } = measuring(['web', 'job']);
    happened('worker_started', 'web', { reason: 'boot' });
    happened('worker_started', 'web', { reason: 'respawn_after_exit' });
    happened('worker_started', 'web', { reason: 'respawn_after_exit' });
    happened('worker_exited', 'web', { exit_reason: 'exit_3' });
    happened('worker_stopped', 'web', { reason: 'stop', exit_reason: 'signal_15' });
    happened('worker_started', 'gone', { reason: 'boot' });
    const { starts, exits } = await measured.measures(NO_READING);
    expect(starts).toEqual([
      { service: 'web', reason: 'boot', count: 1 },
      { service: 'web', reason: 'respawn_after_exit', count: 2 },
    ]);
    expect(exits).toEqual([{ service: 'web', reason: 'exit_3', count: 1 }]);
  });

  test('every generation is the same reason, and reasons without end are one', async () => {
    const { measured, happened } = measuring(['web']);
    for (let index = 0; index < 100; index++) {
      happened('worker_started', 'web', { reason: `reload_generation_${index}` });
      happened('worker_exited', 'web', { exit_reason: `exit_${index}` });
    }
    const { starts, exits } = await measured.measures(NO_READING);
    expect(starts).toEqual([{ service: 'web', reason: 'reload_generation', count: 100 }]);
    expect(exits).toHaveLength(33);
    expect(exits.find(({ reason }) => reason === 'other')?.count).toBe(68);
  });

  test('CPU time by place, while one run replaces another of both; nothing where nobody can tell', async () => {
    const { measured } = measuring(['web', 'unseen'], { a: 1_000_000, b: 2_000_000, c: 500_000, d: null });
    expect((await measured.measures(NO_READING)).cpu).toEqual([
      { service: 'web', instance: 0, seconds: 1.5 },
      { service: 'web', instance: 1, seconds: 2 },
    ]);
  });

  test('services that are due, and what the daemon itself uses', async () => {
    const { due, daemon, reconciling } = await measuring(['late', 'web']).measured.measures({
      count: 3,
      last: 5,
    });
    expect({ due, reconciling }).toEqual({ due: 1, reconciling: { count: 3, last: 5 } });
    expect(daemon.residentBytes).toBeGreaterThan(daemon.heapBytes);
    expect(daemon.lag).toBeGreaterThanOrEqual(0);
    expect(daemon.utilization).toBeLessThanOrEqual(1);
  });
});
