/**
 * Is what a service wrote to its log still a row of numbers? Each run writes `<run id>:<number>:xxx…` from 1 on. A power
 * cut takes what was not on disk yet, which is the end of a row; a hole in a row is a rotation's fault.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { logParts } from '../../e2e/numbered-lines.ts';

export interface LogLines {
  readonly runs: number;
  readonly lines: number;
  readonly rotated: number;
  /** What should not be; the first ones. */
  readonly troubles: readonly string[];
}

/** They cost nothing when a power cut leaves them empty: what they say was about what ran, or is told once more. */
const MAY_BE_TORN = /^(applied|notify|forward).*\.json$|^last-good$/;

const LINE = /([0-9a-z]{8}-[0-9a-z]{6}):(\d+):x{40}\n/g;

/**
 * Less than a block of zeros is what ext4 leaves of the end of a file that was appended to: its new size is in the journal
 * as soon as the block is there, and what was written into it is not.
 */
const HOLE = /\0{4096}/;

/** undefined: a rotation came in between. */
export function logLines(directory: string, base: string): LogLines | undefined {
  const before = listing(directory);
  const counted = count(directory, base);
  if (before !== listing(directory)) return undefined;
  const copies = fs.readdirSync(directory).filter((name) => name.endsWith('.rotating'));
  if (copies.length === 0) return counted;
  const left = copies.filter((name) => Date.now() - fs.statSync(join(directory, name)).mtimeMs > LEFT_BEHIND);
  if (left.length === 0) return undefined;
  return { ...counted, troubles: [...counted.troubles, `${left} nobody goes on with`] };
}

/** A copy that nobody has written to for so long is of no rotation any more. Milliseconds. */
const LEFT_BEHIND = 20_000;

function listing(directory: string): string {
  const names = fs.readdirSync(directory).sort();
  return names
    .map((name) => `${name} ${fs.statSync(join(directory, name), { throwIfNoEntry: false })?.ino}`)
    .join();
}

function count(directory: string, base: string): LogLines {
  const last = new Map<string, number>();
  const troubles: string[] = [];
  let lines = 0;
  const parts = logParts(directory, base);
  for (const path of parts) {
    const bytes = readIfThere(path);
    if (bytes === undefined) continue;
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    if (HOLE.test(text)) troubles.push(`${path} has a hole`);
    for (const [, run = '', digits = ''] of text.matchAll(LINE)) {
      const number = Number(digits);
      const before = last.get(run) ?? 0;
      if (number <= before) troubles.push(`${path} has ${number} of ${run} again`);
      else if (number > before + 1) troubles.push(`${path} has ${number} after ${before} of ${run}`);
      last.set(run, Math.max(before, number));
      lines += 1;
    }
  }
  return { runs: last.size, lines, rotated: parts.length - 1, troubles: troubles.slice(0, 10) };
}

/** The log itself is not there before the first start; another that is gone was renamed, which the listing tells. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every file of a state directory that should be JSON and is not. */
export function tornFiles(directory: string): readonly string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (MAY_BE_TORN.test(entry.name)) return [];
    if (entry.isDirectory()) return tornFiles(path);
    if (!entry.name.endsWith('.json')) return [];
    const text = fs.readFileSync(path, 'utf8');
    try {
      JSON.parse(text);
      return [];
    } catch {
      return [`${path} (${text.length} bytes): ${text.slice(0, 60)}`];
    }
  });
}
