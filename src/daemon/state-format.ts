/** In which format is a state file written, and may this release read it? */
import type { Problem } from '../model/problem.ts';

/**
 * Written into each file of the state as `version`. It counts up only when an older release would misunderstand what
 * a newer one wrote: keys that were added are completed when they are read back, and need no new number.
 */
export const STATE_FORMAT = 1;

export type StateText =
  | { readonly is: 'ours'; readonly value: Record<string, unknown> }
  /** Of a release after this one, which alone knows what it says. */
  | { readonly is: 'newer'; readonly format: number }
  | { readonly is: 'damaged' };

export function readState(text: string): StateText {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || !('version' in value)) return { is: 'damaged' };
  const { version } = value;
  if (version === STATE_FORMAT) return { is: 'ours', value: { ...value } };
  const newer = typeof version === 'number' && Number.isInteger(version) && version > STATE_FORMAT;
  return newer ? { is: 'newer', format: version } : { is: 'damaged' };
}

/** Why a daemon does not start on this file: it would forget what the newer one knew, and then write over it. */
export function newerState(path: string, format: number): Problem {
  return {
    code: 'state-newer',
    severity: 'error',
    message: `${path} was written by a newer processmaster (format ${format}; this one knows ${STATE_FORMAT})`,
    hint: 'nothing was started, stopped or written: start the newer release again, or go back to a copy of the state',
  };
}

/** undefined for text that is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
