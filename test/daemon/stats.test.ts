import { describe, expect, it } from 'vitest';
import { statsOf } from '../../src/daemon/stats.ts';
import type { Observed } from '../../src/model/observed.ts';
import type { Figures } from '../../src/world/world.ts';
import { run } from '../builders.ts';
import { instanceView, restingView, serviceView } from '../cli/sample-views.ts';

const first = run({ slot: 0 });
const second = run({ slot: 1 });
const observed: Observed = { kind: 'seen', runs: [first, second] };

const web = serviceView('web', {
  restarts: 4,
  instances: [
    instanceView(0, { run_id: first.key.id, pids: [800, 801], cpu_percent: 0.1, memory_bytes: 100 }),
    instanceView(1, { run_id: second.key.id, pids: [900], cpu_percent: 0.2, memory_bytes: 50 }),
  ],
});

const told = (figures: Figures) => () => figures;

describe('the figures of a service', () => {
  it('are those of all its instances together', () => {
    const stats = statsOf(
      web,
      observed,
      ({ slot }) => ({
        residentBytes: slot === 0 ? 1000 : 24,
        io: { readBytes: 7, writtenBytes: slot },
      }),
      77,
    );
    expect(stats).toEqual({
      name: 'web',
      status: 'running',
      pid: web.pid,
      uptime: web.uptime,
      restartCount: 4,
      cpu: 0.3,
      memoryRss: 1024,
      memoryHeap: 77,
      memory: 150,
      mode: 'cluster',
      instances: 2,
      running: 2,
      processes: 3,
      ioRead: 14,
      ioWritten: 1,
    });
  });

  it('are unknown, and not zero, where the host does not tell', () => {
    const silent = serviceView('web', {
      instances: [instanceView(0, { run_id: first.key.id, cpu_percent: null, memory_bytes: null })],
    });
    const stats = statsOf(silent, observed, told({ residentBytes: null, io: null }), null);
    expect(stats).toMatchObject({ cpu: null, memoryRss: null, memory: null, ioRead: null, ioWritten: null });
    expect(stats.mode).toBe('fork');
  });

  it('do not count runs that the status does not show, nor what could not be seen', () => {
    const one = serviceView('web', { instances: [instanceView(1, { run_id: second.key.id })] });
    expect(statsOf(one, observed, told({ residentBytes: 5, io: null }), null).memoryRss).toBe(5);
    const unseen: Observed = {
      kind: 'unseen',
      problem: { code: 'observe-failed', severity: 'error', message: 'EIO' },
    };
    expect(statsOf(web, unseen, told({ residentBytes: 5, io: null }), null).memoryRss).toBeNull();
  });

  it('of one that is stopped are none', () => {
    const stopped = restingView('web', { pid: null, uptime: null });
    expect(
      statsOf(stopped, { kind: 'seen', runs: [] }, told({ residentBytes: 1, io: null }), null),
    ).toMatchObject({
      status: 'stopped',
      running: 0,
      processes: 0,
      cpu: null,
      memoryRss: null,
    });
  });
});
