/** Which figures does a Prometheus server get, under which names? Loaded when the first one asks. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Control, ServiceView } from './contract.ts';
import type { Measures } from './measures.ts';

export interface MetricsPage {
  readonly type: string;
  readonly text: string;
}

/**
 * Everything in the text format 0.0.4 of Prometheus. Labels are names of services, numbers of instances, states and
 * reasons: their number is bounded by what is configured.
 */
export async function metricsPage(control: Control): Promise<MetricsPage> {
  const measures = await control.measures();
  const page = new Page();
  const { services, problems } = control.status();
  for (const service of services) tellService(page, service);
  for (const { service, reason, count } of measures.starts) {
    page.count('service_starts', 'Processes started since the daemon was', count, { service, reason });
  }
  for (const { service, reason, count } of measures.exits) {
    page.count('service_exits', 'Processes that ended without being told to', count, { service, reason });
  }
  for (const { service, instance, seconds } of measures.cpu) {
    page.count('instance_cpu_seconds', 'CPU time of what runs now', seconds, { service, instance });
  }
  tellConfiguration(page, control, measures, problems.length);
  tellDaemon(page, control, measures);
  return page.print();
}

function tellService(page: Page, view: ServiceView): void {
  const { name: service, state, drift } = view;
  page.tell('service_state', 'The state that a service is in', 1, { service, state });
  page.tell('service_desired', 'Instances that are wanted', view.desired, { service });
  page.tell('service_ready', 'Instances that are ready', view.ready, { service });
  page.tell('service_instances', 'Instances that run', running(view), { service });
  page.tell('service_generation', 'The version of the definition', view.generation, { service });
  page.tell('service_drift', 'How what runs differs from what the file says', 1, { service, drift });
  page.tell(
    'service_restarts',
    'Restarts after an exit since it was changed or started by hand',
    view.restarts,
    {
      service,
    },
  );
  const bytes = view.instances.flatMap(({ memory_bytes }) => memory_bytes ?? []);
  if (bytes.length > 0) {
    const sum = bytes.reduce((total, one) => total + one, 0);
    page.tell('service_memory_bytes', 'Memory of all instances', sum, { service });
  }
  const { last_exit, schedule } = view;
  if (last_exit !== null) {
    const at = Date.parse(last_exit.at) / 1000;
    page.tell('service_last_exit_timestamp_seconds', 'When a process of it ended last', at, { service });
    // As a shell tells it: 128 and the number of the signal is not known here, so that a signal has no code.
    if (last_exit.code !== null) {
      page.tell('service_last_exit_code', 'The exit code of that process', last_exit.code, { service });
    }
  }
  if (schedule?.next_at) {
    const at = Date.parse(schedule.next_at) / 1000;
    page.tell('service_next_run_timestamp_seconds', 'When a scheduled service runs next', at, { service });
  }
}

function running({ instances }: ServiceView): number {
  return instances.filter(({ state }) => state === 'running').length;
}

function tellConfiguration(page: Page, control: Control, measures: Measures, problems: number): void {
  const { reconciling, due } = measures;
  page.tell('config_problems', 'Problems of the configuration that are not settled', problems, {});
  page.count('reconciles', 'Readings of the directory that were followed', reconciling.count, {});
  if (reconciling.last !== null) {
    const seconds = reconciling.last / 1000;
    page.tell('reconcile_duration_seconds', 'How long reading and planning took last', seconds, {});
  }
  page.tell('due_services', 'Services that are to be looked at', due, {});
  const commit = control.deploys?.history(1).entries[0]?.commit ?? null;
  if (commit === null) return;
  const labels = { commit: commit.oid, branch: commit.branch ?? '', dirty: String(commit.dirty) };
  page.tell('config_info', 'The commit that was applied last', 1, labels);
}

function tellDaemon(page: Page, control: Control, { daemon }: Measures): void {
  const { version, containment, started_at } = control.version();
  page.tell('info', 'The daemon', 1, { version, containment });
  page.tell('start_time_seconds', 'When the daemon was started', Date.parse(started_at) / 1000, {});
  page.tell('resident_memory_bytes', 'Memory of the daemon itself', daemon.residentBytes, {});
  page.tell('heap_used_bytes', 'Of that, its heap', daemon.heapBytes, {});
  page.count('cpu_seconds', 'CPU time of the daemon itself', daemon.cpuSeconds, {});
  page.tell('event_loop_lag_seconds', 'How late a turn of its event loop came just now', daemon.lag, {});
  page.tell('event_loop_utilization', 'Share of its life that it was busy', daemon.utilization, {});
}

type Labels = Readonly<Record<string, string | number>>;

/** A registry of one answer: nothing is kept that could be outdated, or of a service that is gone. */
class Page {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();

  tell(name: string, help: string, value: number, labels: Labels): void {
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge(this.#settings(`processmaster_${name}`, help, labels));
      this.#gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  /** Counters end in `_total` (Prometheus, metric naming). */
  count(name: string, help: string, value: number, labels: Labels): void {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = new Counter(this.#settings(`processmaster_${name}_total`, help, labels));
      this.#counters.set(name, counter);
    }
    counter.inc(labels, value);
  }

  async print(): Promise<MetricsPage> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #settings(name: string, help: string, labels: Labels) {
    return { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
  }
}
