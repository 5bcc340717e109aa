/** What does the master file say once every default is filled in? */
import type { NotifySink } from './notification.ts';

/** Normalised `config.yaml`: absolute paths, milliseconds, bytes, thousandths of a core; null for no limit. */
export interface Settings {
  /** The master file itself, absolute; null when none was found and the defaults rule. */
  readonly file: string | null;
  readonly config_directory: string;
  readonly state_directory: string;
  readonly sock_path: string;
  readonly sock_owner: string | null;
  readonly sock_group: string | null;
  /** For example 0o660. */
  readonly sock_mode: number;
  readonly api: ApiSettings;
  readonly containment: 'auto' | 'cgroup' | 'process_group';
  readonly cgroup_root: string | null;
  readonly cgroup_name: string;
  readonly cgroup_cpu_max: number | null;
  readonly cgroup_memory_max: number | null;
  readonly cgroup_memory_swap_max: number | null;
  readonly watch: { readonly enabled: boolean; readonly settle: number };
  readonly prune: { readonly max_percent: number };
  /** A raw service definition, merged under every service before it is validated. */
  readonly service_defaults: Readonly<Record<string, unknown>>;
  readonly vars: Readonly<Record<string, string>>;
  /** Ports for `port: auto`, both included; start_port <= end_port. */
  readonly pools: { readonly start_port: number; readonly end_port: number };
  readonly cluster: {
    readonly enabled: boolean;
    readonly name: string;
    readonly node_id: string;
    readonly expected_nodes: number;
  };
  readonly on_exit: 'leave' | 'stop';
  readonly lifecycle_log: string | null;
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
    readonly file: string | null;
    readonly format: 'auto' | 'pretty' | 'json';
  };
  /** Bytes; null for no limit. */
  readonly logs: { readonly max_total_size: number | null };
  /** Bytes. */
  readonly events: { readonly max_size: number };
  readonly notify: readonly NotifySink[];
  readonly history: { readonly max_snapshots: number };
  readonly sync: {
    /** Milliseconds; null: only when asked. */
    readonly interval: number | null;
    /** What becomes of the rest of a commit when a service of it fails. */
    readonly on_failure: 'stop' | 'rollback' | 'continue';
  };
}

/** The API over TCP. */
export interface ApiSettings {
  /** null: at the control socket alone. Port 0: any that is free. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Both or none where something is listened at. */
  readonly tls: { readonly cert: string | null; readonly key: string | null };
  /** The file of the tokens. null only where nothing is listened at. */
  readonly tokens: string | null;
  /** Lower case, `name` or `name:port`. */
  readonly allowed_hosts: readonly string[];
  readonly insecure: boolean;
}
