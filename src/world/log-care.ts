/** What does whoever keeps the logs in order ask of this host? */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import type { Freezer } from './cgroup-freeze.ts';
import { type Compressed, Compressor } from './compress.ts';
import { codeOf } from './errno.ts';
import { GrowthWatch } from './growth-watch.ts';
import { openPlace } from './log-place.ts';
import { type Rotated, rotateLog } from './log-rotation.ts';
import { lookAround, removeRotated, type Surroundings } from './rotated-files.ts';
import { type Naming, type Resumed, resumeRotation } from './rotation-finish.ts';

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
  /**
   * Where the log really is: the same for all its names. What is not there yet counts as what it will be. The path
   * itself where it must not be trusted: nobody's link makes a log of somebody else's file.
   */
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
  /** Fulfilled when nothing is under way any more but rotations. */
  close(): Promise<void>;
}

export interface RotationCall extends CaredLog {
  readonly target: string;
  readonly naming: Naming;
  readonly freezer: Freezer | null;
}

export interface Growth {
  /** The file has been emptied. */
  rotated(): void;
  close(): void;
}

export interface Space {
  /** The same for all paths of one file system. */
  readonly device: string;
  /** Bytes that the user of a service may still write. */
  readonly free: number;
}

/** @param journals a directory for what has to be known when this process dies in the middle of a rotation */
export function systemLogCare(journals: string): LogCare {
  const compressor = new Compressor();
  return {
    resume: (naming) => listed(journals).map((name) => resumeRotation(join(journals, name), naming)),
    placeOf,
    exists: (path) => fs.existsSync(path),
    look: async ({ path, credentials }, wanted) => {
      if (!fs.existsSync(dirname(path))) return null;
      return lookAround(path, credentials, wanted);
    },
    rotate: (order) => rotateLog({ ...order, journal: join(journals, `${nameOf(order.path)}.journal`) }),
    remove: ({ path, credentials }, names) => removeRotated(path, credentials, names),
    compress: ({ path, credentials }, name, isRotated) =>
      compressor.compress(path, credentials, name, isRotated),
    watchGrowth: (path, limit, reached) => new GrowthWatch({ path, limit, reached }),
    space,
    close: () => compressor.close(),
  };
}

function listed(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function placeOf(path: string, credentials: Credentials | null): string {
  let rest = '';
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    try {
      return join(realName(at, credentials), rest);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return path;
    }
    rest = join(basename(at), rest);
  }
  return path;
}

/** The directory must be there. */
function realName(path: string, credentials: Credentials | null): string {
  const place = openPlace(path, credentials);
  try {
    return join(fs.realpathSync.native(place.at('.')), place.base);
  } finally {
    place.close();
  }
}

/** Paths can be longer than a name may be (NAME_MAX). */
function nameOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

function space(directory: string): Space | undefined {
  try {
    const { bavail, bsize } = fs.statfsSync(directory);
    return { device: String(fs.statSync(directory).dev), free: bavail * bsize };
  } catch {
    return undefined;
  }
}
