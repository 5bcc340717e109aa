import { describe, expect, test } from 'vitest';
import type { Control } from '../../src/api/contract.ts';
import type { Measures } from '../../src/api/measures.ts';
import { metricsPage } from '../../src/api/metrics.ts';
import { instanceView as instance, serviceView as service } from '../cli/sample-views.ts';
import { fakeControl } from './fake-control.ts';

const MEASURES: Measures = {
  starts: [{ service: 'web', reason: 'respawn_after_exit', count: 3 }],
  exits: [{ service: 'web', reason: 'exit_3', count: 3 }],
  cpu: [{ service: 'web', instance: 0, seconds: 1.5 }],
  reconciling: { count: 7, last: 12 },
  due: 2,
  daemon: { residentBytes: 1000, heapBytes: 500, cpuSeconds: 0.25, lag: 0.001, utilization: 0.01 },
};

async function page(services: readonly object[], more: object = {}): Promise<string> {
  const { control } = fakeControl({
    measures: () => MEASURES,
    status: () => ({ services, problems: [{}, {}], prune: null }),
    version: () => ({ version: '1.2.3', containment: 'cgroup', started_at: '2026-01-01T00:00:00.000Z' }),
  });
  const asked = new Proxy(control, {
    get: (target, key) => ({ ...more })[key as never] ?? target[key as keyof Control],
  });
  return (await metricsPage(asked)).text;
}

function samples(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the figures', () => {
  test('of a service and of the daemon, under the names that the manual has', async () => {
    const web = service('web', {
      state: 'backoff',
      desired: 2,
      ready: 1,
      restarts: 4,
      generation: 9,
      drift: 'pending',
      instances: [instance(0, { memory_bytes: 100 }), instance(1, { memory_bytes: 50, state: 'backoff' })],
      last_exit: {
        instance: 0,
        code: 3,
        signal: null,
        oom: false,
        at: '2026-01-01T00:00:10.000Z',
        by: 'itself',
        uptime_ms: 5,
        reason: 'exit_3',
      },
    });
    const seconds = Date.UTC(2026, 0, 1) / 1000;
    const found = samples(await page([web]));
    expect(found).toEqual(
      expect.arrayContaining([
        'processmaster_service_state{service="web",state="backoff"} 1',
        'processmaster_service_desired{service="web"} 2',
        'processmaster_service_ready{service="web"} 1',
        'processmaster_service_instances{service="web"} 1',
        'processmaster_service_generation{service="web"} 9',
        'processmaster_service_drift{service="web",drift="pending"} 1',
        'processmaster_service_restarts{service="web"} 4',
        'processmaster_service_memory_bytes{service="web"} 150',
        `processmaster_service_last_exit_timestamp_seconds{service="web"} ${seconds + 10}`,
        'processmaster_service_last_exit_code{service="web"} 3',
        'processmaster_service_starts_total{service="web",reason="respawn_after_exit"} 3',
        'processmaster_service_exits_total{service="web",reason="exit_3"} 3',
        'processmaster_instance_cpu_seconds_total{service="web",instance="0"} 1.5',
        'processmaster_config_problems 2',
        'processmaster_reconciles_total 7',
        'processmaster_reconcile_duration_seconds 0.012',
        'processmaster_due_services 2',
        'processmaster_info{version="1.2.3",containment="cgroup"} 1',
        `processmaster_start_time_seconds ${seconds}`,
        'processmaster_resident_memory_bytes 1000',
        'processmaster_cpu_seconds_total 0.25',
      ]),
    );
  });

  test('each has its help and its type, once', async () => {
    const text = await page([service('a'), service('b')]);
    const names = new Set(samples(text).map((line) => /^\w+/.exec(line)?.[0]));
    for (const name of names) {
      expect(text.split(`# HELP ${name} `)).toHaveLength(2);
      expect(text.split(`# TYPE ${name} `)).toHaveLength(2);
    }
    expect(text).toContain('# TYPE processmaster_reconciles_total counter');
    expect(text).toContain('# TYPE processmaster_service_ready gauge');
  });

  test('two questions are two answers: nothing adds up, and nothing of a service that is gone stays', async () => {
    await page([service('gone')]);
    const text = await page([service('web')]);
    expect(text).not.toContain('gone');
    expect(samples(text)).toContain('processmaster_reconciles_total 7');
  });

  test('a label that holds quotes and line breaks does not get out of them', async () => {
    const found = await page([service('web', { name: 'a"} 1\nevil{x="\\' as never })]);
    expect(found).toContain('processmaster_service_ready{service="a\\"} 1\\nevil{x=\\"\\\\"}');
    expect(samples(found).every((line) => line.startsWith('processmaster_'))).toBe(true);
  });

  test('of the commit, where there is one', async () => {
    const commit = { oid: 'abc', branch: 'main', dirty: false };
    const deploys = { history: () => ({ entries: [{ commit }], problems: [] }) };
    expect(samples(await page([], { deploys }))).toContain(
      'processmaster_config_info{commit="abc",branch="main",dirty="false"} 1',
    );
  });
});
