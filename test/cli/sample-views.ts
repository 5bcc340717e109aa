/** Views of services as a daemon would tell them; a test names only what it is about. */
import type { InstanceView, ServiceView } from '../../src/api/contract.ts';
import { NOW } from './fake-terminal.ts';

export function ago(milliseconds: number): string {
  return new Date(NOW - milliseconds).toISOString();
}

const HOUR = 3_600_000;

export function instanceView(instance: number, more: Partial<InstanceView> = {}): InstanceView {
  const pid = 800 + instance;
  return {
    instance,
    generation: 3,
    run_id: 'k0000000-0000',
    state: 'running',
    pid,
    pids: [pid],
    started_at: ago(3 * HOUR),
    uptime_ms: 3 * HOUR,
    cpu_percent: 1.5,
    memory_bytes: 24 * 1024 * 1024,
    restarts: 0,
    adopted: false,
    ready: true,
    port: null,
    probes: [],
    reason: '',
    ...more,
  };
}

export function serviceView(name: string, more: Partial<ServiceView> = {}): ServiceView {
  const instances = more.instances ?? [instanceView(0), instanceView(1)];
  return {
    name,
    description: '',
    labels: {},
    enabled: true,
    state: 'running',
    ready: instances.length,
    desired: instances.length,
    generation: 3,
    restarts: 0,
    drift: 'none',
    reason: '',
    instances,
    last_exit: null,
    schedule: null,
    file: `config.d/${name}.yaml`,
    id: name,
    isRunning: true,
    pid: 800,
    startTime: ago(3 * HOUR),
    uptime: 3 * HOUR,
    restartCount: 0,
    healthCheckFailures: 0,
    lastHealthCheck: null,
    ...more,
  };
}

/** Nothing of it runs. */
export function restingView(name: string, more: Partial<ServiceView> = {}): ServiceView {
  return serviceView(name, { state: 'stopped', ready: 0, desired: 1, instances: [], ...more });
}
