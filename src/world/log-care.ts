/** What does whoever keeps the logs in order ask of this host? */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import type { Freezer } from './cgroup-freeze.ts';
import { type Compressed, Compressor } from './compress.ts';
import { codeOf, inWords } from './errno.ts';
import { systemFiles } from './files.ts';
import { GrowthWatch } from './growth-watch.ts';
import { placeOf } from './log-identity.ts';
import { type Room, roomIn } from './log-room.ts';
import { type Rotated, rotateLog } from './log-rotation.ts';
import { lookAround, removeRotated, type Surroundings } from './rotated-files.ts';
import { type Naming, type Resumed, resumeRotation } from './rotation-finish.ts';
import { type Failure, isFailure } from './world.ts';

/** A log, and who may have had his hands on its directory. */
export interface CaredLog {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
}

export interface LogCare {
  /** Finishes or undoes what an earlier daemon was doing; before any service is started. */
  resume(naming: Naming): readonly (Resumed | Problem)[];
  /** See placeOf in log-identity.ts. */
  placeOf(path: string, credentials: Credentials | null): string;
  /** True if something is at the path. */
  exists(path: string): boolean;
  /** null: its directory is not there. */
  look(
    log: CaredLog,
    wanted: (base: string, name: string) => boolean,
  ): Promise<Surroundings | Problem | null>;
  rotate(order: RotationCall): Promise<Rotated | Problem>;
  remove(log: CaredLog, names: readonly string[]): Problem | undefined;
  /** @param isRotated names that rotation gives: the file may have another one of them by now */
  compress(
    log: CaredLog,
    name: string,
    isRotated: (base: string, name: string) => boolean,
  ): Promise<Compressed | Problem>;
  /** Tells when the file has come to `limit` bytes. */
  watchGrowth(path: string, limit: number, reached: () => void): Growth;
  /** Of the file system of a directory; undefined when it cannot be asked. */
  space(directory: string): Space | undefined;
  /** What was to be remembered last, by whatever daemon; undefined: nothing. */
  recall(): string | undefined | Failure;
  /** Replaces what was remembered before. */
  remember(text: string): Failure | undefined;
  /** Fulfilled when nothing is under way any more but rotations. */
  close(): Promise<void>;
}

export interface RotationCall extends CaredLog {
  readonly target: string;
  readonly naming: Naming;
  readonly freezer: () => Freezer | null;
}

export interface Growth {
  /** The file has been emptied. */
  rotated(): void;
  close(): void;
}

export interface Space extends Room {
  /** The same for all paths of one file system. */
  readonly device: string;
}

const JOURNAL = '.journal';

/** Bytes; more than any host has logs for. */
const MOST_REMEMBERED = 64 << 20;

/** @param journals a directory for what has to be known when this process dies, perhaps in the middle of a rotation */
export function systemLogCare(journals: string): LogCare {
  const compressor = new Compressor();
  const files = systemFiles();
  const memory = join(journals, 'logs.json');
  return {
    resume: (naming) => {
      const names = listed(journals);
      // What is not finished now is finished before the next rotation of that log.
      if ('code' in names) return [names];
      return names
        .filter((name) => name.endsWith(JOURNAL))
        .map((name) => resumeRotation(join(journals, name), naming));
    },
    placeOf,
    exists: (path) => fs.existsSync(path),
    look: async ({ path, credentials }, wanted) => {
      if (!fs.existsSync(dirname(path))) return null;
      return lookAround(path, credentials, wanted);
    },
    rotate: (order) => rotateLog({ ...order, journal: join(journals, nameOf(order.path) + JOURNAL) }),
    remove: ({ path, credentials }, names) => removeRotated(path, credentials, names),
    compress: ({ path, credentials }, name, isRotated) =>
      compressor.compress(path, credentials, name, isRotated),
    watchGrowth: (path, limit, reached) => new GrowthWatch({ path, limit, reached }),
    space,
    recall: () => {
      const text = files.read(memory, MOST_REMEMBERED);
      return isFailure(text) && text.failed === 'ENOENT' ? undefined : text;
    },
    remember: (text) => files.replace(memory, text, { mode: 0o600, durable: 'content' }),
    close: () => compressor.close(),
  };
}

function listed(directory: string): readonly string[] | Problem {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    const message = `${directory} cannot be read: ${inWords(error)}`;
    return { code: 'state-unreadable', severity: 'warning', message };
  }
}

/** Paths can be longer than a name may be (NAME_MAX). */
function nameOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

function space(directory: string): Space | undefined {
  try {
    const room = roomIn(directory);
    return room === undefined ? undefined : { device: String(fs.statSync(directory).dev), ...room };
  } catch {
    return undefined;
  }
}
