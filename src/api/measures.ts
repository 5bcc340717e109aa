/** What can be told of the daemon and its services besides their state, for those who watch figures over time? */

/** How often something happened to a service since this daemon was started. */
export interface Count {
  readonly service: string;
  readonly reason: string;
  readonly count: number;
}

export interface Measures {
  /** Processes started, by what made it so: `respawn_after_exit`, `reload_generation`, … */
  readonly starts: readonly Count[];
  /** Processes that ended without being told to, by how: `exit_3`, `signal_9`, `oom`, … */
  readonly exits: readonly Count[];
  /** Of what runs now; null where the host does not tell. Seconds. */
  readonly cpu: readonly {
    readonly service: string;
    readonly instance: number;
    readonly seconds: number;
  }[];
  /** Readings of the directory that were followed, and how long the last one took, milliseconds; null: none yet. */
  readonly reconciling: { readonly count: number; readonly last: number | null };
  /** Services that are to be looked at. */
  readonly due: number;
  readonly daemon: {
    readonly residentBytes: number;
    readonly heapBytes: number;
    readonly cpuSeconds: number;
    /** How late a turn of the event loop came just now; seconds. */
    readonly lag: number;
    /** Share of the time since the start in which the event loop was busy, 0 to 1. */
    readonly utilization: number;
  };
}
