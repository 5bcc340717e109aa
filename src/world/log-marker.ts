/** How does a line of our own get into a log that others write? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { inWords } from './errno.ts';
import { closeLog, openLog, openLogForReading } from './safe-open.ts';

const NEWLINE = 0x0a;

/** Appends a line, below whatever is not ended yet. One write(2): no line of a service can come in between. */
export function appendMarker(
  path: string,
  credentials: Credentials | null,
  line: string,
): Problem | undefined {
  const opened = openLog(path, credentials);
  if ('code' in opened) return opened;
  try {
    const text = Buffer.from(`${endsInside(path, credentials) ? '\n' : ''}${line}\n`);
    // What is there of a torn line stays: others may have written behind it.
    return fs.writeSync(opened.fd, text) < text.length ? unwritable(path, 'ENOSPC') : undefined;
  } catch (error) {
    return unwritable(path, error);
  } finally {
    closeLog(opened.fd);
  }
}

function unwritable(path: string, error: unknown): Problem {
  return { code: 'log-unwritable', severity: 'error', message: `${path}: ${inWords(error)}` };
}

/** True where the last line is not ended. */
function endsInside(path: string, credentials: Credentials | null): boolean {
  const opened = openLogForReading(path, credentials);
  if ('code' in opened) return false;
  try {
    const { size } = fs.fstatSync(opened.fd);
    const last = Buffer.alloc(1);
    return size > 0 && fs.readSync(opened.fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  } finally {
    fs.closeSync(opened.fd);
  }
}
