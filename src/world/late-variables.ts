/** Which environment variables must not be seen by the programs that a launch passes through? */

/** What a shell sets, changes or obeys by itself (dash(1), bash(1)). */
const OF_THE_SHELL: ReadonlySet<string> = new Set([
  ...[
    'PWD',
    'OLDPWD',
    'SHLVL',
    '_',
    'IFS',
    'OPTIND',
    'PPID',
    'LINENO',
    'ENV',
    'BASH_ENV',
    'BASHOPTS',
    'SHELLOPTS',
  ],
  ...[
    'UID',
    'EUID',
    'PS4',
    'POSIXLY_CORRECT',
    'RANDOM',
    'SECONDS',
    'HOSTNAME',
    'OSTYPE',
    'MACHTYPE',
    'HOSTTYPE',
  ],
]);

/**
 * What the dynamic loader and the C library obey (ld.so(8), of the variables that glibc drops for set-user-id programs
 * those that can make it read a file): with LD_LIBRARY_PATH in a directory of the service's user, a launcher that is still
 * root would load the user's code.
 */
const OF_THE_LOADER: ReadonlySet<string> = new Set([
  ...[
    'GCONV_PATH',
    'GETCONF_DIR',
    'GLIBC_TUNABLES',
    'HOSTALIASES',
    'LOCALDOMAIN',
    'LOCPATH',
    'MALLOC_CHECK_',
  ],
  ...['MALLOC_TRACE', 'NIS_PATH', 'NLSPATH', 'RESOLV_HOST_CONF', 'RES_OPTIONS', 'TZDIR'],
]);

/** A name that a shell can carry; others would be lost on the way (dash drops them). */
const PORTABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Splits an environment: `early` is set from the beginning, `late` by env(1) as the last link, after privileges were
 * dropped. The late ones stand on a command line for less than a millisecond, where other users could read them: so
 * everything that can be early is.
 */
export function lateVariables(environment: Readonly<Record<string, string>>): {
  readonly early: Readonly<Record<string, string>>;
  readonly late: Readonly<Record<string, string>>;
} {
  // Seldom is there one, and each start asks.
  if (!Object.keys(environment).some(isLate)) return { early: environment, late: {} };
  const entries = Object.entries(environment);
  return {
    early: Object.fromEntries(entries.filter(([name]) => !isLate(name))),
    late: Object.fromEntries(entries.filter(([name]) => isLate(name))),
  };
}

function isLate(name: string): boolean {
  return !PORTABLE.test(name) || name.startsWith('LD_') || OF_THE_SHELL.has(name) || OF_THE_LOADER.has(name);
}
