/**
 * A daemon whose process numbers are given to strangers as soon as they are free. Runs in a process namespace of its
 * own, where the next number can be chosen (ns_last_pid of proc_sys_kernel(5)), and says what it saw.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { type RunKey, runDirectory, runId, type ServiceName, type SpecHash } from '../../src/model/names.ts';
import { openCgroups } from '../../src/world/cgroups.ts';
import { systemClock } from '../../src/world/clock.ts';
import { openProcessGroups } from '../../src/world/process-groups.ts';
import { processStat } from '../../src/world/procfs.ts';
import type { Containment, KnownMain, Launch } from '../../src/world/world.ts';

const [place = '', cgroupRoot = '', cgroupName = '', rounds = '1'] = process.argv.slice(2);

/** What has the number of the main process now. */
const STRANGERS = {
  /** An ordinary process in the session of somebody else. */
  plain: ['sleep', '1000'],
  /** It leads a session with that number. */
  leader: ['setsid', 'sleep', '1000'],
  /** A session with that number which its leader has left, as daemons do. */
  daemon: ['setsid', 'sh', '-c', 'sleep 1000 & echo $!'],
} as const;

type Kind = keyof typeof STRANGERS;

export interface Seen {
  readonly kind: Kind;
  /** Did the stranger get the number, and is it taken to have come within the same tick of the clock? */
  readonly recycled: boolean;
  readonly sameTick: boolean;
  readonly main: string;
  readonly members: readonly number[];
  readonly harmed: boolean;
  readonly removed: boolean;
}

const seen: Seen[] = [];
for (let round = 0; round < Number(rounds); round++) {
  for (const kind of Object.keys(STRANGERS) as Kind[]) seen.push(await meet(kind, round, round % 2 === 0));
}
process.stdout.write(JSON.stringify(seen));
process.exit(0);

/** A run ends, a stranger gets its number, and a daemon that comes later looks, stops and kills. */
async function meet(kind: Kind, round: number, hasted: boolean): Promise<Seen> {
  const first = open();
  const key = keyOf(round * 10 + Object.keys(STRANGERS).indexOf(kind));
  const started = first.start(key, launchOf(key));
  if ('code' in started) throw new Error(started.message);
  await until(() => (mainOf(first, key) === 'ended' ? true : undefined));
  first.close();

  const stranger = take(started.pid, STRANGERS[kind]);
  const survivor = kind === 'daemon' ? await said(stranger) : started.pid;
  const recycled = stranger.pid === started.pid && processStat(survivor) !== undefined;
  // A tick is 10 ms: too short to be sure of, so the daemon is told that it was the same one.
  const ticks = processStat(started.pid)?.startTicks ?? started.ticks;
  if (hasted && cgroupRoot === '') noteTicks(key, ticks);

  const later = open();
  const known: KnownMain = () => (hasted ? { ...started, ticks } : started);
  const main = mainOf(later, key, known);
  const members = later.members(key);
  later.signal(key, 'SIGTERM');
  later.kill(key);
  const removed = later.remove(key) === undefined;
  later.close();
  const harmed = stateOf(survivor) === undefined;
  if (!harmed) process.kill(survivor, 'SIGKILL');
  if (stranger.exitCode === null && stranger.signalCode === null) await once(stranger, 'exit');
  await until(() => (stateOf(survivor) === undefined ? true : undefined));
  return { kind, recycled, sameTick: hasted, main, members, harmed, removed };
}

function open(): Containment {
  const answer =
    cgroupRoot === ''
      ? openProcessGroups({ stateDirectory: place, clock: systemClock(), because: null, lock: false })
      : openCgroups({ root: cgroupRoot, name: cgroupName, lock: false });
  if (!('containment' in answer)) throw new Error(JSON.stringify(answer));
  return answer.containment;
}

function noteTicks(key: RunKey, ticks: number | null): void {
  const file = join(place, 'runs', key.service, `${runDirectory(key)}.json`);
  fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), ticks }));
}

/** The next process gets the number, if nobody is quicker. */
function take(pid: number, [program, ...args]: readonly [string, ...string[]]): ChildProcess {
  fs.writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
  // `setsid` would fork again if it led a process group: it does not, as it is no shell's job.
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function said(child: ChildProcess): Promise<number> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'exit');
  return until(() => (text.endsWith('\n') ? Number(text) : undefined));
}

function mainOf(containment: Containment, key: RunKey, known: KnownMain = () => null): string {
  const observed = containment.look(key.service, known);
  if (observed.kind === 'unseen') throw new Error(observed.problem.message);
  return observed.runs.find((run) => run.key.id === key.id)?.main.is ?? 'none';
}

/** undefined: gone, or a zombie. */
function stateOf(pid: number): string | undefined {
  const state = processStat(pid)?.state;
  return state === 'Z' || state === 'X' ? undefined : state;
}

async function until<Answer>(ask: () => Answer | undefined): Promise<Answer> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${ask.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function keyOf(number: number): RunKey {
  const id = runId(Date.now(), number.toString(36).padStart(6, '0'));
  return { service: 'web' as ServiceName, slot: 0, generation: 1, hash: 'abcdef012345' as SpecHash, id };
}

function launchOf(key: RunKey): Launch {
  return {
    argv: ['true'],
    workingDirectory: '/',
    environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', PROCESSMASTER_RUN_ID: key.id },
    credentials: null,
    umask: null,
    nice: null,
    rlimits: {},
    oomScoreAdjust: null,
    noNewPrivileges: false,
    stdout: null,
    stderr: null,
  };
}
