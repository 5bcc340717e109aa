/** Who in the cgroup of a daemon is no daemon? Every directory is an absolute `<base>/daemon`. */
import fs from 'node:fs';
import { posix } from 'node:path';
import { readProc } from './procfs.ts';
import { MARKER } from './session-members.ts';

/**
 * Opens the directory: a daemon has it open from before it joins until it leaves. No program that it starts inherits
 * that, so who has nothing of the kind is what a dead daemon left: a command, or a child of the program around it.
 * @returns a descriptor; throws what the kernel answers
 */
export function openMark(daemon: string): number {
  return fs.openSync(daemon, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
}

/**
 * True only if it is certain that this process is no daemon, nor a launch that has yet to join the cgroup of its run: who
 * has no descriptor is about to end or not to be seen, and who has no environment is in the midst of execve(2).
 */
export function isBystander(pid: number, daemon: string): boolean {
  const open = pid > 0 ? openFiles(pid) : [];
  if (open.length === 0 || open.some((target) => isMark(target, daemon))) return false;
  // Only now: that a mark is closed tells that this is the environment of the new program.
  const environment = readProc(`${pid}/environ`) ?? '';
  return environment !== '' && !`\0${environment}`.includes(`\0${MARKER}=`);
}

/** What a process has open, as proc_pid_fd(5) names it; nothing when not all of it can be seen. */
function openFiles(pid: number): readonly string[] {
  try {
    const directory = `/proc/${pid}/fd`;
    return fs.readdirSync(directory).map((fd) => fs.readlinkSync(`${directory}/${fd}`));
  } catch {
    return [];
  }
}

/** By the last name alone: another mount namespace may show the way there differently. */
function isMark(target: string, daemon: string): boolean {
  return posix.basename(target.replace(/ \(deleted\)$/, '')) === posix.basename(daemon);
}
