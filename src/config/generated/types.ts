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
     * Appended to the command, also to a text of one word (`node`). For any other text they are `$0`, `$1`, … of the shell.
     */
    args?: (string | number | boolean)[];
    /**
     * Where the process starts; must exist then. Relative to the directory of the service file.
     */
    working_directory?: string;
    /**
     * Variables of the process, over those of `env_files`. A value `{file: path}` or `{base64: text}` is a secret: no output shows it. (Base64 only covers it: who reads the service file, or its copies below the state directory, has it.) The file of a secret is a regular file of at most 64 KiB that others than its owner and group cannot read; one newline at its end does not count.
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
     * Dotenv files: `NAME=value` lines, also after `export`; later ones win. Without quotes a value ends at a `#`; in quotes it is taken as it is, over several lines too, but for `\n` in double quotes, which is a line break. Any other line is an error. Relative to the directory of the service file. Their content counts as a change.
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
     * User name or number. Group and supplementary groups are this user's own unless set. A number that belongs to no user of the host stands for a user with the group of the same number, no other groups and / as home.
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
     * How long a stop may take before everything that is left is killed. A stop that is under way keeps the grace with which it began, whatever the file says by then; whoever cannot wait for it ends its processes by hand.
     */
    stop_grace?: string;
    /**
     * The same in milliseconds.
     */
    stop_grace_ms?: number;
    /**
     * What `pmctl reload` sends to the first process of each instance, so that it reads its files again. Without it, and without `reload_command`, a reload is a rolling replacement.
     */
    reload_signal?: string | number;
    /**
     * What `pmctl reload` runs for each instance, instead of a signal; same user, environment and cgroup as the process.
     *
     * @minItems 1
     */
    reload_command?: string | (string | number | boolean)[];
    /**
     * When a run is over: `main`, when its first process has ended; `empty`, when no process is left; `auto`, when the first process failed, or ended well and no process is left (so that a program may put itself into the background).
     */
    exit_on?: "auto" | "main" | "empty";
    /**
     * `oneshot`: runs to its end once and is then `completed`.
     */
    type?: "service" | "oneshot";
    /**
     * When it runs: started at each time of the calendar, and not kept running in between. A text stands for `{ cron: text }`.
     */
    schedule?:
      | string
      | {
          /**
           * Minute, hour, day of month, month and day of week as in crontab(5), seconds first when there are six fields; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
           */
          cron?: string;
          /**
           * Where the clock hangs: a name of the IANA time zone database.
           */
          timezone?: string;
          /**
           * The time has come and the last run still goes on. `skip`: this time is left out; `queue`: it runs right after, one at most waits; `replace`: the running one is stopped for it.
           */
          overlap?: "skip" | "queue" | "replace";
          /**
           * Times that passed while no daemon ran, but for one of the last 10 seconds, which is merely late. `skip`: they are left out; `once`: one run stands for all of them.
           */
          missed?: "skip" | "once";
          /**
           * A run starts up to this much later, by chance, but before the next time.
           */
          jitter?: string;
          /**
           * The same in milliseconds.
           */
          jitter_ms?: number;
          /**
           * Nothing runs before this instant (ISO 8601, with its offset from UTC).
           */
          not_before?: string;
          /**
           * Nothing starts after this instant, also not what was due before and waits for another service.
           */
          not_after?: string;
          /**
           * A run that takes longer is stopped as any other: by `stop_signal`, then `stop_grace`.
           */
          max_time_per_run?: string;
          /**
           * The same in milliseconds.
           */
          max_time_per_run_ms?: number;
        };
  };
  /**
   * How many of it run at the same time. `0` keeps the definition and runs none; `auto`: one for each CPU that the daemon may use.
   */
  instances?: number | string;
  /**
   * How new processes take over from old ones: the new one starts first and must be ready before its predecessor is told to stop.
   */
  rollout?: {
    /**
     * How many processes above `instances` may run meanwhile. `0`: an old one ends before its successor starts.
     */
    surge?: number;
    /**
     * How long an old process serves on beside its ready successor.
     */
    overlap?: string;
    /**
     * The same in milliseconds.
     */
    overlap_ms?: number;
    /**
     * A new process that is not ready by then has failed.
     */
    timeout?: string;
    /**
     * The same in milliseconds.
     */
    timeout_ms?: number;
    /**
     * How long a new process must have been ready without a break before it counts.
     */
    min_ready?: string;
    /**
     * The same in milliseconds.
     */
    min_ready_ms?: number;
    /**
     * The new version failed. `keep_old`: the old one serves on; `replace`: the new one takes its place all the same.
     */
    on_failure?: "keep_old" | "replace";
  };
  /**
   * The TCP port of the service; exported as `PORT` and `${port}`. `auto`: each instance gets a free one from `pools` of the master file. A foreign process that listens on it is named, never killed. With a fixed port `PROCESSMASTER_ENABLE_REUSEPORT=1` is exported too, unless `process.env` says otherwise: several processes of the service can share the port only when each of them, the first one included, listens with SO_REUSEPORT.
   */
  port?: number | string;
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
     * Wait before the next start; at least 100ms after the fifth clean end in a row within a second of the start.
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
     * How many restarts after a failure (an end with a code of `success_exit_codes` is none) are put up with before an instance is `failed`: it then stays down until somebody starts it, its file changes, or `retry_after` has passed.
     */
    tolerance?: {
      /**
       * This many failures within `duration` are tolerated; clean ends are not counted, so with `policy: always` they may go on for ever.
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
    /**
     * A process ends within 1.5 s of a start that a change (of its files or of its definition) or a `pmctl restart` caused. `restart`: that is a failure like any other; `wait_for_change`: it stays down until the next change. The end of the first start, or of a restart after an end, is always a failure like any other.
     */
    crash_on_start?: "restart" | "wait_for_change";
  };
  /**
   * How it is found out whether a process is well. Each probe asks by exactly one of `http`, `tcp` and `exec` (`startup` also by `log` or `fd`). In them `${name}`, `${instance}`, `${port}` and the other variables are filled in.
   */
  probes?: {
    /**
     * Has it come up? Until this probe has succeeded, the other two are not asked; when it fails, the process is stopped and `restart_policy` decides.
     */
    startup?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?:
        | string
        | {
            /**
             * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
             */
            url?: string;
            /**
             * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
             */
            path?: string;
            /**
             * Another port than that of the service; goes with `path`.
             */
            port?: number | string;
            /**
             * The method of the request.
             */
            method?: string;
            /**
             * Headers of the request.
             */
            headers?: {
              [k: string]: string | number | boolean;
            };
            /**
             * Which status means success: a number, a range, or a list of them.
             *
             * @minItems 1
             */
            status?: number | string | (number | string)[];
          };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?:
        | number
        | string
        | {
            /**
             * A name or an address.
             */
            host?: string;
            /**
             * The port to connect to; `${port}` is that of the service.
             */
            port?: number | string;
          };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | (string | number | boolean)[];
      /**
       * A regular expression (as in JavaScript); the probe has succeeded when a line of stdout matches that was written since the start. Instances share one log: where there are several, the line of any of them will do.
       */
      log?: string;
      /**
       * The number of a descriptor, open for the process to write to; the probe has succeeded when it writes a newline there.
       */
      fd?: number;
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval?: string;
      /**
       * The same in milliseconds.
       */
      interval_ms?: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout?: string;
      /**
       * The same in milliseconds.
       */
      timeout_ms?: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold?: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold?: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay?: string;
      /**
       * The same in milliseconds.
       */
      initial_delay_ms?: number;
    };
    /**
     * Can it serve now? While this probe fails, the instance is not ready: nothing that waits for it goes on, but it is left running.
     */
    readiness?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?:
        | string
        | {
            /**
             * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
             */
            url?: string;
            /**
             * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
             */
            path?: string;
            /**
             * Another port than that of the service; goes with `path`.
             */
            port?: number | string;
            /**
             * The method of the request.
             */
            method?: string;
            /**
             * Headers of the request.
             */
            headers?: {
              [k: string]: string | number | boolean;
            };
            /**
             * Which status means success: a number, a range, or a list of them.
             *
             * @minItems 1
             */
            status?: number | string | (number | string)[];
          };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?:
        | number
        | string
        | {
            /**
             * A name or an address.
             */
            host?: string;
            /**
             * The port to connect to; `${port}` is that of the service.
             */
            port?: number | string;
          };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | (string | number | boolean)[];
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval?: string;
      /**
       * The same in milliseconds.
       */
      interval_ms?: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout?: string;
      /**
       * The same in milliseconds.
       */
      timeout_ms?: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold?: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold?: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay?: string;
      /**
       * The same in milliseconds.
       */
      initial_delay_ms?: number;
    };
    /**
     * Is it alive? When this probe fails, the process is stopped and `restart_policy` decides.
     */
    liveness?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?:
        | string
        | {
            /**
             * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
             */
            url?: string;
            /**
             * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
             */
            path?: string;
            /**
             * Another port than that of the service; goes with `path`.
             */
            port?: number | string;
            /**
             * The method of the request.
             */
            method?: string;
            /**
             * Headers of the request.
             */
            headers?: {
              [k: string]: string | number | boolean;
            };
            /**
             * Which status means success: a number, a range, or a list of them.
             *
             * @minItems 1
             */
            status?: number | string | (number | string)[];
          };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?:
        | number
        | string
        | {
            /**
             * A name or an address.
             */
            host?: string;
            /**
             * The port to connect to; `${port}` is that of the service.
             */
            port?: number | string;
          };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | (string | number | boolean)[];
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval?: string;
      /**
       * The same in milliseconds.
       */
      interval_ms?: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout?: string;
      /**
       * The same in milliseconds.
       */
      timeout_ms?: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold?: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold?: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay?: string;
      /**
       * The same in milliseconds.
       */
      initial_delay_ms?: number;
    };
  };
  /**
   * Services that come first: a list of names, or a map from name to what that service must be: `started`, `ready` (its probes say so; without probes it runs) or `completed` (a oneshot that ended well). A list means `ready`. Services are stopped in the opposite order.
   */
  depends_on?:
    | string[]
    | {
        [k: string]: "started" | "ready" | "completed";
      };
  /**
   * Commands around the life of each process; with its user, environment, working directory and cgroup, their output in its logs. A text or a list stands for `{ command: … }`. A hook that is under way when the daemon ends is ended, at the latest by the next daemon, which runs `pre_start` and `pre_stop` anew; `post_start` and `post_stop` are not run again.
   */
  hooks?: {
    /**
     * Before the process starts; when it fails, the process is not started, and that counts as a failure of it.
     *
     * @minItems 1
     */
    pre_start?:
      | string
      | (string | number | boolean)[]
      | {
          /**
           * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
           *
           * @minItems 1
           */
          command?: string | (string | number | boolean)[];
          /**
           * A hook that takes longer has failed and is killed.
           */
          timeout?: string;
          /**
           * The same in milliseconds.
           */
          timeout_ms?: number;
        };
    /**
     * After the process has started.
     *
     * @minItems 1
     */
    post_start?:
      | string
      | (string | number | boolean)[]
      | {
          /**
           * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
           *
           * @minItems 1
           */
          command?: string | (string | number | boolean)[];
          /**
           * A hook that takes longer has failed and is killed.
           */
          timeout?: string;
          /**
           * The same in milliseconds.
           */
          timeout_ms?: number;
        };
    /**
     * Before `stop_command` or `stop_signal`.
     *
     * @minItems 1
     */
    pre_stop?:
      | string
      | (string | number | boolean)[]
      | {
          /**
           * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
           *
           * @minItems 1
           */
          command?: string | (string | number | boolean)[];
          /**
           * A hook that takes longer has failed and is killed.
           */
          timeout?: string;
          /**
           * The same in milliseconds.
           */
          timeout_ms?: number;
        };
    /**
     * After nothing of the process is left.
     *
     * @minItems 1
     */
    post_stop?:
      | string
      | (string | number | boolean)[]
      | {
          /**
           * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
           *
           * @minItems 1
           */
          command?: string | (string | number | boolean)[];
          /**
           * A hook that takes longer has failed and is killed.
           */
          timeout?: string;
          /**
           * The same in milliseconds.
           */
          timeout_ms?: number;
        };
  };
  /**
   * For development: a change of these files restarts the service. What changed is judged by content. A text or a list stands for `{ paths: … }`.
   *
   * @minItems 1
   */
  watch?:
    | string
    | string[]
    | {
        /**
         * Files and directories, with everything below them. Relative to `process.working_directory`.
         *
         * @minItems 1
         */
        paths?: string | string[];
        /**
         * What does not count: a name (`*.log`), a path below a watched one (`dist/**`), or an absolute path. `node_modules` and `.git` never count.
         */
        ignore?: string | string[];
        /**
         * How long the files must have been still before the service is restarted.
         */
        debounce?: string;
        /**
         * The same in milliseconds.
         */
        debounce_ms?: number;
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
     * Standard output is appended to this file; all instances share it, unless `${instance}` is in its name. A regular file, or `/dev/null`.
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
    /**
     * `time`: a new file for each period; `size`: whenever it has grown to `rotation_size`. Either way the process keeps its open file, and the active file its name.
     */
    rotation_mode?: "time" | "size";
    /**
     * Time mode: the period, by the clock of the host; weeks begin on Monday; `none`: no rotation.
     */
    rotation_frequency?: "minutely" | "hourly" | "daily" | "weekly" | "monthly" | "none";
    /**
     * Time mode: rotated files that were last written longer ago are removed; `never`: they stay.
     */
    rotation_max_age?: string;
    /**
     * The same in milliseconds.
     */
    rotation_max_age_ms?: number;
    /**
     * Size mode: how large the file may grow.
     */
    rotation_size?: string | number;
    /**
     * Size mode: how many rotated files stay; `0`: what is rotated is gone.
     */
    rotation_backups?: number;
    /**
     * Rotated files are compressed (gzip).
     */
    compress?: boolean;
    /**
     * Each line is repeated in the log of the daemon, as `[service] STDOUT: line`: for containers, where that is what is collected.
     */
    forward?: boolean;
    /**
     * A line in the stdout log tells of each start and each end of a process.
     */
    markers?: boolean;
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
     * Appended to the command, also to a text of one word (`node`). For any other text they are `$0`, `$1`, … of the shell.
     */
    args: string[];
    /**
     * Where the process starts; must exist then. Relative to the directory of the service file.
     */
    working_directory?: string;
    /**
     * Variables of the process, over those of `env_files`. A value `{file: path}` or `{base64: text}` is a secret: no output shows it. (Base64 only covers it: who reads the service file, or its copies below the state directory, has it.) The file of a secret is a regular file of at most 64 KiB that others than its owner and group cannot read; one newline at its end does not count.
     */
    env: {
      [k: string]: string | {file: string} | {base64: string};
    };
    /**
     * Dotenv files: `NAME=value` lines, also after `export`; later ones win. Without quotes a value ends at a `#`; in quotes it is taken as it is, over several lines too, but for `\n` in double quotes, which is a line break. Any other line is an error. Relative to the directory of the service file. Their content counts as a change.
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
     * User name or number. Group and supplementary groups are this user's own unless set. A number that belongs to no user of the host stands for a user with the group of the same number, no other groups and / as home.
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
     * How long a stop may take before everything that is left is killed. A stop that is under way keeps the grace with which it began, whatever the file says by then; whoever cannot wait for it ends its processes by hand.
     */
    stop_grace: number;
    /**
     * What `pmctl reload` sends to the first process of each instance, so that it reads its files again. Without it, and without `reload_command`, a reload is a rolling replacement.
     */
    reload_signal?: import("../../model/signals.ts").Signal;
    /**
     * What `pmctl reload` runs for each instance, instead of a signal; same user, environment and cgroup as the process.
     *
     * @minItems 1
     */
    reload_command?: string | string[];
    /**
     * When a run is over: `main`, when its first process has ended; `empty`, when no process is left; `auto`, when the first process failed, or ended well and no process is left (so that a program may put itself into the background).
     */
    exit_on: "auto" | "main" | "empty";
    /**
     * `oneshot`: runs to its end once and is then `completed`.
     */
    type: "service" | "oneshot";
    /**
     * When it runs: started at each time of the calendar, and not kept running in between. A text stands for `{ cron: text }`.
     */
    schedule?: {
      /**
       * Minute, hour, day of month, month and day of week as in crontab(5), seconds first when there are six fields; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
       */
      cron?: string;
      /**
       * Where the clock hangs: a name of the IANA time zone database.
       */
      timezone?: string;
      /**
       * The time has come and the last run still goes on. `skip`: this time is left out; `queue`: it runs right after, one at most waits; `replace`: the running one is stopped for it.
       */
      overlap: "skip" | "queue" | "replace";
      /**
       * Times that passed while no daemon ran, but for one of the last 10 seconds, which is merely late. `skip`: they are left out; `once`: one run stands for all of them.
       */
      missed: "skip" | "once";
      /**
       * A run starts up to this much later, by chance, but before the next time.
       */
      jitter: number;
      /**
       * Nothing runs before this instant (ISO 8601, with its offset from UTC).
       */
      not_before?: number;
      /**
       * Nothing starts after this instant, also not what was due before and waits for another service.
       */
      not_after?: number;
      /**
       * A run that takes longer is stopped as any other: by `stop_signal`, then `stop_grace`.
       */
      max_time_per_run?: number;
    };
  };
  /**
   * How many of it run at the same time. `0` keeps the definition and runs none; `auto`: one for each CPU that the daemon may use.
   */
  instances: number | string;
  /**
   * How new processes take over from old ones: the new one starts first and must be ready before its predecessor is told to stop.
   */
  rollout: {
    /**
     * How many processes above `instances` may run meanwhile. `0`: an old one ends before its successor starts.
     */
    surge?: number;
    /**
     * How long an old process serves on beside its ready successor.
     */
    overlap: number;
    /**
     * A new process that is not ready by then has failed.
     */
    timeout: number;
    /**
     * How long a new process must have been ready without a break before it counts.
     */
    min_ready: number;
    /**
     * The new version failed. `keep_old`: the old one serves on; `replace`: the new one takes its place all the same.
     */
    on_failure: "keep_old" | "replace";
  };
  /**
   * The TCP port of the service; exported as `PORT` and `${port}`. `auto`: each instance gets a free one from `pools` of the master file. A foreign process that listens on it is named, never killed. With a fixed port `PROCESSMASTER_ENABLE_REUSEPORT=1` is exported too, unless `process.env` says otherwise: several processes of the service can share the port only when each of them, the first one included, listens with SO_REUSEPORT.
   */
  port?: number | string;
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
     * Wait before the next start; at least 100ms after the fifth clean end in a row within a second of the start.
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
     * How many restarts after a failure (an end with a code of `success_exit_codes` is none) are put up with before an instance is `failed`: it then stays down until somebody starts it, its file changes, or `retry_after` has passed.
     */
    tolerance: {
      /**
       * This many failures within `duration` are tolerated; clean ends are not counted, so with `policy: always` they may go on for ever.
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
    /**
     * A process ends within 1.5 s of a start that a change (of its files or of its definition) or a `pmctl restart` caused. `restart`: that is a failure like any other; `wait_for_change`: it stays down until the next change. The end of the first start, or of a restart after an end, is always a failure like any other.
     */
    crash_on_start: "restart" | "wait_for_change";
  };
  /**
   * How it is found out whether a process is well. Each probe asks by exactly one of `http`, `tcp` and `exec` (`startup` also by `log` or `fd`). In them `${name}`, `${instance}`, `${port}` and the other variables are filled in.
   */
  probes: {
    /**
     * Has it come up? Until this probe has succeeded, the other two are not asked; when it fails, the process is stopped and `restart_policy` decides.
     */
    startup?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?: {
        /**
         * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
         */
        url?: string;
        /**
         * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
         */
        path?: string;
        /**
         * Another port than that of the service; goes with `path`.
         */
        port?: string;
        /**
         * The method of the request.
         */
        method: string;
        /**
         * Headers of the request.
         */
        headers: {
          [k: string]: string;
        };
        /**
         * Which status means success: a number, a range, or a list of them.
         *
         * @minItems 1
         */
        status: number | string | string[];
      };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?: {
        /**
         * A name or an address.
         */
        host?: string;
        /**
         * The port to connect to; `${port}` is that of the service.
         */
        port?: string;
      };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | string[];
      /**
       * A regular expression (as in JavaScript); the probe has succeeded when a line of stdout matches that was written since the start. Instances share one log: where there are several, the line of any of them will do.
       */
      log?: string;
      /**
       * The number of a descriptor, open for the process to write to; the probe has succeeded when it writes a newline there.
       */
      fd?: number;
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay: number;
    };
    /**
     * Can it serve now? While this probe fails, the instance is not ready: nothing that waits for it goes on, but it is left running.
     */
    readiness?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?: {
        /**
         * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
         */
        url?: string;
        /**
         * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
         */
        path?: string;
        /**
         * Another port than that of the service; goes with `path`.
         */
        port?: string;
        /**
         * The method of the request.
         */
        method: string;
        /**
         * Headers of the request.
         */
        headers: {
          [k: string]: string;
        };
        /**
         * Which status means success: a number, a range, or a list of them.
         *
         * @minItems 1
         */
        status: number | string | string[];
      };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?: {
        /**
         * A name or an address.
         */
        host?: string;
        /**
         * The port to connect to; `${port}` is that of the service.
         */
        port?: string;
      };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | string[];
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay: number;
    };
    /**
     * Is it alive? When this probe fails, the process is stopped and `restart_policy` decides.
     */
    liveness?: {
      /**
       * Send a request and judge the status of the answer; a redirect is not followed, a certificate not verified. A text stands for `{ url: text }`.
       */
      http?: {
        /**
         * Where to ask; what begins with `/` is a path at `http://127.0.0.1:${port}`.
         */
        url?: string;
        /**
         * Instead of `url`: a path at `http://127.0.0.1`, at the port of the service or `port`.
         */
        path?: string;
        /**
         * Another port than that of the service; goes with `path`.
         */
        port?: string;
        /**
         * The method of the request.
         */
        method: string;
        /**
         * Headers of the request.
         */
        headers: {
          [k: string]: string;
        };
        /**
         * Which status means success: a number, a range, or a list of them.
         *
         * @minItems 1
         */
        status: number | string | string[];
      };
      /**
       * Connect. A number or `host:port` stands for `{ port: … }`.
       */
      tcp?: {
        /**
         * A name or an address.
         */
        host?: string;
        /**
         * The port to connect to; `${port}` is that of the service.
         */
        port?: string;
      };
      /**
       * Run a command; exit code 0 is success. With the user, environment, working directory and cgroup of the process; what it started is killed with it at `timeout`.
       *
       * @minItems 1
       */
      exec?: string | string[];
      /**
       * From the begin of one probe to the begin of the next; at least 100ms. The probes of several services may be asked together, up to a hundredth of it (at most 100ms) early.
       */
      interval: number;
      /**
       * A probe without an answer by then has failed. Where the host is still looking up a name, nobody was asked: that is no failure.
       */
      timeout: number;
      /**
       * So many failures in a row count as failed.
       */
      failure_threshold: number;
      /**
       * So many successes in a row count as success; always 1 but for `readiness`.
       */
      success_threshold: number;
      /**
       * From the start of the process to the first probe.
       */
      initial_delay: number;
    };
  };
  /**
   * Services that come first: a list of names, or a map from name to what that service must be: `started`, `ready` (its probes say so; without probes it runs) or `completed` (a oneshot that ended well). A list means `ready`. Services are stopped in the opposite order.
   */
  depends_on:
    | string[]
    | {
        [k: string]: "started" | "ready" | "completed";
      };
  /**
   * Commands around the life of each process; with its user, environment, working directory and cgroup, their output in its logs. A text or a list stands for `{ command: … }`. A hook that is under way when the daemon ends is ended, at the latest by the next daemon, which runs `pre_start` and `pre_stop` anew; `post_start` and `post_stop` are not run again.
   */
  hooks: {
    /**
     * Before the process starts; when it fails, the process is not started, and that counts as a failure of it.
     */
    pre_start?: {
      /**
       * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
       *
       * @minItems 1
       */
      command?: string | string[];
      /**
       * A hook that takes longer has failed and is killed.
       */
      timeout: number;
    };
    /**
     * After the process has started.
     */
    post_start?: {
      /**
       * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
       *
       * @minItems 1
       */
      command?: string | string[];
      /**
       * A hook that takes longer has failed and is killed.
       */
      timeout: number;
    };
    /**
     * Before `stop_command` or `stop_signal`.
     */
    pre_stop?: {
      /**
       * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
       *
       * @minItems 1
       */
      command?: string | string[];
      /**
       * A hook that takes longer has failed and is killed.
       */
      timeout: number;
    };
    /**
     * After nothing of the process is left.
     */
    post_stop?: {
      /**
       * The program and its arguments as a list; or a text, which is given to `/bin/sh -c`.
       *
       * @minItems 1
       */
      command?: string | string[];
      /**
       * A hook that takes longer has failed and is killed.
       */
      timeout: number;
    };
  };
  /**
   * For development: a change of these files restarts the service. What changed is judged by content. A text or a list stands for `{ paths: … }`.
   */
  watch?: {
    /**
     * Files and directories, with everything below them. Relative to `process.working_directory`.
     *
     * @minItems 1
     */
    paths?: string | string[];
    /**
     * What does not count: a name (`*.log`), a path below a watched one (`dist/**`), or an absolute path. `node_modules` and `.git` never count.
     */
    ignore: string | string[];
    /**
     * How long the files must have been still before the service is restarted.
     */
    debounce: number;
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
     * Standard output is appended to this file; all instances share it, unless `${instance}` is in its name. A regular file, or `/dev/null`.
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
    /**
     * `time`: a new file for each period; `size`: whenever it has grown to `rotation_size`. Either way the process keeps its open file, and the active file its name.
     */
    rotation_mode: "time" | "size";
    /**
     * Time mode: the period, by the clock of the host; weeks begin on Monday; `none`: no rotation.
     */
    rotation_frequency: "minutely" | "hourly" | "daily" | "weekly" | "monthly" | "none";
    /**
     * Time mode: rotated files that were last written longer ago are removed; `never`: they stay.
     */
    rotation_max_age: number | null;
    /**
     * Size mode: how large the file may grow.
     */
    rotation_size: number;
    /**
     * Size mode: how many rotated files stay; `0`: what is rotated is gone.
     */
    rotation_backups: number;
    /**
     * Rotated files are compressed (gzip).
     */
    compress: boolean;
    /**
     * Each line is repeated in the log of the daemon, as `[service] STDOUT: line`: for containers, where that is what is collected.
     */
    forward: boolean;
    /**
     * A line in the stdout log tells of each start and each end of a process.
     */
    markers: boolean;
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
   * The same API over TCP, besides the control socket.
   */
  api?: {
    /**
     * Where it listens: `host:port`, `[address]:port`, or a port alone, which is then open to this host only. Port 0: any that is free; the log says which.
     */
    listen?: string | number;
    /**
     * The certificate to answer with; read again at SIGHUP. Without one, nothing but an address of this host is listened at.
     */
    tls?: {
      /**
       * The certificate in PEM, followed by those that lead to its root.
       */
      cert?: string;
      /**
       * Its private key in PEM; others must not be able to read it.
       */
      key?: string;
    };
    /**
     * The file with the hashes of the tokens that open it, as `pmctl token new` writes it; it is read again when it changes.
     */
    tokens?: string;
    /**
     * Further names that a client may call this host by, with a port or for every port; the address in `listen` and `localhost` are among them.
     */
    allowed_hosts?: string[];
    /**
     * `true`: it may be reached from other hosts without TLS, so that whoever listens on the way reads the tokens. Only for a network that is encrypted by itself.
     */
    insecure?: boolean;
  };
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
     * A change that would stop more than this share of the services, in percent, waits for `--prune`; removals within a minute count together. Removing a single one does not wait, unless no file is left.
     */
    max_percent?: number;
  };
  /**
   * A service definition that is merged under every service: maps key by key, lists and the value of a variable as a whole. Paths in it are relative to the master file; those of logs are, as everywhere, relative to the working directory of the service.
   */
  service_defaults?: {};
  /**
   * Values for `${vars.NAME}` in service files.
   */
  vars?: {
    [k: string]: string | number | boolean;
  };
  /**
   * What the daemon hands out to services.
   */
  pools?: {
    /**
     * The first port for `port: auto`.
     */
    start_port?: number;
    /**
     * The last one.
     */
    end_port?: number;
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
     * Where it is written; opened afresh at SIGHUP.
     */
    file?: string;
    /**
     * `pretty` for people, `json` for programs, `auto`: pretty on a terminal.
     */
    format?: "auto" | "pretty" | "json";
  };
  /**
   * The states that were applied, kept in the state directory for `pmctl history` and `pmctl rollback`.
   */
  history?: {
    /**
     * How many are kept; the last that converged stays in any case.
     */
    max_snapshots?: number;
  };
  /**
   * Following a Git remote, where the configuration directory lies in a checkout.
   */
  sync?: {
    /**
     * How often the checkout is brought to the newest commit of its branch without being asked, as `pmctl sync` does it; `never`: only when asked.
     */
    interval?: string;
    /**
     * The same in milliseconds.
     */
    interval_ms?: number;
    /**
     * What becomes of the rest of a new commit when a service of it fails: `stop` begins nothing more, `rollback` goes back to what was in force before, `continue` goes on. The first two leave the daemon frozen until a newer commit is there. `pmctl sync --on-failure` says otherwise for once.
     */
    on_failure?: "stop" | "rollback" | "continue";
  };
  /**
   * The journal of what happened, kept in the state directory for `pmctl events` and `GET /api/events`.
   */
  events?: {
    /**
     * What it may take altogether; beyond it the oldest fifth goes.
     */
    max_size?: string | number;
  };
  /**
   * Who is told when something has gone wrong, and when it is right again: each entry is a `url` or a `command`.
   *
   * @maxItems 20
   */
  notify?: {
    /**
     * A webhook, `http://` or `https://`: each message is sent to it by POST, as JSON. No redirect is followed.
     */
    url?: string;
    /**
     * The file of a secret that messages to a webhook are signed with (HMAC-SHA256); others must not be able to read it. Read for each message.
     */
    secret_file?: string;
    /**
     * A program with its arguments, as the user of the daemon: each message comes on standard input as JSON, and in `PROCESSMASTER_NOTIFY_*` variables.
     *
     * @minItems 1
     */
    command?: string[];
    /**
     * Which messages it gets.
     *
     * @minItems 1
     */
    events?: (
      | "failed"
      | "recovered"
      | "rolled_back"
      | "configuration_invalid"
      | "configuration_fixed"
      | "prune_held"
      | "prune_released"
    )[];
    /**
     * How long one attempt may take; a command is killed then.
     */
    timeout?: string;
    /**
     * The same in milliseconds.
     */
    timeout_ms?: number;
  }[];
  /**
   * The logs of the services.
   */
  logs?: {
    /**
     * What the rotated files of all services may take together; beyond it the oldest ones of those that use most go first. `max`: no limit.
     */
    max_total_size?: string | number;
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
   * The same API over TCP, besides the control socket.
   */
  api: {
    /**
     * Where it listens: `host:port`, `[address]:port`, or a port alone, which is then open to this host only. Port 0: any that is free; the log says which.
     */
    listen?: string;
    /**
     * The certificate to answer with; read again at SIGHUP. Without one, nothing but an address of this host is listened at.
     */
    tls: {
      /**
       * The certificate in PEM, followed by those that lead to its root.
       */
      cert?: string;
      /**
       * Its private key in PEM; others must not be able to read it.
       */
      key?: string;
    };
    /**
     * The file with the hashes of the tokens that open it, as `pmctl token new` writes it; it is read again when it changes.
     */
    tokens?: string;
    /**
     * Further names that a client may call this host by, with a port or for every port; the address in `listen` and `localhost` are among them.
     */
    allowed_hosts: string[];
    /**
     * `true`: it may be reached from other hosts without TLS, so that whoever listens on the way reads the tokens. Only for a network that is encrypted by itself.
     */
    insecure: boolean;
  };
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
     * A change that would stop more than this share of the services, in percent, waits for `--prune`; removals within a minute count together. Removing a single one does not wait, unless no file is left.
     */
    max_percent: number;
  };
  /**
   * A service definition that is merged under every service: maps key by key, lists and the value of a variable as a whole. Paths in it are relative to the master file; those of logs are, as everywhere, relative to the working directory of the service.
   */
  service_defaults: {};
  /**
   * Values for `${vars.NAME}` in service files.
   */
  vars: {
    [k: string]: string;
  };
  /**
   * What the daemon hands out to services.
   */
  pools: {
    /**
     * The first port for `port: auto`.
     */
    start_port: number;
    /**
     * The last one.
     */
    end_port: number;
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
     * Where it is written; opened afresh at SIGHUP.
     */
    file?: string;
    /**
     * `pretty` for people, `json` for programs, `auto`: pretty on a terminal.
     */
    format: "auto" | "pretty" | "json";
  };
  /**
   * The states that were applied, kept in the state directory for `pmctl history` and `pmctl rollback`.
   */
  history: {
    /**
     * How many are kept; the last that converged stays in any case.
     */
    max_snapshots: number;
  };
  /**
   * Following a Git remote, where the configuration directory lies in a checkout.
   */
  sync: {
    /**
     * How often the checkout is brought to the newest commit of its branch without being asked, as `pmctl sync` does it; `never`: only when asked.
     */
    interval: number | null;
    /**
     * What becomes of the rest of a new commit when a service of it fails: `stop` begins nothing more, `rollback` goes back to what was in force before, `continue` goes on. The first two leave the daemon frozen until a newer commit is there. `pmctl sync --on-failure` says otherwise for once.
     */
    on_failure: "stop" | "rollback" | "continue";
  };
  /**
   * The journal of what happened, kept in the state directory for `pmctl events` and `GET /api/events`.
   */
  events: {
    /**
     * What it may take altogether; beyond it the oldest fifth goes.
     */
    max_size: number;
  };
  /**
   * Who is told when something has gone wrong, and when it is right again: each entry is a `url` or a `command`.
   *
   * @maxItems 20
   */
  notify: {
    /**
     * A webhook, `http://` or `https://`: each message is sent to it by POST, as JSON. No redirect is followed.
     */
    url?: string;
    /**
     * The file of a secret that messages to a webhook are signed with (HMAC-SHA256); others must not be able to read it. Read for each message.
     */
    secret_file?: string;
    /**
     * A program with its arguments, as the user of the daemon: each message comes on standard input as JSON, and in `PROCESSMASTER_NOTIFY_*` variables.
     *
     * @minItems 1
     */
    command?: string[];
    /**
     * Which messages it gets.
     *
     * @minItems 1
     */
    events?: (
      | "failed"
      | "recovered"
      | "rolled_back"
      | "configuration_invalid"
      | "configuration_fixed"
      | "prune_held"
      | "prune_released"
    )[];
    /**
     * How long one attempt may take; a command is killed then.
     */
    timeout?: number;
  }[];
  /**
   * The logs of the services.
   */
  logs: {
    /**
     * What the rotated files of all services may take together; beyond it the oldest ones of those that use most go first. `max`: no limit.
     */
    max_total_size: number | null;
  };
}
