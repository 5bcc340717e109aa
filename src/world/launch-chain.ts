/** Through which programs does a launch pass before the program of the service is executed in its place? */
import type { Problem } from '../model/problem.ts';
import type { Credentials, Rlimit } from '../model/spec.ts';
import { lateVariables } from './late-variables.ts';
import { type LauncherDescriptors, launcherDescriptors } from './launch-descriptors.ts';
import { recordScript } from './launch-record.ts';
import type { Tool } from './tools.ts';
import type { Launch } from './world.ts';

/** The last word of the launcher: everything before the program itself went well. */
export const LAUNCHED = 'launched';
/** The user of the service may not execute the program. */
export const NOT_EXECUTABLE = 'not-executable';

/** Exit codes of a launcher that has no ear to speak to; they count only where nothing ever joined the cgroup. */
export const NOT_EXECUTABLE_CODE = 124;
export const REFUSED_CODE = 125;

export interface ChainInput {
  readonly launch: Launch;
  /** Absolute path of the program. */
  readonly program: string;
  readonly self: { readonly uid: number; readonly gid: number; readonly niceness: number };
  /** True: the daemon opens the `cgroup.procs` of the run and passes it on. */
  readonly joinsCgroup: boolean;
  /** True: whether the cgroup was ever joined can be seen from outside, so that a plain launch needs no ear. */
  readonly joinIsSeen: boolean;
  /** True: the daemon passes a file on into which the last shell, which stays, writes how the program ended. */
  readonly records?: boolean;
  readonly tool: (tool: Tool) => string | undefined;
}

export interface Chain {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** It says by an exit code what went wrong: nothing listens to it, and its stderr is that of the program. */
  readonly quiet: boolean;
  /** Under which numbers the launcher expects what the daemon opened for it. */
  readonly descriptors: LauncherDescriptors;
}

/**
 * Each link does its part and executes the next in its own place, so the pid stays that of the first. The cgroup is
 * joined with a descriptor that the daemon opened: by the last link, so that whatever fails before has left no trace in
 * the cgroup; or by the first, where another user is to run, whom that descriptor must not reach.
 */
export function launchChain(input: ChainInput): Chain | Problem {
  const { launch, program, self } = input;
  const { early, late } = lateVariables(launch.environment);
  const others = [
    ...limitLink(launch.rlimits),
    ...niceLink(launch.nice, self.niceness),
    ...privilegeLink(launch, self),
  ];
  const records = input.records === true;
  const isPlain = launch.oomScoreAdjust === null && others.length === 0;
  const quiet = input.joinsCgroup && input.joinIsSeen && isPlain;
  const descriptors = launcherDescriptors(quiet, launch.notify?.fd);
  const joinsFirst = input.joinsCgroup && changesUser(launch, self);
  const last = quiet
    ? quietScript(launch.umask, records, descriptors)
    : lastScript({
        umask: launch.umask,
        joinsCgroup: input.joinsCgroup && !joinsFirst,
        records,
        descriptors,
      });
  const needed = [
    ...firstLink(launch.oomScoreAdjust, joinsFirst ? descriptors.cgroup : null),
    ...others,
    link('sh', ['-c', last, program]),
    ...environmentLink(late, launch.argv[0] ?? program),
  ];
  const argv: string[] = [];
  for (const { tool, args } of needed) {
    const path = input.tool(tool);
    if (path === undefined) return refused(`${tool} is needed to start this process, and this host lacks it`);
    argv.push(path, ...args);
  }
  const [first, ...rest] = argv;
  if (first === undefined) throw new Error('a chain always ends with the shell');
  return { argv: [first, ...rest, ...launch.argv], environment: early, quiet, descriptors };
}

interface Link {
  readonly tool: Tool;
  readonly args: readonly string[];
}

function link(tool: Tool, args: readonly string[]): Link {
  return { tool, args };
}

const OOM_SCRIPT = [
  'echo "$0" > /proc/self/oom_score_adj 2> /dev/null || {',
  'echo "the kernel refused the OOM score $0" >&2; exit 125; };',
].join(' ');

/**
 * What is for root only comes before the user is changed: lowering the score, and the `cgroup.procs` that root opened.
 * Who gets hold of that descriptor (pidfd_getfd(2), ptrace(2)) can move any process of the host into this cgroup, where
 * it is ended with the run: so no process of the service's user ever has it.
 */
