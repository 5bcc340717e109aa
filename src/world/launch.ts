/** How does a launch become a process, and how did that process end? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { SIGNALS, type Signal } from '../model/signals.ts';
import type { ProcessEnd } from './children.ts';
import { codeOf, inWords, passing } from './errno.ts';
import {
  type Chain,
  LAUNCHED,
  launchChain,
  NOT_EXECUTABLE,
  NOT_EXECUTABLE_CODE,
  REFUSED_CODE,
} from './launch-chain.ts';
import { createProcess } from './new-process.ts';
import { openNotify } from './notify-fifo.ts';
import { processStat } from './procfs.ts';
import { findProgram } from './program.ts';
import { toolPath } from './tools.ts';
import type { Launch, Started } from './world.ts';

export interface LaunchOptions {
  /** Path of the `cgroup.procs` to join; null for none. */
  readonly cgroupProcs: string | null;
  /** Whether any process ever was in that cgroup; absent where others may be in it already. */
  readonly joined?: () => boolean;
  /** Open for writing: into it is written how the program ends. The caller closes it; null or absent: none. */
  readonly record?: number | null;
  /** Called once when the process has ended. `oom` is false: only the cgroup knows. */
  readonly ended: (outcome: Outcome) => void;
}

export interface LaunchedProcess extends Started {
  /** Forgets the process: `ended` is not called any more, and this program need not wait for it. */
  readonly release: () => void;
}

/** Creates the process in a session of its own, with /dev/null as its stdin. Takes about a millisecond. */
export function launchProcess(launch: Launch, options: LaunchOptions): LaunchedProcess | Problem {
  const program = findProgram(launch);
  if ('code' in program) return program;
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, niceness: os.getPriority() };
  if (launch.nice !== null && launch.nice < self.niceness && self.uid !== 0) {
    return problem('privilege-missing', `only root may lower the niceness to ${launch.nice}`);
  }
  const chain = launchChain({
    launch,
    program: program.path,
    self,
    joinsCgroup: options.cgroupProcs !== null,
    joinIsSeen: options.joined !== undefined,
    records: (options.record ?? null) !== null,
    tool: toolPath,
  });
  return 'code' in chain ? chain : create(launch, chain, options);
}

function create(launch: Launch, chain: Chain, options: LaunchOptions): LaunchedProcess | Problem {
  const opened: number[] = [];
  const open = (path: string): number => {
    const fd = fs.openSync(path, fs.constants.O_WRONLY);
    opened.push(fd);
    return fd;
  };
  const notify = launch.notify === undefined ? undefined : openNotify(launch.notify.heard);
  if (notify !== undefined && 'code' in notify) return notify;
  if (notify !== undefined) opened.push(notify.mouth);
  let created = false;
  try {
    const { descriptors } = chain;
    const record = options.record ?? null;
    const stdio: (number | 'null' | undefined)[] = ['null', launch.stdout ?? 'null', launch.stderr ?? 'null'];
    if (!chain.quiet) stdio[descriptors.stderr] = launch.stderr ?? open('/dev/null');
    if (options.cgroupProcs !== null) stdio[descriptors.cgroup] = open(options.cgroupProcs);
    if (record !== null) stdio[descriptors.record] = record;
    if (launch.notify !== undefined && notify !== undefined) stdio[launch.notify.fd] = notify.mouth;
    const judge = endOf(launch, chain, options);
    const process = createProcess(
      {
        argv: chain.argv,
        environment: chain.environment,
        workingDirectory: launch.workingDirectory,
        descriptors: Array.from(stdio),
        isHeard: !chain.quiet,
      },
      (end, said) => {
        notify?.stop();
        options.ended(judge(end, said));
      },
    );
    if (!('pid' in process)) return notCreated(launch, process.failed ?? reasonNow(launch));
    created = true;
    const ticks = processStat(process.pid)?.startTicks ?? null;
    const release = () => {
      process.release();
      notify?.stop();
    };
    return { pid: process.pid, ticks, release };
  } catch (error) {
    return notCreated(launch, error);
  } finally {
    for (const fd of opened) fs.closeSync(fd);
    if (!created) notify?.stop();
  }
}

