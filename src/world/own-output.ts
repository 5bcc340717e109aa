/** Which paths lead to where this process writes? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { identityOf } from './log-files.ts';
import { isOfProcess } from './process-path.ts';

/** Why nothing can be read back from a descriptor of this process; undefined where it can, or where the path is none. */
export function unkept(path: string): Problem | undefined {
  if (!isOfProcess(path) || isFile(path)) return undefined;
  const message = `${path} of the manager is no file: what is written there is not kept, and cannot be shown`;
  return { code: 'log-unreadable', severity: 'warning', message };
}

/** Whether what is written to this descriptor is added to the file at a path, by whatever links. */
export function isWrittenTo(path: string, descriptor: number): boolean {
  const identity = identityOf(descriptor);
  return identity !== undefined && identity === identityOf(path) && isFile(path);
}

function isFile(path: string): boolean {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}
