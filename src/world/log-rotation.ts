/** How is a log rotated under its writers without losing a byte, or having one twice? */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { canFreeze, type Freezer } from './cgroup-freeze.ts';
import { copyAhead, mayShare, shareBlocks } from './log-copy.ts';
import { type Cut, cutFrozen, cutRunning } from './log-cut.ts';
import {
  createBeside,
  isSystemError,
  type LogPlace,
  openActive,
  openPlace,
  rotationTrouble,
  syncNamesSoon,
} from './log-place.ts';
import { hasRoom, NoRoom } from './log-room.ts';
import { bootId } from './procfs.ts';
import { type Naming, nameCopy, resumeRotation, undoRotation } from './rotation-finish.ts';
import { type Begun, openJournal, type RotationJournal } from './rotation-journal.ts';
import { hasCode } from './safe-walk.ts';
import { afterPause } from './turn.ts';

export interface RotationOrder {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
  /** Handed to `naming`, also by a later daemon. */
  readonly target: string;
  readonly naming: Naming;
  /** Absolute path of a file that only this log has for its journal, in the state directory. */
  readonly journal: string;
  /**
   * Asked right before each cut: who writes, and where, may have changed while the bulk was copied. null: nobody can be
   * frozen, and what is written just while the log is cut is lost; see cutRunning.
   */
  readonly freezer: () => Freezer | null;
  /** Told of each step that is done; what it throws is not caught: for tests. */
  readonly passed?: (step: Step) => void;
}

export type Step =
  | 'begun'
  | 'created'
  | 'copied'
  | 'frozen'
  | 'rest copied'
  | 'cutting'
  | 'truncated'
  | 'written back'
  | 'cut'
  | 'thawed'
  | 'named';

export type Rotated =
  /** The log is as it was, and the copy is gone: there is too little room for it. */
  | { readonly kind: 'no-room'; readonly problem: Problem }
  /** Empty, not there, or no regular file. */
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'rotated';
      readonly name: string;
      /** Of the rotated file. */
      readonly bytes: number;
      /** How long the writers stood still at the longest; milliseconds. */
      readonly pause: number;
      /** How often they were stopped: more than once when they wrote faster than was copied. */
      readonly rounds: number;
    };

/** Freezing begins when the copy is so close to the end, in bytes, or after so many attempts to come closer. */
const CLOSE = 1 << 18;
const CHASES = 8;

/** Rounds of freezing after which the rotation is given up for now. */
const ROUNDS = 5;

/** On a busy host a process may take long to stand still; then it runs on for a while before the next try. */
const FREEZES = 3;
const BETWEEN_FREEZES = 500;

const dataSync = promisify(fs.fdatasync);

/**
 * Copies while the writers run, stops them, copies the rest, truncates, lets them go on. What was copied while they
 * ran is on disk before they are stopped; the rest, of less than a second, is as safe as it was in the log. One
 * rotation of a log at a time. Without room for the copy none is begun; one that shares the blocks of the log needs none.
 * On a Problem the log is as it was, and the copy is gone; or else the log was cut, only the name is still missing, and
 * the next call gives it.
 */
export async function rotateLog(order: RotationOrder): Promise<Rotated | Problem> {
  const before = resumeRotation(order.journal, order.naming);
  if ('code' in before) return before;
  let place: LogPlace | undefined;
  let log: number | undefined;
  try {
    place = openPlace(order.path, order.credentials);
    log = openActive(place, order.credentials);
    return log === undefined ? { kind: 'nothing' } : await rotate(order, place, log);
  } catch (error) {
    const problem = rotationTrouble(order.path, error);
    // A disk that is full elsewhere, as the one of the journal may be, has no more room without old files of the log.
    return error instanceof NoRoom || hasCode(error, 'EDQUOT') ? { kind: 'no-room', problem } : problem;
  } finally {
    if (log !== undefined) fs.closeSync(log);
    place?.close();
  }
}

