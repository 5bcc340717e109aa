/** Which files hold the lines of a log, seen at one moment although it may be rotated at any moment? */
import type { Problem } from '../model/problem.ts';
import type { LogFile } from '../world/log-files.ts';
import type { FileSeen, LogHistory, Look } from '../world/log-history.ts';
import { isFailure } from '../world/world.ts';
import { NEWLINE } from './line-cutter.ts';
import { knownAs, type Mark } from './log-position.ts';
import { TAIL } from './passage.ts';
import { inOrder } from './rotated-order.ts';

/** The first and the last bytes that the log had: by them its copy is known. */
export interface Fingerprint {
  readonly size: number;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

export interface Snapshot {
  /** After the last line that is ended: whoever follows the log goes on there. */
  readonly mark: Mark;
  /** Oldest first. */
  readonly rotated: readonly FileSeen[];
  /** undefined: not there, or no regular file. */
  readonly active:
    | { readonly file: LogFile; readonly seen: FileSeen; readonly print: Fingerprint }
    | undefined;
}

/** How often it is looked again, and how long is waited in between, milliseconds: about as long as naming a copy takes. */
const LOOKS = 150;
const WAIT = 20;

const LONGEST_REST = 65_536;

/** Bytes that are compared at each end. */
const SAMPLE = 4096;

/**
 * The caller closes `active`. While a rotation has cut the log and its copy has no name yet, it is waited for; a copy
 * that keeps its place longer is of another log.
 * @param wait for so many milliseconds
 */
export async function takeSnapshot(
  history: LogHistory,
  wait: (milliseconds: number) => Promise<void>,
): Promise<Snapshot | Problem> {
  let before: readonly FileSeen[] = [];
  for (let attempt = 1; ; attempt++) {
    const look = history.look();
    if ('code' in look) return look;
    const taken = takeOnce(history, look, attempt === LOOKS ? 'at any price' : before);
    if (taken !== 'again') return taken;
    before = look.rotating;
    await wait(WAIT);
  }
}

/** @param before the copies that were there at the last look */
function takeOnce(
  history: LogHistory,
  look: Look,
  before: readonly FileSeen[] | 'at any price',
): Snapshot | Problem | 'again' {
  const file = history.open(history.base);
  if (file !== undefined && 'code' in file) return file;
  const active = file === undefined ? undefined : fingerprinted(file, look);
  if (before === 'at any price') {
    if (active === undefined) file?.close();
  } else {
    const after = history.look();
    const isQuiet =
      !('code' in after) &&
      namesOf(after) === namesOf(look) &&
      look.rotating.every((copy) => isHarmless(history, copy, active, before));
    if (!isQuiet || (file !== undefined && active === undefined)) {
      file?.close();
      return 'again';
    }
  }
  const rotated = inOrder(history.base, look.beside);
  return { rotated, active, mark: { after: knownAs(rotated.at(-1)), ...endOfLines(active) } };
}

/** Of a line that is not ended and longer than the sample, what is there counts as ended. */
function endOfLines(active: Snapshot['active']): Pick<Mark, 'position' | 'tail'> {
  if (active === undefined) return { position: 0, tail: '' };
  const { size, tail } = active.print;
  const ended = tail.lastIndexOf(NEWLINE) + 1;
  const length = ended > 0 || tail.length === size ? ended : tail.length;
  const last = tail.subarray(Math.max(0, length - TAIL), length);
  return { position: size - tail.length + length, tail: Buffer.from(last).toString('base64') };
}

function fingerprinted(file: LogFile, look: Look): Snapshot['active'] {
  const size = file.size();
  const seen = look.active;
  if (isFailure(size) || seen === undefined || seen.identity !== file.identity) return undefined;
  const head = bytesAt(file, 0, Math.min(size, SAMPLE));
  const tail = bytesAt(file, Math.max(0, size - SAMPLE), Math.min(size, SAMPLE));
  if (head === undefined || tail === undefined) return undefined;
  return { file, seen: { ...seen, size }, print: { size, head, tail } };
}

/** True: the log still has what this copy has, or the copy is of another log. */
function isHarmless(
  history: LogHistory,
  copy: FileSeen,
  active: Snapshot['active'],
  before: readonly FileSeen[],
): boolean {
  if (copy.size === 0) return true;
  const earlier = before.find(({ identity }) => identity === copy.identity);
  // Nothing is added to the copy of a log that was cut.
  if (earlier !== undefined && copy.size > earlier.size) return true;
  const file = history.open(copy.name);
  if (file === undefined || 'code' in file) return false;
  try {
    return active !== undefined && copy.size <= active.print.size && sameEnds(file, active.file, copy.size);
  } finally {
    file.close();
  }
}

/** @param size of the part that both may have */
function sameEnds(copy: LogFile, log: LogFile, size: number): boolean {
  const length = Math.min(size, SAMPLE);
  return [0, size - length].every((at) => {
    const [one, other] = [bytesAt(copy, at, length), bytesAt(log, at, length)];
    return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
  });
}

/**
 * Is this what the log was? At its end a copy may lack the beginning of a line, which went back to the log: of at most
 * so many bytes as `LONGEST_REST` in world/log-cut.ts says.
 */
export function hasPrint(file: LogFile, { size, head, tail }: Fingerprint): boolean {
  const copied = file.size();
  if (isFailure(copied) || copied < size - LONGEST_REST) return false;
  const first = bytesAt(file, 0, Math.min(copied, head.length));
  if (first === undefined || Buffer.compare(first, head.subarray(0, first.length)) !== 0) return false;
  const last = file.read(size - tail.length, tail.length);
  return !isFailure(last) && Buffer.compare(last, tail.subarray(0, last.length)) === 0;
}

function bytesAt(file: LogFile, position: number, length: number): Uint8Array | undefined {
  if (length === 0) return new Uint8Array(0);
  const bytes = file.read(position, length);
  return isFailure(bytes) || bytes.length < length ? undefined : bytes;
}

function namesOf({ beside, rotating }: Look): string {
  return [...beside, ...rotating]
    .map(({ name, identity }) => `${name} ${identity}`)
    .sort()
    .join('\n');
}
