/** Where does chance come from in a simulation? The same seed and purpose give the same numbers, always. */
import type { Random } from '../../src/world/world.ts';

/** A stream of chance of its own: drawing from one never changes another. */
export class Chance implements Random {
  #state: number;

  constructor(seed: number, purpose: string) {
    let mixed = seed >>> 0;
    for (const letter of purpose) mixed = Math.imul(mixed ^ (letter.codePointAt(0) ?? 0), 0x9e3779b1) >>> 0;
    this.#state = mixed;
    for (let warmUp = 0; warmUp < 4; warmUp++) this.next();
  }

  /** 0 <= x < 1. A counter whose bits are mixed by two multiplications (the finaliser of MurmurHash3). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.next() * choices.length)] ?? choices[0];
  }

  /** Picks by weight. */
  weighed<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of entries) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('no weights');
  }
}