/** It is held until the end: the environment would weigh more than all the rest of a run. */
function endOf(
  { argv, credentials }: Launch,
  { quiet }: Chain,
  { joined }: LaunchOptions,
): (end: ProcessEnd, said: string) => Outcome {
  const told = { argv: argv.slice(0, 1), credentials };
  return (end, said) => {
    if (!quiet) return outcomeOf(told, said, end);
    const meant = QUIET_WORDS[end.code ?? 0];
    return outcomeOf(told, meant !== undefined && joined?.() === false ? meant : LAUNCHED, end);
  };
}

/** What a launcher without an ear means by its exit code, as the other would have said it. */
const QUIET_WORDS: Readonly<Record<number, string>> = {
  [NOT_EXECUTABLE_CODE]: NOT_EXECUTABLE,
  [REFUSED_CODE]: 'its cgroup could not be joined',
};

/** @param report what the launcher said; its last line is LAUNCHED if the program itself was reached */
export function outcomeOf(
  launch: Pick<Launch, 'argv' | 'credentials'>,
  report: string,
  { code, signal }: ProcessEnd,
): Outcome {
  if (signal !== null) {
    const name = signalName(signal);
    return name === undefined
      ? { kind: 'unknown', oom: false }
      : { kind: 'signaled', signal: name, oom: false };
  }
  const lines = report.trim().split('\n');
  if (lines.at(-1) === LAUNCHED) return { kind: 'exited', code: code ?? 0 };
  return { kind: 'not_started', problem: refusal(launch, lines, code) };
}

function refusal(
  launch: Pick<Launch, 'argv' | 'credentials'>,
  lines: readonly string[],
  code: number | null,
): Problem {
  const name = JSON.stringify(launch.argv[0] ?? '');
  const user = launch.credentials === null ? '' : ` by user ${launch.credentials.user}`;
  if (lines.includes(NOT_EXECUTABLE)) return problem('command-missing', `${name} may not be executed${user}`);
  const said = lines.filter((line) => line !== '').join('; ');
  return problem('start-failed', `the launch of ${name} was refused: ${said || `exit code ${code}`}`);
}

/** By number: some names are spelled differently elsewhere (SIGPOLL is SIGIO). */
function signalName(number: number): Signal | undefined {
  for (const [name, own] of Object.entries(SIGNALS)) if (own === number) return name as Signal;
  return undefined;
}

/** Node tells the reason only later, as an event: ask the kernel again, now and at once. */
function reasonNow(launch: Launch): unknown {
  const scarce = descriptorsMissing();
  if (scarce !== undefined) return scarce;
  const shell = toolPath('sh');
  if (shell === undefined) return 'ENOENT';
  return spawnSync(shell, ['-c', ':'], { cwd: launch.workingDirectory, stdio: 'ignore' }).error ?? 'EAGAIN';
}

/** More than spawnSync needs, which leaves one open for ever where it runs short in its midst. */
const NEEDED = 16;

function descriptorsMissing(): unknown {
  const opened: number[] = [];
  try {
    for (let count = 0; count < NEEDED; count++) opened.push(fs.openSync('/dev/null', fs.constants.O_RDONLY));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}

function notCreated(launch: Launch, error: unknown): Problem {
  const name = JSON.stringify(launch.argv[0] ?? '');
  const meaning = MEANINGS[typeof error === 'string' ? error : codeOf(error)];
  const why = meaning === undefined ? inWords(error) : `${inWords(error)}: ${meaning}`;
  return {
    ...problem('start-failed', `the process for ${name} could not be created: ${why}`),
    ...passing(error),
  };
}

/** What the words of strerror(3) leave open. */
const MEANINGS: Readonly<Record<string, string>> = {
  EAGAIN: 'the host or this user has no process left to give (pids limit, RLIMIT_NPROC)',
  EMFILE: 'the daemon has no file descriptor left; raise its RLIMIT_NOFILE',
  ENFILE: 'the host has no file descriptor left (fs.file-max)',
  E2BIG: 'the command line and the environment together are too long',
};

function problem(code: Problem['code'], message: string): Problem {
  return { code, severity: 'error', message };
}
