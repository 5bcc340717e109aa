/** Which colours do words have on a terminal, and when is there any colour at all? */
import type { ServiceState } from '../api/contract.ts';

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'dim' | 'bold';

export type Paint = (colour: Colour | undefined, text: string) => string;

/** SGR parameters of ECMA-48, 8.3.117. */
const SGR: Readonly<Record<Colour, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
};

export const STATE_COLOURS: Readonly<Record<ServiceState, Colour>> = {
  running: 'green',
  starting: 'yellow',
  stopping: 'yellow',
  waiting: 'yellow',
  backoff: 'yellow',
  failed: 'red',
  unknown: 'red',
  held: 'magenta',
  stopped: 'dim',
  completed: 'dim',
  scheduled: 'cyan',
};

/**
 * Colours only on a terminal that has them, and only when nobody said no: `--no-color`, or NO_COLOR set to anything
 * but the empty string (no-color.org).
 */
export function paintFor(options: {
  readonly terminal: boolean;
  readonly refused: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Paint {
  const { NO_COLOR, TERM } = options.environment;
  const plain = !options.terminal || options.refused || (NO_COLOR ?? '') !== '' || TERM === 'dumb';
  if (plain) return (_, text) => text;
  return (colour, text) =>
    // A word that this pmctl does not know has no colour.
    colour === undefined || text === '' || !Object.hasOwn(SGR, colour)
      ? text
      : `\u001b[${SGR[colour]}m${text}\u001b[0m`;
}
