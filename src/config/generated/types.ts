// Generated from schemas/ by scripts/generate.mjs. Do not edit.
/**
 * One service: `config.d/<name>.yaml`.
 */
export interface RawService {
  /**
   * What the service is called in every command. 1 to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first; `all` is reserved.
   */
  name?: string;
  /**
   * One sentence for people; shown by `pmctl status`.
   */
  description?: string;
  /**
   * Free words to select services by: `pmctl restart -l team=shop`.
   */
  labels?: {
    [k: string]: string | number | boolean;
  };
  /**
   * `false`: the loop does not start it, and stops what runs.
   */
  enabled?: boolean;
  /**
   * What to run, as whom, and how it ends.
   */
  process: {
    /**
     * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
     *
     * @minItems 1
     */
    command: string | (string | number | boolean)[];
    /**
     * Appended to the command. For a command given as text they are `$0`, `$1`, … of the shell.
     */
    args?: (string | number | boolean)[];
    /**
     * Where the process starts; must exist then. Relative to the directory of the service file.
     */
    working_directory?: string;
    /**
     * Variables of the process, over those of `env_files`. A value `{file: path}` or `{base64: text}` is a secret: shown nowhere. The file of a secret is a regular file of at most 64 KiB that others than its owner and group cannot read; one newline at its end does not count.
     */
    env?: {
      [k: string]:
        | string
        | number
        | boolean
        | {
            /**
             * Path of a file that holds the value.
             */
            file?: string;
            /**
             * The value in base64 (RFC 4648).
             */
            base64?: string;
          };
    };
    /**
     * Dotenv files (`NAME=value` lines), later ones win. Relative to the directory of the service file. Their content counts as a change.
     */
    env_files?: string[];
    /**
     * Variables that must be set and not empty at start; the error lists all that are missing.
     */
    required_env?: string[];
    /**
     * `true`: everything in the daemon's environment; a list: these names. Otherwise only PATH, HOME, USER, LOGNAME, SHELL and LANG are set.
     */
    inherit_env?: boolean | string[];
    /**
     * User name or number. Group and supplementary groups are this user's own unless set.
     */
    user?: string | number;
    /**
     * Group name or number.
     */
    group?: string | number;
    /**
     * The complete list of further groups; `[]` for none.
     */
    supplementary_groups?: (string | number)[];
    /**
     * File mode creation mask in octal digits.
     */
    umask?: string | number;
    /**
     * Scheduling priority, -20 (first) to 19 (last). Below 0 needs root.
     */
    nice?: number;
    /**
     * Limits of each process, by their names in prlimit(1). One value sets soft and hard limit; `unlimited` removes it.
     */
    rlimits?: {
      [k: string]:
        | number
        | string
        | {
            /**
             * The limit in force.
             */
            soft: number | string;
            /**
             * What the process may raise it to.
             */
            hard: number | string;
          };
    };
    /**
     * -1000 (never killed when memory runs out) to 1000 (killed first). Below 0 needs root.
     */
    oom_score_adjust?: number;
    /**
     * `true`: no set-user-id program gains anything for this process (PR_SET_NO_NEW_PRIVS).
     */
    no_new_privileges?: boolean;
    /**
     * Sent to every process of the run to stop it.
     */
    stop_signal?: string | number;
    /**
     * Run first, instead of the signal; same user, environment and cgroup as the process. When it fails, `stop_signal` is sent at once; after exit code 0 no signal is sent, and what still runs when `stop_grace` is over is killed.
     *
     * @minItems 1
     */
    stop_command?: string | (string | number | boolean)[];
    /**
     * How long a stop may take before everything that is left is killed.
     */
    stop_grace?: string;
    /**
     * The same in milliseconds.
     */
    stop_grace_ms?: number;
    /**
     * When a run is over: `main`, when its first process has ended; `empty`, when no process is left; `auto`, when the first process failed, or ended well and no process is left (so that a program may put itself into the background).
     */
    exit_on?: "auto" | "main" | "empty";
    /**
     * `oneshot`: runs to its end once and is then `completed`.
     */
    type?: "service" | "oneshot";
  };
  /**
   * How many of it run at the same time. `0` keeps the definition and runs none.
   */
  instances?: number;
  /**
   * The TCP port of the service; exported as `PORT` and `${port}`. A foreign process that listens on it is named, never killed.
   */
  port?: number;
  /**
   * A file that the service itself writes its process id to. A stale one is removed only after it was made sure that no such process of the service lives. Relative to the directory of the service file.
   */
  pid_file?: string;
  /**
   * What happens when a process ends by itself.
   */
  restart_policy?: {
    /**
     * `always`: it is started again; `on_failure`: only after a failure; `never`: it stays down.
     */
    policy?: "always" | "on_failure" | "never";
    /**
     * Wait before the next start.
     */
    restart_backoff?: string;
    /**
     * The same in milliseconds.
     */
    restart_backoff_ms?: number;
    /**
     * When larger than `restart_backoff`, the wait doubles with each start in a row, up to this.
     */
    max_backoff?: string;
    /**
     * The same in milliseconds.
     */
    max_backoff_ms?: number;
    /**
     * Share of the wait that chance may add, 0 to 1, so that many services do not start at once.
     */
    jitter?: number;
    /**
     * After this much uptime the wait starts small again.
     */
    stable_after?: string;
    /**
     * The same in milliseconds.
     */
    stable_after_ms?: number;
    /**
     * How many restarts are put up with before an instance is `failed`: it then stays down until somebody starts it, its file changes, or `retry_after` has passed.
     */
    tolerance?: {
      /**
       * This many restarts within `duration` are tolerated.
       */
      max_restarts?: number;
      /**
       * The window that `max_restarts` counts in.
       */
      duration?: string;
      /**
       * The same in milliseconds.
       */
      duration_ms?: number;
      /**
       * A failed instance is tried again after this time; `never` says so openly.
       */
      retry_after?: string;
      /**
       * The same in milliseconds.
       */
      retry_after_ms?: number;
    };
    /**
     * Exit codes that are no failure.
     */
    success_exit_codes?: number[];
  };
  /**
   * Limits of the whole service, all instances together; written to its cgroup at once. `max`, or the key removed: no limit.
   */
  resources?: {
    /**
     * CPU time (cpu.max); at least 10m, the least that the kernel takes.
     */
    max_cpu?: string | number;
    /**
     * Memory; above it the service is killed by the kernel (memory.max).
     */
    max_memory?: string | number;
    /**
     * Memory; above it the service is slowed down (memory.high).
     */
    memory_high?: string | number;
    /**
     * Swap; `0` for none (memory.swap.max).
     */
    max_swap?: string | number;
    /**
     * Processes and threads (pids.max).
     */
    max_pids?: number | string;
    /**
     * Share of CPU time when there is too little, 1 to 10000; the kernel's own is 100 (cpu.weight).
     */
    cpu_weight?: number;
    /**
     * Share of disk time when there is too little, 1 to 10000; the kernel's own is 100 (io.weight).
     */
    io_weight?: number;
  };
  /**
   * Where output goes. Relative paths are relative to `process.working_directory`.
   */
  logs?: {
    /**
     * Standard output is appended to this file; all instances share it.
     */
    stdout?: string;
    /**
     * Standard error; may be the same file as `stdout`.
     */
    stderr?: string;
    /**
     * Further files that the service writes itself; `pmctl logs` shows them.
     */
    hints?: string[];
    /**
     * Where standard output of `process.stop_command` goes.
     */
    stop_command_stdout?: string;
    /**
     * Where standard error of `process.stop_command` goes.
     */
    stop_command_stderr?: string;
  };
}

