/** Which systemd unit keeps a daemon running without ever touching its services? */
import { dirname } from 'node:path';
import type { Settings } from '../model/settings.ts';

export interface UnitFacts {
  /** `user`: for the user manager of one user. */
  readonly manager: 'system' | 'user';
  /** The argv that starts the daemon; the first word and all files absolute. */
  readonly daemon: readonly string[];
  /** The argv of pmctl, likewise. */
  readonly pmctl: readonly string[];
  /** The master file. */
  readonly config: string;
  readonly settings: Pick<Settings, 'state_directory' | 'sock_path' | 'containment' | 'cgroup_root'>;
  /** Where the cgroup2 file system is mounted; null where there is none. */
  readonly cgroups: string | null;
}

/** What systemd gives to services of the host as PATH (systemd.exec(5), "Environment variables in spawned processes"). */
const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Longest time that services have for their end when the host goes down; below the bound of systemd. */
const GOING_DOWN = '4m';

/** The whole text of the unit file: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5). */
export function systemdUnit(facts: UnitFacts): string {
  const { manager, daemon, config } = facts;
  const ofSystem = manager === 'system';
  return `${[
    '# Written by: pmctl install-unit',
    '[Unit]',
    'Description=processmaster, the process manager',
    'Documentation=man:processmaster(8) man:pmctl(1)',
    ...(ofSystem ? ['After=network-online.target remote-fs.target', 'Wants=network-online.target'] : []),
    '# Tried again for ever: what runs is not affected by a daemon that is away, but nobody would look after it.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${[...daemon, '--config', config].map(word).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    '# Restarting the unit touches no service. Only when the whole host goes down are they stopped in order, with their',
    '# own stop commands and grace, before systemd would kill them.',
    `ExecStop=-/bin/sh -c ${word(stopScript(facts))}`,
    'TimeoutStopSec=5min',
    'SyslogIdentifier=processmaster',
    'Restart=always',
    'RestartSec=1',
    '# Used wrongly (sysexits(3)): trying again would not help.',
    'RestartPreventExitStatus=64',
    '',
    '# systemd leaves cgroups and their controllers to the daemon, and signals nobody but the daemon: with any other',
    '# KillMode it would end every service together with it.',
    'Delegate=yes',
    'KillMode=process',
    ...tree(facts),
    '# One service that runs out of memory is the business of its restart policy, not the end of the unit.',
    'OOMPolicy=continue',
    '# The default bounds the processes and threads of all services together.',
    'TasksMax=infinity',
    ...directories(facts),
    ...environment(facts),
    '',
    ...NOT_HARDENED,
    ...(ofSystem ? OF_SYSTEM : []),
    '',
    '[Install]',
    `WantedBy=${ofSystem ? 'multi-user.target' : 'default.target'}`,
  ].join('\n')}\n`;
}

/** Why so little is protected here: whatever is forbidden to the daemon is forbidden to every service as well. */
const NOT_HARDENED =
  `# Hardening. Services are children of the daemon: what this unit forbids is forbidden to all of them, and would differ
# between those that it starts and those that it adopts. Each is confined in its own file instead: process.user,
# no_new_privileges, rlimits, resources. What this unit therefore leaves out:
# - ProtectSystem, ProtectHome, PrivateTmp, PrivateDevices, ReadOnlyPaths and all else that takes a mount namespace:
#   services would see another file system than the host, and after a restart of the daemon than one another; a
#   PrivateTmp is removed while adopted services still use it.
# - ProtectControlGroups, User, NoNewPrivileges, CapabilityBoundingSet: the daemon could make no cgroups, or start
#   nothing as another user.
# - MemoryDenyWriteExecute: node, and every other runtime that compiles while it runs, would not start.
# - OOMScoreAdjust, LimitNOFILE, Nice, UMask: services inherit them, and have keys of their own for them.
# Possible where no service needs what they forbid: 32-bit programs, real-time scheduling, set-user-id files, the clock.
#SystemCallArchitectures=native
#RestrictRealtime=yes
#RestrictSUIDSGID=yes
#ProtectClock=yes`.split('\n');

/** In a user manager it would imply NoNewPrivileges, and no service could call sudo any more (systemd.exec(5)). */
const OF_SYSTEM = [
  '# Needs none of that, and forbids only to run as another kind of Linux (personality(2), setarch(8)).',
  'LockPersonality=yes',
];

/** Does nothing unless the manager itself is going down. */
function stopScript({ manager, pmctl, config }: UnitFacts): string {
  const asked = manager === 'system' ? 'systemctl is-system-running' : 'systemctl --user is-system-running';
  const stop = [...pmctl, '--config', config, 'shutdown', '--stop-services', '--timeout', GOING_DOWN];
  return `[ "$(${asked})" != stopping ] || exec ${stop.map(shellWord).join(' ')}`;
}

/**
 * Where the cgroups of services are. Below the unit itself, the unit could be started only once: nothing may be put
 * into a cgroup that hands controllers on to others (cgroup-v2.rst, "No Internal Process Constraint"), so systemd cannot
 * start a unit again while services are left below it; the new daemon would never come.
 */
function tree({ manager, settings, cgroups }: UnitFacts): readonly string[] {
  if (settings.containment !== 'auto' || settings.cgroup_root !== null || cgroups === null) return [];
  const why = [
    '# systemd cannot start a unit again while processes are left below it in cgroups with controllers, as they are at',
    '# every restart of this one (cgroup-v2.rst, "No Internal Process Constraint").',
  ];
  if (manager === 'system') {
    return [
      ...why,
      '# So the tree of the services stands beside the units.',
      `Environment=${word(`PROCESSMASTER_CGROUP_ROOT=${cgroups}`)}`,
    ];
  }
  return [
    ...why,
    '# A user has no other place for them, so services are kept together as sessions; resources: cannot be applied.',
    'Environment=PROCESSMASTER_CONTAINMENT=process_group',
  ];
}

/** Directories that systemd makes, where the settings point into its places; it must not remove them. */
function directories({ manager, settings }: UnitFacts): readonly string[] {
  if (manager === 'user') return [];
  const state = below('/var/lib', settings.state_directory);
  const runtime = below('/run', dirname(settings.sock_path));
  return [
    ...(state === undefined ? [] : [`StateDirectory=${word(state)}`, 'StateDirectoryMode=0700']),
    ...(runtime === undefined ? [] : [`RuntimeDirectory=${word(runtime)}`, 'RuntimeDirectoryPreserve=yes']),
  ];
}

function below(parent: string, path: string): string | undefined {
  return path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : undefined;
}

/** Services that say `command: [node, …]` are to find the node that runs the daemon. */
function environment({ daemon }: UnitFacts): readonly string[] {
  const place = dirname(daemon[0] ?? '/');
  if (PATH.includes(place)) return [];
  return [
    '# Services inherit PATH: with the node that runs the daemon.',
    `Environment=${word(`PATH=${[place, ...PATH].join(':')}`)}`,
  ];
}

/** One word of a command line (systemd.service(5), "Command lines"): quoted, without specifiers and variables. */
function word(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', () => '$$');
  if (/^[\w@%+=:,./-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** One word for sh(1). */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
