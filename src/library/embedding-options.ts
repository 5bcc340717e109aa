/** What does a program say that runs services of its own? */
import type { RawSettings } from '../config/generated/types.ts';
import type { Services } from './given-services.ts';
import { ANYTHING, CONTAINMENT, FUNCTION, PATH, SERVICES, VARIABLES } from './kinds.ts';
import { type KeysOf, onlyKnown } from './known-keys.ts';

export interface ProcessmasterOptions {
  /** By name, in the words of service files. Relative paths are meant below `directory`. */
  readonly services?: Services;
  /**
   * Where is kept what must outlive this program: with it, services that a crash of this program left running are
   * taken over by the next one. Without it a private directory is used, which `close` removes.
   */
  readonly stateDirectory?: string;
  /** The working directory of this program unless said otherwise. */
  readonly directory?: string;
  /** `process_group` unless said otherwise. `cgroup` and `auto` move this program into a cgroup of its own. */
  readonly containment?: 'process_group' | 'cgroup' | 'auto';
  /** A control socket for pmctl is opened at this path; none unless said so. */
  readonly sock?: string;
  /** The variables that services may inherit; those of this program unless said otherwise. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Other keys of the master file: `service_defaults`, `vars`, `notify`, `pools`, … */
  readonly settings?: EmbeddedSettings;
  /** What the manager has to say for people; nothing is printed. */
  readonly log?: (entry: LogEntry) => void;
}

export type EmbeddedSettings = Pick<
  RawSettings,
  'service_defaults' | 'vars' | 'pools' | 'logs' | 'events' | 'notify' | 'lifecycle_log'
>;

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const OPTIONS: KeysOf<ProcessmasterOptions> = {
  ...{ services: SERVICES, stateDirectory: PATH, directory: PATH, containment: CONTAINMENT, sock: PATH },
  ...{ environment: VARIABLES, settings: ANYTHING, log: FUNCTION },
};

/** What is in them is checked as in the master file. */
const SETTINGS: KeysOf<EmbeddedSettings> = {
  ...{ service_defaults: ANYTHING, vars: ANYTHING, pools: ANYTHING, logs: ANYTHING },
  ...{ events: ANYTHING, notify: ANYTHING, lifecycle_log: ANYTHING },
};

/**
 * A key of the master file that means nothing here, or that an option stands for, is refused, not passed over.
 * @throws ProcessmasterError with the code `invalid`
 */
export function checkOptions(options: ProcessmasterOptions): void {
  onlyKnown('option', options, OPTIONS);
  if (options.settings !== undefined) onlyKnown('setting', options.settings, SETTINGS);
}
