/** In which states can a service or an instance be, in one word? */

export type ServiceState =
  | 'running'
  | 'starting'
  | 'stopping'
  | 'stopped'
  | 'backoff'
  | 'failed'
  | 'completed'
  | 'scheduled'
  | 'held'
  | 'waiting'
  | 'unknown';