async function rotate(order: RotationOrder, place: LogPlace, log: number): Promise<Rotated | Problem> {
  const { dev, ino, size } = fs.fstatSync(log, { bigint: true });
  if (size === 0n) return { kind: 'nothing' };
  const isRoomFor = (bytes: number) => hasRoom(place.at('.'), bytes);
  const isShared = mayShare(place.at('.'), dev);
  if (!isShared && !isRoomFor(Number(size))) throw new NoRoom();
  const begun: Begun = {
    step: 'begun',
    log: order.path,
    credentials: order.credentials,
    device: `${dev}`,
    inode: `${ino}`,
    temporary: `.pm-${randomBytes(6).toString('hex')}.rotating`,
    target: order.target,
    boot: bootId(),
  };
  const journal = openJournal(order.journal, begun);
  order.passed?.('begun');
  let copy: number | undefined;
  try {
    // Before there is a copy: one that no journal names after a power cut would stay for ever.
    journal.sync();
    copy = createBeside(place, begun.temporary, fs.fstatSync(log));
    order.passed?.('created');
    const shared = isShared ? await shareBlocks(log, copy, dev) : 0;
    if (isShared && shared === 0 && !isRoomFor(Number(size))) throw new NoRoom();
    const cut = await copyAndCut(order, journal, { log, copy, isRoomFor }, shared);
    if ('code' in cut) {
      undoRotation(place, begun, order.journal);
      return cut;
    }
    order.passed?.('thawed');
    if (fs.fstatSync(copy).size > cut.keep) fs.ftruncateSync(copy, cut.keep);
    await dataSync(copy);
    const name = nameCopy(place, begun, order.naming);
    order.passed?.('named');
    await syncNamesSoon(place);
    journal.remove();
    if (name === null) return removed(order.path);
    return { kind: 'rotated', name, bytes: cut.keep, pause: cut.pause, rounds: cut.rounds };
  } catch (error) {
    // Once the log is cut the copy is all that there is.
    if (isSystemError(error) && !journal.isCut()) undoRotation(place, begun, order.journal);
    throw error;
  } finally {
    if (copy !== undefined) fs.closeSync(copy);
    journal.close();
  }
}

interface Done {
  readonly keep: number;
  readonly pause: number;
  readonly rounds: number;
}

interface Copying {
  /** Descriptors. */
  readonly log: number;
  readonly copy: number;
  readonly isRoomFor: (bytes: number) => boolean;
}

async function copyAndCut(
  order: RotationOrder,
  journal: RotationJournal,
  copying: Copying,
  shared: number,
): Promise<Done | Problem> {
  const { log, copy } = copying;
  let copied = await copyAhead(log, copy, shared, copying.isRoomFor);
  await dataSync(copy);
  let pause = 0;
  let refusals = 0;
  for (let round = 1; ; round++) {
    copied = await chase(copying, copied);
    order.passed?.('copied');
    const input = { log, copy, copied, journal, journalPath: order.journal, passed: order.passed };
    const freezer = order.freezer();
    const cut: Cut =
      freezer !== null && canFreeze(freezer)
        ? cutFrozen(input, freezer, round === ROUNDS)
        : cutRunning(input, round === ROUNDS);
    pause = Math.max(pause, cut.pause);
    if (cut.kind === 'cut') return { keep: cut.keep, pause, rounds: round };
    if (cut.kind === 'failed' && (++refusals === FREEZES || round === ROUNDS)) return cut.problem;
    if (round === ROUNDS) return outrun(order.path);
    if (cut.kind === 'failed') await afterPause(BETWEEN_FREEZES);
    else copied = cut.copied;
  }
}

/** Comes close to the end of a log that grows. */
async function chase({ log, copy, isRoomFor }: Copying, start: number): Promise<number> {
  let at = start;
  for (let attempt = 0; attempt < CHASES; attempt++) {
    if (fs.fstatSync(log).size - at <= CLOSE) break;
    at = await copyAhead(log, copy, at, isRoomFor);
  }
  return at;
}

/** The user of the service may do so in a directory of his own. */
function removed(path: string): Problem {
  return {
    code: 'log-not-rotated',
    severity: 'error',
    message: `${path} was rotated, but somebody has removed the rotated file before it had its name`,
  };
}

function outrun(path: string): Problem {
  return {
    code: 'log-not-rotated',
    severity: 'error',
    message: `${path} cannot be rotated now: it is written faster than it can be copied`,
  };
}
