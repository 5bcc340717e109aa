/** Why could nobody be reached at the socket, and what would help? */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Refusal, refusal } from './refusal.ts';

/**
 * @param code of connect(2)
 * @param howToStart the command that would start a daemon at this socket
 */
export function connectionTrouble(
  socket: string,
  code: string | undefined,
  howToStart = 'processmaster',
): Refusal {
  const start = `start it with: ${howToStart}`;
  switch (code) {
    case 'ENOENT':
      return refusal('noDaemon', 'no_daemon', `no daemon listens at ${socket}; ${start}`);
    case 'ECONNREFUSED': {
      const what = otherThanSocket(socket);
      if (what !== undefined) {
        const message = `${socket} is ${what}, not the socket of a daemon; name the sock_path of the daemon`;
        return refusal('error', 'unreachable', message);
      }
      const left = 'the socket is left over from one that has ended';
      return refusal('noDaemon', 'no_daemon', `no daemon listens at ${socket} (${left}); ${start}`);
    }
    case 'EACCES':
    case 'EPERM':
      return refusal('error', 'permission', permissionSentence(socket));
    case 'ABORT_ERR':
      return refusal('interrupted', 'interrupted', 'interrupted');
    default:
      return refusal(
        'error',
        'unreachable',
        `cannot reach the daemon at ${socket}: ${code ?? 'unknown error'}`,
      );
  }
}

/** unix(7): connect(2) refuses whatever is no socket with the same word as a socket that nobody listens at. */
function otherThanSocket(path: string): string | undefined {
  try {
    const found = statSync(path);
    if (found.isSocket()) return undefined;
    if (found.isDirectory()) return 'a directory';
    return found.isFile() ? 'a regular file' : found.isFIFO() ? 'a named pipe' : 'a device';
  } catch {
    return undefined;
  }
}

function permissionSentence(socket: string): string {
  const start = `no permission for ${socket}`;
  try {
    const { uid, gid, mode } = statSync(socket);
    const owner = nameOf('/etc/passwd', uid);
    const group = nameOf('/etc/group', gid);
    const octal = (mode & 0o7777).toString(8).padStart(4, '0');
    return `${start}: it belongs to user ${owner} and group ${group}, mode ${octal}; ask as one of them, or with sudo`;
  } catch {
    return `${start}: the directory ${dirname(socket)} is closed to you; ask as its owner, or with sudo`;
  }
}

/** The name of a user or group id (passwd(5), group(5): name:password:id:…); the number when there is none. */
function nameOf(database: string, id: number): string {
  try {
    const rows = readFileSync(database, 'utf8').split('\n');
    return rows.map((row) => row.split(':')).find((fields) => fields[2] === String(id))?.[0] ?? String(id);
  } catch {
    return String(id);
  }
}