/**
 * One service: `config.d/<name>.yaml`.
 */
export interface CompleteService {
  /**
   * What the service is called in every command. 1 to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first; `all` is reserved.
   */
  name?: string;
  /**
   * One sentence for people; shown by `pmctl status`.
   */
  description: string;
  /**
   * Free words to select services by: `pmctl restart -l team=shop`.
   */
  labels: {
    [k: string]: string;
  };
  /**
   * `false`: the loop does not start it, and stops what runs.
   */
  enabled: boolean;
  /**
   * What to run, as whom, and how it ends.
   */
  process: {
    /**
     * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
     *
     * @minItems 1
     */
    command: string | string[];
    /**
     * Appended to the command. For a command given as text they are `$0`, `$1`, … of the shell.
     */
    args: string[];
    /**
     * Where the process starts; must exist then. Relative to the directory of the service file.
     */
    working_directory?: string;
    /**
     * Variables of the process, over those of `env_files`. A value `{file: path}` or `{base64: text}` is a secret: shown nowhere. The file of a secret is a regular file of at most 64 KiB that others than its owner and group cannot read; one newline at its end does not count.
     */
    env: {
      [k: string]: string | {file: string} | {base64: string};
    };
    /**
     * Dotenv files (`NAME=value` lines), later ones win. Relative to the directory of the service file. Their content counts as a change.
     */
    env_files: string[];
    /**
     * Variables that must be set and not empty at start; the error lists all that are missing.
     */
    required_env: string[];
    /**
     * `true`: everything in the daemon's environment; a list: these names. Otherwise only PATH, HOME, USER, LOGNAME, SHELL and LANG are set.
     */
    inherit_env: boolean | string[];
    /**
     * User name or number. Group and supplementary groups are this user's own unless set.
     */
    user?: string;
    /**
     * Group name or number.
     */
    group?: string;
    /**
     * The complete list of further groups; `[]` for none.
     */
    supplementary_groups?: string[];
    /**
     * File mode creation mask in octal digits.
     */
    umask?: number;
    /**
     * Scheduling priority, -20 (first) to 19 (last). Below 0 needs root.
     */
    nice?: number;
    /**
     * Limits of each process, by their names in prlimit(1). One value sets soft and hard limit; `unlimited` removes it.
     */
    rlimits: {
      [k: string]: number | null | {soft: number | null; hard: number | null};
    };
    /**
     * -1000 (never killed when memory runs out) to 1000 (killed first). Below 0 needs root.
     */
    oom_score_adjust?: number;
    /**
     * `true`: no set-user-id program gains anything for this process (PR_SET_NO_NEW_PRIVS).
     */
    no_new_privileges: boolean;
    /**
     * Sent to every process of the run to stop it.
     */
    stop_signal: import("../../model/signals.ts").Signal;
    /**
     * Run first, instead of the signal; same user, environment and cgroup as the process. When it fails, `stop_signal` is sent at once; after exit code 0 no signal is sent, and what still runs when `stop_grace` is over is killed.
     *
     * @minItems 1
     */
    stop_command?: string | string[];
    /**
     * How long a stop may take before everything that is left is killed.
     */
    stop_grace: number;
    /**
     * When a run is over: `main`, when its first process has ended; `empty`, when no process is left; `auto`, when the first process failed, or ended well and no process is left (so that a program may put itself into the background).
     */
    exit_on: "auto" | "main" | "empty";
    /**
     * `oneshot`: runs to its end once and is then `completed`.
     */
    type: "service" | "oneshot";
  };
  /**
   * How many of it run at the same time. `0` keeps the definition and runs none.
   */
  instances: number;
  /**
   * The TCP port of the service; exported as `PORT` and `${port}`. A foreign process that listens on it is named, never killed.
   */
  port?: number;
  /**
   * A file that the service itself writes its process id to. A stale one is removed only after it was made sure that no such process of the service lives. Relative to the directory of the service file.
   */
  pid_file?: string;
  /**
   * What happens when a process ends by itself.
   */
  restart_policy: {
    /**
     * `always`: it is started again; `on_failure`: only after a failure; `never`: it stays down.
     */
    policy: "always" | "on_failure" | "never";
    /**
     * Wait before the next start.
     */
    restart_backoff: number;
    /**
     * When larger than `restart_backoff`, the wait doubles with each start in a row, up to this.
     */
    max_backoff?: number;
    /**
     * Share of the wait that chance may add, 0 to 1, so that many services do not start at once.
     */
    jitter: number;
    /**
     * After this much uptime the wait starts small again.
     */
    stable_after: number;
    /**
     * How many restarts are put up with before an instance is `failed`: it then stays down until somebody starts it, its file changes, or `retry_after` has passed.
     */
    tolerance: {
      /**
       * This many restarts within `duration` are tolerated.
       */
      max_restarts: number;
      /**
       * The window that `max_restarts` counts in.
       */
      duration: number;
      /**
       * A failed instance is tried again after this time; `never` says so openly.
       */
      retry_after?: number | null;
    };
    /**
     * Exit codes that are no failure.
     */
    success_exit_codes: number[];
  };
  /**
   * Limits of the whole service, all instances together; written to its cgroup at once. `max`, or the key removed: no limit.
   */
  resources: {
    /**
     * CPU time (cpu.max); at least 10m, the least that the kernel takes.
     */
    max_cpu: number | null;
    /**
     * Memory; above it the service is killed by the kernel (memory.max).
     */
    max_memory: number | null;
    /**
     * Memory; above it the service is slowed down (memory.high).
     */
    memory_high: number | null;
    /**
     * Swap; `0` for none (memory.swap.max).
     */
    max_swap: number | null;
    /**
     * Processes and threads (pids.max).
     */
    max_pids: number | null;
    /**
     * Share of CPU time when there is too little, 1 to 10000; the kernel's own is 100 (cpu.weight).
     */
    cpu_weight?: number;
    /**
     * Share of disk time when there is too little, 1 to 10000; the kernel's own is 100 (io.weight).
     */
    io_weight?: number;
  };
  /**
   * Where output goes. Relative paths are relative to `process.working_directory`.
   */
  logs: {
    /**
     * Standard output is appended to this file; all instances share it.
     */
    stdout?: string;
    /**
     * Standard error; may be the same file as `stdout`.
     */
    stderr?: string;
    /**
     * Further files that the service writes itself; `pmctl logs` shows them.
     */
    hints: string[];
    /**
     * Where standard output of `process.stop_command` goes.
     */
    stop_command_stdout?: string;
    /**
     * Where standard error of `process.stop_command` goes.
     */
    stop_command_stderr?: string;
  };
}

