/** How does a command say that it could not do what was asked, and with which exit code? */
import { didYouMean } from './did-you-mean.ts';
import type { Exit } from './exit-codes.ts';

/** Expected trouble on the way to an answer: a value that is printed, never thrown. */
export interface Refusal {
  readonly refused: {
    readonly exit: Exit;
    /** Stable, for programs: the code of the daemon's answer, or one of ours. */
    readonly code: string;
    /** One sentence without a full stop. */
    readonly message: string;
  };
}

export function refusal(exit: Exit, code: string, message: string): Refusal {
  return { refused: { exit, code, message } };
}

export function wrongUsage(message: string): Refusal {
  return refusal('usage', 'usage', message);
}

/** Exit 3, naming each unknown service and the known one that comes closest. */
export function unknownServices(unknown: readonly string[], known: readonly string[]): Refusal {
  const sentences = unknown.map(
    (name) => `no service is called ${JSON.stringify(name)}${didYouMean(name, known)}`,
  );
  return refusal('unknownService', 'unknown_service', sentences.join('; '));
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