function firstLink(score: number | null, cgroup: number | null): readonly Link[] {
  if (score === null && cgroup === null) return [];
  const script = [
    ...(score === null ? [] : [OOM_SCRIPT]),
    ...(cgroup === null ? ['exec "$@"'] : [`${joinScript(cgroup)}; exec "$@" ${cgroup}>&-`]),
  ].join(' ');
  return [link('sh', ['-c', script, String(score ?? 'sh')])];
}

function joinScript(cgroup: number): string {
  return `echo 0 >&${cgroup} 2> /dev/null || { echo "its cgroup could not be joined" >&2; exit 125; }`;
}

function limitLink(rlimits: Readonly<Record<string, Rlimit>>): readonly Link[] {
  const args = Object.entries(rlimits).map(([name, { soft, hard }]) => {
    return `--${name.toLowerCase()}=${soft ?? 'unlimited'}:${hard ?? 'unlimited'}`;
  });
  return args.length === 0 ? [] : [link('prlimit', args)];
}

/** nice(1) adds to the niceness that it inherits from the daemon. */
function niceLink(wanted: number | null, inherited: number): readonly Link[] {
  return wanted === null || wanted === inherited ? [] : [link('nice', ['-n', String(wanted - inherited)])];
}

function changesUser({ credentials }: Launch, self: ChainInput['self']): boolean {
  return credentials !== null && userArguments(credentials, self).length > 0;
}

function privilegeLink(launch: Launch, self: ChainInput['self']): readonly Link[] {
  const args = [
    ...(launch.credentials === null ? [] : userArguments(launch.credentials, self)),
    ...(launch.noNewPrivileges ? ['--no-new-privs'] : []),
  ];
  return args.length === 0 ? [] : [link('setpriv', args)];
}

function userArguments(user: Credentials, self: ChainInput['self']): readonly string[] {
  // Whoever is not root can only stay who he is; setpriv would fail on the group list.
  if (self.uid !== 0 && self.uid === user.uid && self.gid === user.gid && user.groups === null) return [];
  const groups =
    user.groups === null
      ? '--init-groups'
      : user.groups.length === 0
        ? '--clear-groups'
        : `--groups=${user.groups.join(',')}`;
  return [`--reuid=${user.uid}`, `--regid=${user.gid}`, groups];
}

interface LastScript {
  readonly umask: number | null;
  readonly joinsCgroup: boolean;
  readonly records: boolean;
  readonly descriptors: LauncherDescriptors;
}

/**
 * `$0` is the program, `$@` its argv. SIGPIPE is ignored for the one moment in which the daemon may be gone already.
 * Shells set PWD and others of their own; what the service wants of these comes from env(1).
 */
function lastScript({ umask, joinsCgroup, records, descriptors }: LastScript): string {
  const { stderr, cgroup } = descriptors;
  return [
    ...(umask === null ? [] : [`umask ${umask.toString(8).padStart(4, '0')} || exit 125`]),
    `[ -x "$0" ] || { echo ${NOT_EXECUTABLE} >&2; exit 125; }`,
    ...(joinsCgroup ? [joinScript(cgroup)] : []),
    'unset PWD OLDPWD SHLVL _',
    ...(records
      ? [recordScript(LAUNCHED, descriptors)]
      : [
          `trap '' PIPE; echo ${LAUNCHED} >&2; trap - PIPE`,
          `exec "$@" 2>&${stderr} ${stderr}>&- ${cgroup}>&-`,
        ]),
  ].join('\n');
}

/** What nearly every start takes: a pipe to listen at would cost a quarter of it. */
function quietScript(umask: number | null, records: boolean, descriptors: LauncherDescriptors): string {
  const { cgroup } = descriptors;
  return [
    ...(umask === null ? [] : [`umask ${umask.toString(8).padStart(4, '0')} || exit ${REFUSED_CODE}`]),
    `[ -x "$0" ] || exit ${NOT_EXECUTABLE_CODE}`,
    `echo 0 >&${cgroup} || exit ${REFUSED_CODE}`,
    'unset PWD OLDPWD SHLVL _',
    records ? recordScript(null, descriptors) : `exec "$@" ${cgroup}>&-`,
  ].join('\n');
}

function environmentLink(late: Readonly<Record<string, string>>, program: string): readonly Link[] {
  const args = Object.entries(late).map(([name, value]) => `${name}=${value}`);
  if (args.length === 0) return [];
  // env(1) would take a program with a `=` in its name for one more variable.
  return program.includes('=') ? [link('env', args), link('nice', ['-n', '0'])] : [link('env', args)];
}

function refused(message: string): Problem {
  return { code: 'start-failed', severity: 'error', message };
}
