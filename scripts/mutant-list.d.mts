export interface Mutant {
  /** Its place in the list, from 1. */
  readonly number: number;
  /** From the root of the checkout. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

export function readMutants(text: string): readonly Mutant[];
