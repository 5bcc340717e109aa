/** What of this host does the meaning of a service file depend on? */
import { availableParallelism } from 'node:os';

export interface HostFacts {
  /** CPUs that this process may use, as its affinity says; at least 1. */
  readonly cpus: number;
  /** IANA name of the time zone of the host. */
  readonly zone: string;
}

/** The zone is looked up at the first question, which costs a few milliseconds. */
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
