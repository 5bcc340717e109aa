/** How does a program say by a newline on one of its descriptors that it is ready? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { inWords, passing } from './errno.ts';
import { toolPath } from './tools.ts';
import type { Notify } from './world.ts';

const NEWLINE = 0x0a;

/** Where the fifo is made: in a directory whose name begins so, for a moment. */
const PLACE = { directory: 'processmaster-', name: 'notify' };
const OURS = new RegExp(`/${PLACE.directory}[^/]+/${PLACE.name} \\(deleted\\)$`);

export interface NotifyEar {
  /** To be passed on to the program, and closed by the caller once it was. */
  readonly mouth: number;
  /** Ends listening; may be called more than once. */
  readonly stop: () => void;
}

/**
 * A fifo that has no name any more. The program holds both its ends (fifo(7): O_RDWR), so that it is not ended by
 * SIGPIPE when it speaks after the daemon has gone or stopped listening, and what it said then is kept for the next one.
 */
export function openNotify(heard: Notify['heard']): NotifyEar | Problem {
  const mkfifo = toolPath('mkfifo');
  if (mkfifo === undefined)
    return refused('mkfifo is needed for a probe by descriptor, and this host lacks it');
  let directory: string | undefined;
  const opened: number[] = [];
  try {
    directory = fs.mkdtempSync(join(os.tmpdir(), PLACE.directory));
    const path = join(directory, PLACE.name);
    // Nobody but us can reach it by its name; the program may open it anew as /dev/fd/N, whoever it runs as.
    const made = spawnSync(mkfifo, ['-m', '0666', path], { encoding: 'utf8' });
    if (made.status !== 0) return notMade(made.error, made.stderr);
    opened.push(fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    opened.push(fs.openSync(path, fs.constants.O_RDWR));
    const [ear, mouth] = opened.splice(0);
    if (ear === undefined || mouth === undefined) throw new Error('two ends were opened');
    return { mouth, stop: listen(ear, heard) };
  } catch (error) {
    return { ...refused(`no fifo could be made: ${inWords(error)}`), ...passing(error) };
  } finally {
    for (const fd of opened) fs.closeSync(fd);
    if (directory !== undefined) fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** See `Containment.hear`. */
export function hearAgain(pid: number, { fd, heard }: Notify): (() => void) | undefined {
  const path = `/proc/${pid}/fd/${fd}`;
  try {
    // It may have become anything since: opening a device could do something, and a pipe of its own is not for us to read.
    if (!isOurs(path)) return undefined;
    const ear = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
    if (isOurs(`/proc/self/fd/${ear}`)) return listen(ear, heard);
    fs.closeSync(ear);
    return undefined;
  } catch {
    return undefined;
  }
}

/** By its name, which proc_pid_fd(5) goes on to tell: whatever else is there, nobody else names it so. */
function isOurs(link: string): boolean {
  return OURS.test(fs.readlinkSync(link));
}

/** Takes the descriptor over. */
function listen(fd: number, heard: () => void): () => void {
  const socket = new net.Socket({ fd, readable: true, writable: false });
  const stop = () => socket.destroy();
  socket.on('data', (bytes: Uint8Array) => {
    if (socket.destroyed || !bytes.includes(NEWLINE)) return;
    stop();
    heard();
  });
  // Whoever held the other end is gone: there is nothing to be heard any more.
  socket.on('error', stop);
  socket.on('end', stop);
  return stop;
}

function notMade(error: Error | undefined, said: string): Problem {
  const why = error === undefined ? said.trim() : inWords(error);
  return { ...refused(`no fifo could be made: ${why}`), ...passing(error) };
}

function refused(message: string): Problem {
  return { code: 'start-failed', severity: 'error', message };
}
