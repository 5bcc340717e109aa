/** Do services of this state directory still run where a daemon before had them, and this one would not look? */
import { join } from 'node:path';
import { isServiceName, parseRunDirectory, type RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { firstOf } from '../model/shown-words.ts';
import { childCgroups, childCount, isPopulated } from './cgroup-files.ts';
import { tooShort } from './cgroup-lock.ts';
import { inWords, isShortage } from './errno.ts';
import { systemFiles } from './files.ts';
import { bootId } from './procfs.ts';
import { RunRecords } from './run-records.ts';
import { RunSessions } from './run-sessions.ts';
import { ProcessTable } from './session-members.ts';
import { runsDirectory } from './state-lock.ts';
import { type Failure, isFailure } from './world.ts';

export interface Place {
  readonly stateDirectory: string;
  /** The cgroup directory of all services; null: they run in sessions. */
  readonly services: string | null;
}

/** Of a path: no cgroup has a longer one (PATH_MAX, linux/limits.h). Bytes. */
const LONGEST = 4096;

/** Of what the daemon reads as its state; bytes. */
const LARGEST = 256 << 20;

/** Services that are told by name. */
const MOST_NAMED = 3;

const files = systemFiles();

/**
 * Before anything is started: after a change of `cgroup_name`, `cgroup_root` or `containment` nobody would stop what runs
 * there, and a second process of each service would be started. The next daemon learns of this one.
 * @returns why this place may not be taken
 */
export function takePlace(place: Place): Problem | undefined {
  try {
    return taken(place);
  } catch (error) {
    if (!isShortage(error)) throw error;
    return tooShort(`whether services still run elsewhere cannot be found out: ${inWords(error)}`);
  }
}

/** Throws what the host is short of. */
function taken({ stateDirectory, services }: Place): Problem | undefined {
  const former = noted(stateDirectory);
  if (isFailure(former)) return unreadable(stateDirectory, former);
  const names = former === undefined || former === services ? [] : inCgroups(stateDirectory, former);
  if (former !== undefined && names.length > 0) {
    const way = `if they are somebody else's, remove ${fileIn(stateDirectory)}`;
    return elsewhere(`${former} (${firstOf(names, MOST_NAMED)})`, `; ${way}`);
  }
  if (services === null) {
    forget(stateDirectory);
    return undefined;
  }
  const sessions = inSessions(stateDirectory);
  if (sessions.length > 0) return elsewhere(`sessions (${firstOf(sessions, MOST_NAMED)})`);
  if (former !== services) note(stateDirectory, services);
  return undefined;
}

/**
 * At the end of a daemon that has this place still: what leaves nothing there need not be looked for. The cgroup of a
 * service is removed by then if nothing of it runs, which does not follow from nobody being in it.
 */
export function leavePlace({ stateDirectory, services }: Place): void {
  if (services === null || noted(stateDirectory) !== services || !isEmpty(services)) return;
  forget(stateDirectory);
}

function note(stateDirectory: string, services: string): void {
  // A disk that is full keeps nobody from running services; the next daemon does not ask then.
  files.replace(fileIn(stateDirectory), services, { mode: 0o600, durable: false });
}

function forget(stateDirectory: string): void {
  // Where that fails: whoever reads it looks whether it is true still.
  files.remove(fileIn(stateDirectory));
}

function fileIn(stateDirectory: string): string {
  return join(stateDirectory, 'cgroup');
}

function noted(stateDirectory: string): string | Failure | undefined {
  const text = files.read(fileIn(stateDirectory), LONGEST);
  if (isFailure(text)) return text.failed === 'ENOENT' || text.failed === 'EFBIG' ? undefined : text;
  return text.startsWith('/') ? text : undefined;
}

function unreadable(stateDirectory: string, { failed }: Failure): Problem {
  if (isShortage(failed)) return tooShort(`${fileIn(stateDirectory)} cannot be read: ${inWords(failed)}`);
  return {
    code: 'state-unreadable',
    severity: 'error',
    message: `${fileIn(stateDirectory)} cannot be read: ${inWords(failed)}`,
    hint: 'it says where services of this state directory may still run; remove it only if none does',
  };
}

function isEmpty(cgroup: string): boolean {
  try {
    return childCount(cgroup) === 0;
  } catch {
    return false;
  }
}

function isInUse(cgroup: string): boolean {
  try {
    return isPopulated(cgroup);
  } catch (error) {
    if (isShortage(error)) throw error;
    // Gone, with the boot or by hand.
    return false;
  }
}

/** Others may have this place by now, for services of their own: only what this state directory knows counts. */
function inCgroups(stateDirectory: string, services: string): readonly string[] {
  const known = knownServices(stateDirectory);
  let table: ProcessTable | undefined;
  const isElsewhere = (run: string): boolean => {
    table ??= new ProcessTable();
    return table.members({ run, leader: null }).length > 0;
  };
  try {
    return childCgroups(services).filter((name) => {
      if (known?.has(name) === false) return false;
      const cgroup = join(services, name);
      // Nobody removes the cgroup of a run whose main process has left it.
      return isInUse(cgroup) || runsIn(cgroup, name).some(isElsewhere);
    });
  } catch (error) {
    if (isShortage(error)) throw error;
    return ['which cannot be listed'];
  }
}

function runsIn(cgroup: string, service: string): readonly string[] {
  if (!isServiceName(service)) return [];
  return childCgroups(cgroup).flatMap((name) => parseRunDirectory(service, name)?.id ?? []);
}

/**
 * Every service of which something was started, and perhaps more: their definitions are written before (Store). undefined:
 * nobody can tell, then it may be any.
 */
function knownServices(stateDirectory: string): ReadonlySet<string> | undefined {
  const text = files.read(join(stateDirectory, 'applied.json'), LARGEST);
  try {
    const state: unknown = isFailure(text) ? undefined : JSON.parse(text);
    const services = typeof state === 'object' && state !== null && 'services' in state ? state.services : 0;
    return typeof services === 'object' && services !== null ? new Set(Object.keys(services)) : undefined;
  } catch {
    return undefined;
  }
}

/** Services whose first process lives; what cannot be looked at keeps nobody from running services. */
function inSessions(stateDirectory: string): readonly string[] {
  const records = new RunRecords(runsDirectory(stateDirectory));
  try {
    const sessions = new RunSessions(records, bootId());
    const lives = (key: RunKey): boolean => {
      const record = records.read(key);
      return record !== null && sessions.leads(record);
    };
    return records.services().filter((name) => records.runs(name).some(lives));
  } catch (error) {
    if (isShortage(error)) throw error;
    return [];
  }
}

/** @param otherwise how the hint goes on */
function elsewhere(where: string, otherwise = ''): Problem {
  return {
    code: 'runs-elsewhere',
    severity: 'error',
    message: `services of this state directory still run in ${where}, where this daemon would not find them`,
    hint: `start it as it was (cgroup_name, cgroup_root, containment) and end it by pmctl shutdown --stop-services first${otherwise}`,
  };
}