/**
 * The master file: `config.yaml`. Every key has a default, so the file itself is optional.
 */
export interface RawSettings {
  /**
   * Where the service files are.
   */
  config_directory?: string;
  /**
   * What must outlive the daemon: intent, history, the last good definitions.
   */
  state_directory?: string;
  /**
   * The control socket; at most 107 bytes, as unix(7) demands.
   */
  sock_path?: string;
  /**
   * Owner of the control socket; another user than the daemon's needs root.
   */
  sock_owner?: string | number;
  /**
   * Group of the control socket; its members may give commands.
   */
  sock_group?: string | number;
  /**
   * Permissions of the control socket, in octal digits: `660`, `0660`, `"0660"` and `0o660` all mean rw-rw----. Nothing for others.
   */
  sock_mode?: string | number;
  /**
   * What keeps the processes of a run together: `cgroup`, `process_group` (weaker), or `auto`: cgroups where the host allows.
   */
  containment?: "auto" | "cgroup" | "process_group";
  /**
   * Directory of the cgroup2 file system below which the daemon makes its own.
   */
  cgroup_root?: string;
  /**
   * Name of the daemon's cgroup below `cgroup_root`: 1 to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first.
   */
  cgroup_name?: string;
  /**
   * CPU time of the daemon and all services together; `max` for no limit.
   */
  cgroup_cpu_max?: string | number;
  /**
   * Memory of the daemon and all services together; `max` for no limit.
   */
  cgroup_memory_max?: string | number;
  /**
   * Swap of the daemon and all services together; `max` for no limit, `0` for none.
   */
  cgroup_memory_swap_max?: string | number;
  /**
   * Following the files.
   */
  watch?: {
    /**
     * `true`: a changed service file is followed at once; `false`: only `pmctl update` looks.
     */
    enabled?: boolean;
    /**
     * How long the files must have been still before they are read.
     */
    settle?: string;
    /**
     * The same in milliseconds.
     */
    settle_ms?: number;
  };
  /**
   * Protection against a directory that lost its files by accident.
   */
  prune?: {
    /**
     * A change that would stop more than this share of the services, in percent, waits for `--prune`; removals within a minute count together.
     */
    max_percent?: number;
  };
  /**
   * A service definition that is merged under every service: maps key by key, lists as a whole. Paths in it are relative to the master file.
   */
  service_defaults?: {};
  /**
   * Values for `${vars.NAME}` in service files.
   */
  vars?: {
    [k: string]: string | number | boolean;
  };
  /**
   * Words about the cluster that this host is part of; exported to every service.
   */
  cluster?: {
    /**
     * Whether this host is part of a cluster.
     */
    enabled?: boolean;
    /**
     * The name of the cluster.
     */
    name?: string;
    /**
     * The name of this host in the cluster.
     */
    node_id?: string;
    /**
     * How many hosts the cluster should have.
     */
    expected_nodes?: number;
  };
  /**
   * What SIGTERM and SIGINT do to the services: `leave` them for the next daemon, or `stop` them. As process 1 of a container they are always stopped.
   */
  on_exit?: "leave" | "stop";
  /**
   * A file that the lifecycle lines are copied to.
   */
  lifecycle_log?: string;
  /**
   * The daemon's own log.
   */
  log?: {
    /**
     * The least important messages that are written.
     */
    level?: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
    /**
     * Where it is written.
     */
    file?: string;
    /**
     * `pretty` for people, `json` for programs, `auto`: pretty on a terminal.
     */
    format?: "auto" | "pretty" | "json";
  };
}

