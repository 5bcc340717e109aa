/** What does a service tell of itself that nobody can see from outside? */
import fs from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Credentials } from '../model/spec.ts';
import { walkTo } from './safe-walk.ts';

export interface ToldStats {
  /** The heap of its runtime that is in use. Bytes. */
  readonly heap: number;
  /** When it was written. Milliseconds since 1970. */
  readonly at: number;
}

/** Far more than anybody has to tell. Bytes. */
const LARGEST = 4096;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;

/**
 * Reads a file into which a service writes `{"heap": <bytes>}`. That file is in the hands of the service, so nothing but
 * a regular file of its user is read, no link is followed that its user may have put there, and never more than is looked
 * for.
 * @param path absolute
 * @param credentials the user of the service; null: the daemon's own
 * @returns undefined: nothing was told, or nothing that can be believed; also while it is being written
 */
export function toldStats(path: string, credentials: Credentials | null): ToldStats | undefined {
  if (!isAbsolute(path) || path.includes('\0')) return undefined;
  try {
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    const fd = walkTo(path, null, (place) => fs.openSync(place, flags));
    try {
      const found = fs.fstatSync(fd);
      if (!found.isFile() || found.uid !== (credentials?.uid ?? process.geteuid?.())) return undefined;
      const heap = heapIn(textOf(fd));
      return heap === undefined ? undefined : { heap, at: found.mtimeMs };
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Empty when there is more than was asked for. */
function textOf(fd: number): string {
  const bytes = Buffer.alloc(LARGEST + 1);
  const length = fs.readSync(fd, bytes, 0, bytes.length, 0);
  return length > LARGEST ? '' : bytes.toString('utf8', 0, length);
}

/** Throws for what is no JSON. */
function heapIn(text: string): number | undefined {
  const told: unknown = JSON.parse(text);
  if (typeof told !== 'object' || told === null || !('heap' in told)) return undefined;
  const { heap } = told;
  return typeof heap === 'number' && Number.isSafeInteger(heap) && heap >= 0 ? heap : undefined;
}
