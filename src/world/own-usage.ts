/** What does this process itself use? */

export interface OwnUsage {
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly cpuSeconds: number;
  /** How late a turn of the event loop came; seconds. */
  readonly lag: number;
  /** Share of the time since the start in which the event loop was busy, 0 to 1. */
  readonly utilization: number;
}

/** Looks only when it is asked, so that nothing is woken for it meanwhile. */
export async function ownUsage(): Promise<OwnUsage> {
  const begun = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  const lag = (performance.now() - begun) / 1000;
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { utilization } = performance.eventLoopUtilization();
  return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1e6, lag, utilization };
}
