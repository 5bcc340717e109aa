/** What of this host does the meaning of a service file depend on? */
import { availableParallelism } from 'node:os';

export interface HostFacts {
  /** CPUs that this process may use, as its affinity says; at least 1. */
  readonly cpus: number;
  /** IANA name of the time zone of the host. */
  readonly zone: string;
}

/** The zone is looked up at the first question, which costs 12 ms and, for good, 8 MB of what Intl knows. */
export function hostFacts(): HostFacts {
  let zone: string | undefined;
  return {
    cpus: availableParallelism(),
    get zone() {
      zone ??= new Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';
      return zone;
    },
  };
}

/**
 * Wall time of the host minus UTC at a whole second since 1970; milliseconds. For this the name of the zone, and with it
 * Intl, is not needed.
 */
export function hostOffsetAt(instant: number): number {
  const shown = new Date(instant);
  const day = [shown.getFullYear(), shown.getMonth(), shown.getDate()] as const;
  return Date.UTC(...day, shown.getHours(), shown.getMinutes(), shown.getSeconds()) - instant;
}
