/** Which number (or signal) does each value with a unit stand for? */

import { nearest } from '../model/nearest.ts';
import type { Problem } from '../model/problem.ts';
import { parseSignal, SIGNALS } from '../model/signals.ts';
import {
  parseCount,
  parseCpu,
  parseDuration,
  parseInstant,
  parseLimit,
  parseMode,
  parseSize,
  parseUmask,
  type Refused,
  type Scalar,
} from '../model/units.ts';
import { decodeBase64 } from './base64.ts';
import { SERVICE_DEFAULTS } from './generated/defaults.ts';
import { counterparts, type KeyNode, mapScalars, SERVICE_TREE } from './key-tree.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

type Read = (value: Scalar) => Scalar | null | Refused;

/** PID_MAX_LIMIT of a 64-bit kernel: 2^22 (include/linux/threads.h). */
const MOST_PIDS = 4_194_304;

/** One reader for each grammar that the schemas name in `x-unit`; texts and paths need none. */
const READERS: Readonly<Record<string, Read>> = {
  duration: parseDuration,
  'duration-or-never': (value) => (value === 'never' ? null : parseDuration(value)),
  size: (value) => notZero(parseSize(value)),
  'size-or-zero': parseSize,
  bytes: (value) => enough(parseSize(value)),
  cpu: parseCpu,
  count: (value) => parseCount(value, MOST_PIDS),
  limit: parseLimit,
  mode: parseMode,
  umask: parseUmask,
  signal: readSignal,
  'reload-signal': readReloadSignal,
  instant: parseInstant,
  base64: readBase64,
};

/**
 * The tree with milliseconds, bytes, thousandths of a core, permission bits and signal names in it.
 * @param skip values that cannot be read yet
 */
export function readUnits(
  tree: unknown,
  keys: KeyNode,
  origin: Origin,
  skip: (value: Scalar) => boolean = () => false,
): { readonly tree: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const change = (value: Scalar, { fact }: KeyNode, path: Path) => {
    const reader = READERS[fact?.grammar ?? ''];
    if (reader === undefined || skip(value)) return value;
    const result = reader(value);
    if (typeof result !== 'object' || result === null) return result;
    problems.push(problemAt(origin, path, { code: 'value-invalid', says: result.refused }));
    return value;
  };
  return {
    tree: mapScalars(tree, keys, change, keys === SERVICE_TREE ? readDefaults() : undefined),
    problems,
  };
}

let defaultsRead: ReadonlyMap<unknown, unknown> | undefined;

/** What the defaults of a service mean, each of their maps and lists. */
function readDefaults(): ReadonlyMap<unknown, unknown> {
  defaultsRead ??= counterparts(
    SERVICE_DEFAULTS,
    mapScalars(SERVICE_DEFAULTS, SERVICE_TREE, (value, { fact }) => {
      const reader = READERS[fact?.grammar ?? ''];
      return reader === undefined ? value : reader(value);
    }),
  );
  return defaultsRead;
}

function notZero(size: number | null | Refused): number | null | Refused {
  return size === 0
    ? { refused: '0 leaves nothing to run in; remove the key, or write max, for no limit' }
    : size;
}

/** The least that makes sense for a file that is not rotated all the time. */
const LEAST_BYTES = 1024;

function enough(size: number | null | Refused): number | Refused {
  if (size === null) return { refused: 'max is no size; to rotate by time, use rotation_mode: time' };
  return typeof size === 'number' && size < LEAST_BYTES
    ? { refused: `${size} bytes are too few; the least is 1K` }
    : size;
}

/** Stays as it is: only a secret may hold what it decodes to. */
function readBase64(value: Scalar): Scalar | Refused {
  const decoded = decodeBase64(String(value));
  return 'refused' in decoded ? decoded : value;
}

function readSignal(value: Scalar): string | Refused {
  if (value === 'SIGTERM') return value;
  const signal = anySignal(value);
  if (signal === 'SIGSTOP' || signal === 'SIGCONT') return { refused: `${signal} ends no process` };
  return signal;
}

/** signal(7): these two cannot be caught, so no process reads its files again at them. */
function readReloadSignal(value: Scalar): string | Refused {
  const signal = anySignal(value);
  if (signal === 'SIGKILL' || signal === 'SIGSTOP') return { refused: `no process can act upon ${signal}` };
  return signal;
}

function anySignal(value: Scalar): string | Refused {
  const signal = typeof value === 'boolean' ? undefined : parseSignal(value);
  if (signal !== undefined) return signal;
  const text = String(value).slice(0, 40);
  const near = nearest(text.toUpperCase().replace(/^(?!SIG)/, 'SIG'), Object.keys(SIGNALS));
  return {
    refused: `${JSON.stringify(text)} is no signal${near === undefined ? '' : `; did you mean ${near}?`}`,
  };
}
