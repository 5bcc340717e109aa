// Generated from schemas/ by scripts/generate.mjs. Do not edit.

/** The defaults of the service file, as they would be written in it. */
export const SERVICE_DEFAULTS: Readonly<Record<string, unknown>> = {
  "description": "",
  "labels": {},
  "enabled": true,
  "process": {
    "args": [],
    "env": {},
    "env_files": [],
    "required_env": [],
    "inherit_env": false,
    "rlimits": {},
    "no_new_privileges": false,
    "stop_signal": "SIGTERM",
    "stop_grace": "30s",
    "exit_on": "auto",
    "type": "service"
  },
  "instances": 1,
  "rollout": {
    "overlap": "0s",
    "timeout": "60s",
    "min_ready": "0s",
    "on_failure": "keep_old"
  },
  "restart_policy": {
    "policy": "always",
    "restart_backoff": "1s",
    "jitter": 0,
    "stable_after": "5s",
    "tolerance": {
      "max_restarts": 3,
      "duration": "1m"
    },
    "success_exit_codes": [
      0
    ],
    "crash_on_start": "restart"
  },
  "probes": {},
  "depends_on": {},
  "hooks": {},
  "resources": {
    "max_cpu": "max",
    "max_memory": "max",
    "memory_high": "max",
    "max_swap": "max",
    "max_pids": "max"
  },
  "logs": {
    "hints": [],
    "rotation_mode": "time",
    "rotation_frequency": "daily",
    "rotation_max_age": "30d",
    "rotation_size": "10M",
    "rotation_backups": 10,
    "compress": false,
    "forward": false,
    "markers": false
  }
};

/** The maps of the service file that are there only where they are written: their shorter form, their defaults. */
export const OPTIONAL_MAPS: readonly {
  readonly at: readonly string[];
  /** Anything but a map stands for a map with this key. */
  readonly short: string | null;
  readonly defaults: Readonly<Record<string, unknown>>;
}[] = [
  {
    "at": [
      "process",
      "schedule"
    ],
    "short": "cron",
    "defaults": {
      "overlap": "skip",
      "missed": "skip",
      "jitter": "0s"
    }
  },
  {
    "at": [
      "probes",
      "startup"
    ],
    "short": null,
    "defaults": {
      "interval": "10s",
      "timeout": "5s",
      "failure_threshold": 3,
      "success_threshold": 1,
      "initial_delay": "0s"
    }
  },
  {
    "at": [
      "probes",
      "startup",
      "http"
    ],
    "short": "url",
    "defaults": {
      "method": "GET",
      "headers": {},
      "status": "200-399"
    }
  },
  {
    "at": [
      "probes",
      "startup",
      "tcp"
    ],
    "short": "port",
    "defaults": {}
  },
  {
    "at": [
      "probes",
      "readiness"
    ],
    "short": null,
    "defaults": {
      "interval": "10s",
      "timeout": "5s",
      "failure_threshold": 3,
      "success_threshold": 1,
      "initial_delay": "0s"
    }
  },
  {
    "at": [
      "probes",
      "readiness",
      "http"
    ],
    "short": "url",
    "defaults": {
      "method": "GET",
      "headers": {},
      "status": "200-399"
    }
  },
  {
    "at": [
      "probes",
      "readiness",
      "tcp"
    ],
    "short": "port",
    "defaults": {}
  },
  {
    "at": [
      "probes",
      "liveness"
    ],
    "short": null,
    "defaults": {
      "interval": "10s",
      "timeout": "5s",
      "failure_threshold": 3,
      "success_threshold": 1,
      "initial_delay": "0s"
    }
  },
  {
    "at": [
      "probes",
      "liveness",
      "http"
    ],
    "short": "url",
    "defaults": {
      "method": "GET",
      "headers": {},
      "status": "200-399"
    }
  },
  {
    "at": [
      "probes",
      "liveness",
      "tcp"
    ],
    "short": "port",
    "defaults": {}
  },
  {
    "at": [
      "hooks",
      "pre_start"
    ],
    "short": "command",
    "defaults": {
      "timeout": "30s"
    }
  },
  {
    "at": [
      "hooks",
      "post_start"
    ],
    "short": "command",
    "defaults": {
      "timeout": "30s"
    }
  },
  {
    "at": [
      "hooks",
      "pre_stop"
    ],
    "short": "command",
    "defaults": {
      "timeout": "30s"
    }
  },
  {
    "at": [
      "hooks",
      "post_stop"
    ],
    "short": "command",
    "defaults": {
      "timeout": "30s"
    }
  },
  {
    "at": [
      "watch"
    ],
    "short": "paths",
    "defaults": {
      "ignore": [],
      "debounce": "200ms"
    }
  }
];

/** The defaults of the master file, as they would be written in it. */
export const SETTING_DEFAULTS: Readonly<Record<string, unknown>> = {
  "config_directory": "./config.d",
  "sock_mode": "0660",
  "api": {
    "tls": {},
    "allowed_hosts": [],
    "insecure": false
  },
  "containment": "auto",
  "cgroup_name": "processmaster",
  "cgroup_cpu_max": "max",
  "cgroup_memory_max": "max",
  "cgroup_memory_swap_max": "max",
  "watch": {
    "enabled": true,
    "settle": "200ms"
  },
  "prune": {
    "max_percent": 30
  },
  "service_defaults": {},
  "vars": {},
  "pools": {
    "start_port": 4000,
    "end_port": 4099
  },
  "cluster": {
    "enabled": false,
    "name": "default",
    "expected_nodes": 1
  },
  "on_exit": "leave",
  "log": {
    "level": "info",
    "format": "auto"
  },
  "history": {
    "max_snapshots": 50
  },
  "sync": {
    "interval": "never",
    "on_failure": "stop"
  },
  "events": {
    "max_size": "50M"
  },
  "notify": [],
  "logs": {
    "max_total_size": "max"
  }
};
