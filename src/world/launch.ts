/** How does a launch become a process, and how did that process end? */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { SIGNALS, type Signal } from '../model/signals.ts';
import { codeOf, inWords, passing } from './errno.ts';
import {
  type Chain,
  LAUNCHED,
  launchChain,
  NOT_EXECUTABLE,
  NOT_EXECUTABLE_CODE,
  REFUSED_CODE,
} from './launch-chain.ts';
import { openNotify } from './notify-fifo.ts';
import { processStat } from './procfs.ts';
import { findProgram } from './program.ts';
import { toolPath } from './tools.ts';
import type { Launch, Started } from './world.ts';

/** More than any message of the launcher; the rest is dropped. */
const REPORT_LIMIT = 4096;

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
    const [file, ...args] = chain.argv;
    const { descriptors } = chain;
    const record = options.record ?? null;
    const stdio: (number | 'ignore' | 'pipe')[] = ['ignore', launch.stdout ?? 'ignore'];
    // `ignore` opens /dev/null for the first three descriptors only.
    if (!chain.quiet) stdio[descriptors.stderr] = launch.stderr ?? open('/dev/null');
    stdio[2] = chain.quiet ? (launch.stderr ?? 'ignore') : 'pipe';
    if (options.cgroupProcs !== null) stdio[descriptors.cgroup] = open(options.cgroupProcs);
    if (record !== null) stdio[descriptors.record] = record;
    if (launch.notify !== undefined && notify !== undefined) stdio[launch.notify.fd] = notify.mouth;
    const child: ChildProcess = spawn(file, args, {
      cwd: launch.workingDirectory,
      env: chain.environment,
      detached: true,
      // Numbers that nobody asked for are not open in the process.
      stdio: Array.from(stdio, (each) => each ?? 'ignore'),
    });
    const heard = listen(child, launch, options, notify?.stop);
    if (child.pid === undefined) return notCreated(launch, reasonNow(launch));
    created = true;
    const ticks = processStat(child.pid)?.startTicks ?? null;
    return { pid: child.pid, ticks, release: releaseOf(child, heard, notify?.stop) };
  } catch (error) {
    return notCreated(launch, error);
  } finally {
    for (const fd of opened) fs.closeSync(fd);
    if (!created) notify?.stop();
  }
}

interface Heard {
  released: boolean;
}

/** `close` comes when the process has ended and all that the launcher had to say has been read. */
function listen(
  child: ChildProcess,
  launch: Launch,
  { ended, joined }: LaunchOptions,
  stop: (() => void) | undefined,
): Heard {
  const heard: Heard = { released: false };
  // It is held until the end: the environment would weigh more than all the rest of a run.
  const told = { argv: launch.argv.slice(0, 1), credentials: launch.credentials };
  const { stderr } = child;
  let report = stderr === null ? LAUNCHED : '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (report.length < REPORT_LIMIT) report += text;
  });
  // What went wrong is told by the missing pid; without a listener node would throw.
  child.on('error', () => undefined);
  stderr?.on('error', () => undefined);
  child.on('close', (code, signal) => {
    stop?.();
    if (heard.released || child.pid === undefined) return;
    const said = QUIET_WORDS[code ?? 0];
    if (stderr === null && said !== undefined && joined?.() === false) report = said;
    ended(outcomeOf(told, report, code, signal));
  });
  return heard;
}

/** What a launcher without an ear means by its exit code, as the other would have said it. */
const QUIET_WORDS: Readonly<Record<number, string>> = {
  [NOT_EXECUTABLE_CODE]: NOT_EXECUTABLE,
  [REFUSED_CODE]: 'its cgroup could not be joined',
};

function releaseOf(child: ChildProcess, heard: Heard, stop: (() => void) | undefined): () => void {
  return () => {
    heard.released = true;
    stop?.();
    child.unref();
    // Closing it could end a launcher that still has its last word to say: it only stops holding us.
    const { stderr } = child;
    if (stderr !== null && 'unref' in stderr && typeof stderr.unref === 'function') stderr.unref();
  };
}

/** @param report what the launcher said; its last line is LAUNCHED if the program itself was reached */
export function outcomeOf(
  launch: Pick<Launch, 'argv' | 'credentials'>,
  report: string,
  code: number | null,
  signal: NodeJS.Signals | null,
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

/** By number: some names are spelled differently on either side (SIGPOLL is SIGIO). */
function signalName(signal: NodeJS.Signals): Signal | undefined {
  const number = os.constants.signals[signal];
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
