/** How is a daemon started by somebody who only wanted a service? */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { loadSettings } from '../config/settings.ts';
import { sentence } from '../model/problem.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Background, startInBackground } from '../world/background.ts';
import { systemFiles } from '../world/files.ts';
import { makeDirectories } from '../world/make-directories.ts';
import { systemUsers } from '../world/users.ts';
import { isFailure } from '../world/world.ts';
import type { Call } from './call.ts';
import type { Daemon } from './daemon.ts';
import { isRefusal, type Refusal, refusal } from './refusal.ts';

/** A daemon answers when its services are started; many of them take a while. Milliseconds. */
const BOUND = 60_000;

/** The same, for the daemon that was quicker than ours: it was started before. Milliseconds. */
const RACE_BOUND = 10_000;

const EVERY = 50;

/**
 * Starts the daemon that the master file and the environment of this call describe, and waits until one answers. Where
 * two do this at the same moment, one daemon gets the lock: the other one ends, and its caller uses the first.
 * @returns undefined when a daemon answers
 */
export async function startDaemon(call: Call, daemon: Daemon): Promise<Refusal | undefined> {
  const { terminal } = call;
  const plan = planOf(call, daemon);
  if (isRefusal(plan)) return plan;
  const background = await startInBackground({
    ...plan,
    directory: terminal.directory,
    environment: terminal.environment,
  });
  if (isFailure(background)) return refused(`its log ${plan.log} cannot be written (${background.failed})`);
  let until = terminal.now() + BOUND;
  let isLost = false;
  while (!terminal.interrupted.aborted) {
    const ended = background.ended();
    const version = await daemon.version();
    if (!isRefusal(version)) {
      const mine = version.pid === background.pid;
      const how = mine ? 'started a daemon in the background' : 'a daemon was started at the same moment';
      terminal.complain(`pmctl: ${how}, pid ${version.pid}, log ${safeText(plan.log)}\n`);
      return undefined;
    }
    if (version.refused.exit !== 'noDaemon') return version;
    if (ended !== undefined && !isLost) {
      if (!lostTheRace(background)) return refused(whyEnded(background, ended));
      isLost = true;
      until = terminal.now() + RACE_BOUND;
    }
    if (terminal.now() >= until) {
      return refused(
        ended === undefined
          ? `pid ${background.pid} has not answered for ${BOUND / 1000}s; see ${plan.log}`
          : whyEnded(background, ended),
      );
    }
    await terminal.sleep(EVERY);
  }
  return refusal('interrupted', 'interrupted', 'interrupted');
}

interface Plan {
  readonly argv: readonly string[];
  readonly log: string;
}

function planOf({ options, terminal }: Call, { socket }: Daemon): Plan | Refusal {
  const program = terminal.daemonProgram;
  const file = program.at(-1) ?? '';
  if (!existsSync(file)) return refused(`its program ${file} does not exist`);
  const config = options.config === undefined ? undefined : resolve(terminal.directory, options.config);
  const loaded = loadSettings({
    ...(config === undefined ? {} : { file: config }),
    cwd: terminal.directory,
    env: terminal.environment,
    flags: {},
    files: systemFiles(),
    users: systemUsers(),
    hostname: hostname(),
  });
  if ('problems' in loaded) return refused(loaded.problems.map(sentence).join('; '));
  const { sock_path, state_directory, config_directory } = loaded.settings;
  // The file of the service needs it in a moment; without one the daemon would complain before.
  const unmade = madeDirectory(config_directory);
  if (unmade !== undefined) return refused(unmade);
  return {
    argv: [
      ...program,
      ...(config === undefined ? [] : ['--config', config]),
      // pmctl may have been told of another socket: that is where the answer is waited for.
      ...(sock_path === socket ? [] : ['--sock-path', socket]),
    ],
    log: join(state_directory, 'daemon.log'),
  };
}

function madeDirectory(path: string): string | undefined {
  try {
    makeDirectories(path);
    return undefined;
  } catch (error) {
    return `the configuration directory ${path} cannot be made: ${(error as Error).message}`;
  }
}

/** Both locks are refused in these words. */
function lostTheRace(background: Background): boolean {
  return /^processmaster: a daemon already (?:holds|runs in) /m.test(background.said());
}

/** What it complained of: plain sentences before it had a log, then lines of its log. */
function whyEnded(background: Background, ended: number | string): string {
  const lines = background
    .said()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const complaints = lines.flatMap((line) => {
    if (line.startsWith('processmaster: ')) return [line.slice('processmaster: '.length)];
    const message = /"level":(?:50|60|"error"|"fatal").*"msg":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
    return message === undefined ? [] : [String(JSON.parse(message))];
  });
  const told = complaints.length > 0 ? complaints : lines.slice(-5);
  return told.length > 0 ? told.join('; ') : `it ended with ${ended}`;
}

function refused(why: string): Refusal {
  return refusal('noDaemon', 'daemon_not_started', `no daemon listens, and none could be started: ${why}`);
}
