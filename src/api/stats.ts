/** What does a service use? The answer of `GET /api/stats`, in the words that process managers have for it. */
import type { ServiceState } from './service-state.ts';

export interface ServiceStats {
  readonly name: string;
  readonly status: ServiceState;
  /** Of the first instance that runs. */
  readonly pid: number | null;
  /** Of the first instance that runs. Milliseconds. */
  readonly uptime: number | null;
  readonly restartCount: number;
  /** Of all instances: per cent of one core since the look before, as the status tells it. */
  readonly cpu: number | null;
  /** Resident memory of all processes of all instances; shared pages count for each process. Bytes. */
  readonly memoryRss: number | null;
  /** The heaps of the runtimes inside its processes, as these tell it; null where none does. Bytes. */
  readonly memoryHeap: number | null;
  /** What the kernel charges for it: with the page cache where the cgroup counts it, as the status tells it. Bytes. */
  readonly memory: number | null;
  /** `cluster`: more than one instance is wanted. */
  readonly mode: 'fork' | 'cluster';
  /** How many are wanted, and how many run. */
  readonly instances: number;
  readonly running: number;
  /** Processes of all instances. */
  readonly processes: number;
  /** Read from and written to block devices by all that run; null where no io controller tells. Bytes. */
  readonly ioRead: number | null;
  readonly ioWritten: number | null;
}

export interface StatsView {
  readonly services: readonly ServiceStats[];
}