/**
 * The master file: `config.yaml`. Every key has a default, so the file itself is optional.
 */
export interface CompleteSettings {
  /**
   * Where the service files are.
   */
  config_directory: string;
  /**
   * What must outlive the daemon: intent, history, the last good definitions.
   */
  state_directory?: string;
  /**
   * The control socket; at most 107 bytes, as unix(7) demands.
   */
  sock_path?: string;
  /**
   * Owner of the control socket; another user than the daemon's needs root.
   */
  sock_owner?: string;
  /**
   * Group of the control socket; its members may give commands.
   */
  sock_group?: string;
  /**
   * Permissions of the control socket, in octal digits: `660`, `0660`, `"0660"` and `0o660` all mean rw-rw----. Nothing for others.
   */
  sock_mode: number;
  /**
   * What keeps the processes of a run together: `cgroup`, `process_group` (weaker), or `auto`: cgroups where the host allows.
   */
  containment: "auto" | "cgroup" | "process_group";
  /**
   * Directory of the cgroup2 file system below which the daemon makes its own.
   */
  cgroup_root?: string;
  /**
   * Name of the daemon's cgroup below `cgroup_root`: 1 to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first.
   */
  cgroup_name: string;
  /**
   * CPU time of the daemon and all services together; `max` for no limit.
   */
  cgroup_cpu_max: number | null;
  /**
   * Memory of the daemon and all services together; `max` for no limit.
   */
  cgroup_memory_max: number | null;
  /**
   * Swap of the daemon and all services together; `max` for no limit, `0` for none.
   */
  cgroup_memory_swap_max: number | null;
  /**
   * Following the files.
   */
  watch: {
    /**
     * `true`: a changed service file is followed at once; `false`: only `pmctl update` looks.
     */
    enabled: boolean;
    /**
     * How long the files must have been still before they are read.
     */
    settle: number;
  };
  /**
   * Protection against a directory that lost its files by accident.
   */
  prune: {
    /**
     * A change that would stop more than this share of the services, in percent, waits for `--prune`; removals within a minute count together.
     */
    max_percent: number;
  };
  /**
   * A service definition that is merged under every service: maps key by key, lists as a whole. Paths in it are relative to the master file.
   */
  service_defaults: {};
  /**
   * Values for `${vars.NAME}` in service files.
   */
  vars: {
    [k: string]: string;
  };
  /**
   * Words about the cluster that this host is part of; exported to every service.
   */
  cluster: {
    /**
     * Whether this host is part of a cluster.
     */
    enabled: boolean;
    /**
     * The name of the cluster.
     */
    name: string;
    /**
     * The name of this host in the cluster.
     */
    node_id?: string;
    /**
     * How many hosts the cluster should have.
     */
    expected_nodes: number;
  };
  /**
   * What SIGTERM and SIGINT do to the services: `leave` them for the next daemon, or `stop` them. As process 1 of a container they are always stopped.
   */
  on_exit: "leave" | "stop";
  /**
   * A file that the lifecycle lines are copied to.
   */
  lifecycle_log?: string;
  /**
   * The daemon's own log.
   */
  log: {
    /**
     * The least important messages that are written.
     */
    level: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
    /**
     * Where it is written.
     */
    file?: string;
    /**
     * `pretty` for people, `json` for programs, `auto`: pretty on a terminal.
     */
    format: "auto" | "pretty" | "json";
  };
}
