/** What is wrong, where, and what would mend it? The only kind of error that a person reads. */

export interface Problem {
  /** Stable and documented: programs may compare it. */
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  /** One sentence without a full stop, in the words of the person who reads it. */
  readonly message: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** The key path as it is written in YAML: `process.args[0]`. */
  readonly path?: string;
  readonly hint?: string;
  readonly service?: string;
  /**
   * The host was short of something, or its disk failed: nothing about the service has to be mended, and what was tried
   * is tried again without counting against it.
   */
  readonly passing?: true;
}

/** Every code with its one sentence; `docs/problems.md` is written from it. */
export const PROBLEM_CODES = {
  'yaml-syntax': 'The file is not valid YAML 1.2.',
  'file-unreadable': 'A service file exists but cannot be read.',
  'file-odd': 'A service file is not a regular file, or is too large to be one.',
  'key-unknown': 'A key that no schema knows.',
  'key-missing': 'A key without which the definition says nothing.',
  'value-invalid': 'A value of the wrong type, out of range or in the wrong grammar.',
  'name-invalid': 'A name that cannot be the name of a service.',
  'name-duplicate': 'Two files define the same service; neither is followed until one of them gives way.',
  'variable-unknown': 'An interpolation names a variable that does not exist.',
  'env-file-unreadable': 'A file named in process.env_files cannot be read or parsed.',
  'secret-unreadable': 'The file behind a secret cannot be read, or is no regular file.',
  'secret-exposed': 'The file behind a secret can be read by others than its owner and group.',
  'config-exposed': 'Every user of the host can write what the daemon follows.',
  'user-unknown': 'A user or group that this host does not know.',
  'user-database-unavailable': 'Nobody can tell who a user or group is: the user database did not answer.',
  'privilege-missing': 'The definition asks for something that only root may do, and the daemon is not root.',
  'directory-unreadable': 'The configuration directory cannot be read; everything stays as it is.',
  'directory-suspicious': 'The change would stop too many services at once; it waits for --prune.',
  'command-missing': 'The program to run does not exist or may not be executed.',
  'working-directory-missing': 'The working directory does not exist or is no directory.',
  'environment-missing': 'Variables in process.required_env are not set or are empty.',
  'dependency-unknown': 'A service depends on one that no file defines.',
  'dependency-cycle':
    'Services wait for each other in a circle; none of them is followed until one gives way.',
  'dependency-unfit': 'A service waits for what another one, as it is defined, never becomes.',
  'port-shared': 'Two services are given the same port.',
  'port-taken': 'Another process listens on the port of the service; it is named and left alone.',
  'log-unsafe': 'A log path leads through something that the user of the service could have planted.',
  'log-unwritable': 'A log file cannot be opened for appending.',
  'log-unreadable': 'A log file cannot be opened for reading.',
  'log-not-rotated': 'A log cannot be rotated; nothing of it is lost, and it is tried again.',
  'log-removed':
    'A log was removed while a service writes to it: what it writes is lost until it is started again.',
  'log-disk-full': 'No room is left on a file system for logs: what services write there is lost.',
  'watch-restless':
    'Files that a service is restarted for change right after each start: its restarts wait ever longer.',
  'log-shared': 'Two services write to one log and say different things about it, or do not say so at all.',
  'pid-file-kept': 'A pid file from an earlier run cannot be told to be stale, so it is not removed.',
  'start-failed': 'The process could not be created.',
  'hook-failed': 'A hook of the service failed or took too long.',
  'reload-failed': 'The reload command of a service failed or took too long.',
  'port-exhausted': 'No port of the pool is free.',
  'stop-blocked': 'A process survives SIGKILL; it is named.',
  'limit-unapplied': 'A resource limit could not be applied on this host.',
  'observe-failed': 'The kernel could not be asked; nothing is started or stopped on that account.',
  'daemon-running': 'Another daemon already rules the same cgroups or the same state directory.',
  'runs-elsewhere':
    'Services of this state directory still run where an earlier daemon had them; the daemon does not start.',
  'settings-changed': 'The master file says something else than when the daemon was started.',
  'host-short':
    'The host is short of descriptors or memory at the moment of the start; the daemon does not start.',
  'socket-unavailable': 'The control socket cannot be made where it should be; the daemon does not start.',
  'containment-weak': 'Without a writable cgroup2 file system, process groups are used, which promise less.',
  'sync-refused': 'The checkout cannot be brought to the newest commit, or that commit is not right.',
  'deploy-failed': 'What was applied by itself did not come up as a whole.',
  'api-unsafe': 'The API would be open to people that nobody let in, or readable on its way to other hosts.',
  'api-unavailable': 'The API cannot be served over TCP; the control socket is not affected.',
  'api-tokens-unusable': 'The file of the API tokens, or a line of it, gives nobody access.',
  'state-unwritable': 'The state directory cannot be written; decisions that need it are refused.',
  'state-unreadable':
    'A file in the state directory is there but cannot be read; the daemon does not start without it.',
  'state-newer':
    'A file in the state directory was written by a newer release; the daemon does not start on it.',
  'state-corrupt': 'A file in the state directory cannot be read back; it was set aside.',
  'snapshot-unreadable':
    'A state that was applied earlier, or a text of it, cannot be read back from the history.',
  'snapshot-unfit': 'A state that was applied earlier can no longer be applied as it was; nothing was done.',
  frozen: 'Something else than the files is in force, since a rollback or a failed update.',
  'plan-stale': 'What a saved plan was made from has changed since; nothing was done.',
} as const satisfies Record<string, string>;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** `file:line:col` as far as it is known, else the empty string. */
export function where(problem: Problem): string {
  if (problem.file === undefined) return '';
  if (problem.line === undefined) return problem.file;
  return `${problem.file}:${problem.line}:${problem.column ?? 1}`;
}

/** One line: place, key, sentence and hint. */
export function sentence(problem: Problem): string {
  const place = where(problem);
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`;
  return `${place === '' ? '' : `${place}  `}${problem.message}${hint}`;
}
