/** How does a new generation take over from the old one when the file does not say? */
import type { ProcessSpec, RolloutSpec, ServiceSpec } from '../model/spec.ts';
import type { CompleteService } from './generated/types.ts';

type Says = Pick<ServiceSpec, 'port' | 'instances'> & {
  readonly process: Pick<ProcessSpec, 'type' | 'schedule'>;
};

export function rolloutOf(written: CompleteService['rollout'], service: Says): RolloutSpec {
  const { surge = defaultSurge(service), overlap, timeout, min_ready, on_failure } = written;
  return { surge, overlap, timeout, min_ready, on_failure };
}

/**
 * One more than `instances`, but none where a second process is no help: it could not listen on the port that the
 * first one has, or a job would be done twice. Several instances on one port share it with SO_REUSEPORT anyway.
 */
export function defaultSurge({ port, instances, process }: Says): number {
  if (process.type === 'oneshot' || process.schedule !== null) return 0;
  return typeof port === 'number' && instances <= 1 ? 0 : 1;
}
