/** Do services of this state directory still run where a daemon before had them, and this one would not look? */
import fs from 'node:fs';
import { join } from 'node:path';
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { childCgroups, isPopulated } from './cgroup-files.ts';
import { bootId } from './procfs.ts';
import { RunRecords } from './run-records.ts';
import { RunSessions } from './run-sessions.ts';
import { runsDirectory } from './state-lock.ts';

export interface Place {
  readonly stateDirectory: string;
  /** The cgroup directory of all services; null: they run in sessions. */
  readonly services: string | null;
}

/** Of a path: no cgroup has a longer one (PATH_MAX, linux/limits.h). Bytes. */
const LONGEST = 4096;

/**
 * Before anything is started: after a change of `cgroup_name`, `cgroup_root` or `containment` nobody would stop what runs
 * there, and a second process of each service would be started. The next daemon learns of this one.
 * @returns why this place may not be taken
 */
export function takePlace({ stateDirectory, services }: Place): Problem | undefined {
  const former = noted(stateDirectory);
  const names = former === undefined || former === services ? [] : inCgroups(stateDirectory, former);
  if (former !== undefined && names.length > 0) {
    const way = `if they are somebody else's, remove ${fileIn(stateDirectory)}`;
    return elsewhere(`${former} (${some(names)})`, `; ${way}`);
  }
  if (services === null) {
    forget(stateDirectory);
    return undefined;
  }
  const sessions = inSessions(stateDirectory);
  if (sessions.length > 0) return elsewhere(`sessions (${some(sessions)})`);
  if (former !== services) note(stateDirectory, services);
  return undefined;
}

/** At the end of a daemon that has this place still: what leaves nothing there need not be looked for. */
export function leavePlace({ stateDirectory, services }: Place): void {
  if (services === null || noted(stateDirectory) !== services || isInUse(services)) return;
  forget(stateDirectory);
}

function note(stateDirectory: string, services: string): void {
  try {
    fs.writeFileSync(fileIn(stateDirectory), services, { mode: 0o600 });
  } catch {
    // A disk that is full keeps nobody from running services; the next daemon does not ask then.
  }
}

function forget(stateDirectory: string): void {
  try {
    fs.rmSync(fileIn(stateDirectory), { force: true });
  } catch {
    // Whoever reads it looks whether it is true still.
  }
}

function fileIn(stateDirectory: string): string {
  return join(stateDirectory, 'cgroup');
}

function noted(stateDirectory: string): string | undefined {
  try {
    const text = fs.readFileSync(fileIn(stateDirectory), 'utf8');
    return text.startsWith('/') && text.length <= LONGEST ? text : undefined;
  } catch {
    return undefined;
  }
}

function isInUse(cgroup: string): boolean {
  try {
    return isPopulated(cgroup);
  } catch {
    // Gone, with the boot or by hand.
    return false;
  }
}

/** Others may have this place by now, for services of their own: only what this state directory knows counts. */
function inCgroups(stateDirectory: string, services: string): readonly string[] {
  if (!isInUse(services)) return [];
  const known = knownServices(stateDirectory);
  try {
    return childCgroups(services).filter(
      (name) => known?.has(name) !== false && isInUse(join(services, name)),
    );
  } catch {
    return ['which cannot be listed'];
  }
}

/**
 * Every service of which something was started, and perhaps more: their definitions are written before (Store). undefined:
 * nobody can tell, then it may be any.
 */
function knownServices(stateDirectory: string): ReadonlySet<string> | undefined {
  try {
    const state: unknown = JSON.parse(fs.readFileSync(join(stateDirectory, 'applied.json'), 'utf8'));
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
  } catch {
    return [];
  }
}

function some(names: readonly string[]): string {
  return names.slice(0, 3).join(', ');
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
