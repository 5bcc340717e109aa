/** Who listens on a TCP port? */
import fs from 'node:fs';
import { describeProcess } from './describe-process.ts';
import { allProcesses, readProc } from './procfs.ts';

interface Listener {
  readonly inode: string;
  readonly uid: number;
}

/**
 * A process that listens on the port and is none of `own`, as text for people; undefined when there is none.
 * Only sockets of our own network namespace can be seen.
 */
export function foreignListener(port: number, own: () => ReadonlySet<number>): string | undefined {
  const listeners = listenersOf(port);
  if (listeners.length === 0) return undefined;
  const mine = own();
  const wanted = new Set(listeners.map(({ inode }) => `socket:[${inode}]`));
  for (const pid of mine) for (const socket of socketsOf(pid)) wanted.delete(socket);
  if (wanted.size === 0) return undefined;
  for (const pid of allProcesses()) {
    if (mine.has(pid)) continue;
    if (socketsOf(pid).some((socket) => wanted.has(socket))) return describeProcess(pid);
  }
  // Whoever ended meanwhile has none of its descriptors any more.
  const unseen = listenersOf(port).find(({ inode }) => wanted.has(`socket:[${inode}]`));
  return unseen === undefined
    ? undefined
    : `a process of user id ${unseen.uid} that cannot be seen from here`;
}

function listenersOf(port: number): readonly Listener[] {
  return ['net/tcp', 'net/tcp6'].flatMap((file) => parseListeners(readProc(file) ?? '', port));
}

/** @param text the content of /proc/net/tcp or tcp6, by proc_net(5): `sl local rem st tx:rx tr:tm retr uid … inode` */
export function parseListeners(text: string, port: number): readonly Listener[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state, , , , uid] = fields;
    const inode = fields[9];
    // 0A is TCP_LISTEN.
    if (local === undefined || !local.endsWith(wanted) || state !== '0A' || inode === undefined) return [];
    return [{ inode, uid: Number(uid) }];
  });
}

function socketsOf(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return fs.readdirSync(directory).flatMap((fd) => targetOf(`${directory}/${fd}`));
  } catch {
    return [];
  }
}

function targetOf(link: string): string[] {
  try {
    const target = fs.readlinkSync(link);
    return target.startsWith('socket:') ? [target] : [];
  } catch {
    return [];
  }
}
