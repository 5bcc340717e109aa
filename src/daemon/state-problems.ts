/** What is told of a file of the state directory that cannot be written, read or understood? */
import type { Problem } from '../model/problem.ts';
import type { Failure } from '../world/world.ts';

/** Directories in the state directory that are written when there is time, and not again before something changes. */
export const RARE = ['last-good', 'snapshots'] as const;
export type RarePart = (typeof RARE)[number];

/** The others are tried again by whoever writes them. */
export type Part = RarePart | 'events' | 'forward.json' | 'notified.json' | 'rotations';

/** @param problem undefined: it was written */
export type Wrote = (part: Part, problem: Problem | undefined) => void;

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** What lets the daemon write there again. */
export function writeAdvice(failed: string): string {
  const mend = NO_ROOM.has(failed) ? 'free space' : 'mend what keeps it from being written';
  return `${mend}, or point state_directory to a place that the daemon may write to`;
}

export function unwritable(path: string, { failed }: Failure): Problem {
  return {
    code: 'state-unwritable',
    severity: 'error',
    message: `${path} cannot be written (${failed})`,
    hint: writeAdvice(failed),
  };
}

export function unreadable(path: string, { failed }: Failure): Problem {
  return {
    code: 'state-unreadable',
    severity: 'error',
    message: `${path} cannot be read (${failed})`,
    hint: 'mend what keeps it from being read; remove it only if what it says may be forgotten',
  };
}

/** @param aside where it was put; a Failure: it could not be put there */
export function corrupt(path: string, aside: string | Failure, loss: string): Problem {
  const kept =
    typeof aside === 'string' ? `it was set aside as ${aside}` : `it was not kept (${aside.failed})`;
  return {
    code: 'state-corrupt',
    severity: 'error',
    message: `${path} cannot be read back: it is not the JSON of this version; ${kept}`,
    hint: `what runs is not affected, but ${loss}`,
  };
}
