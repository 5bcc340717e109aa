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
    ]
  },
  "resources": {
    "max_cpu": "max",
    "max_memory": "max",
    "memory_high": "max",
    "max_swap": "max",
    "max_pids": "max"
  },
  "logs": {
    "hints": []
  }
};

/** The defaults of the master file, as they would be written in it. */
export const SETTING_DEFAULTS: Readonly<Record<string, unknown>> = {
  "config_directory": "./config.d",
  "sock_mode": "0660",
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
  "cluster": {
    "enabled": false,
    "name": "default",
    "expected_nodes": 1
  },
  "on_exit": "leave",
  "log": {
    "level": "info",
    "format": "auto"
  }
};
