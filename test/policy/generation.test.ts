import { describe, expect, it } from 'vitest';
import { generationOf, isCurrent } from '../../src/policy/generation.ts';
import { hash, memory, run } from '../builders.ts';

const [A, B, C] = [hash('a'), hash('b'), hash('c')];

describe('the generation of new runs', () => {
  it('is 1 for a service that never ran', () => {
    expect(generationOf(A, memory(), [], {})).toBe(1);
  });

  it('stays while the definition stays', () => {
    expect(generationOf(A, memory({ generation: 4, generationHash: A }), [], {})).toBe(4);
  });

  it('counts up with another definition, also with one that was there before', () => {
    let known = memory();
    const generations = [A, B, A, A, B, C].map((wanted) => {
      const generation = generationOf(wanted, known, [], {});
      known = memory({ generation, generationHash: wanted });
      return generation;
    });
    expect(generations).toEqual([1, 2, 3, 3, 4, 5]);
  });

  it('is read back from the runs when the memory is lost', () => {
    const runs = [run({ slot: 0, generation: 6, hash: 'a' }), run({ slot: 1, generation: 7, hash: 'b' })];
    for (const order of [runs, [...runs].reverse()]) {
      expect(generationOf(B, memory(), order, {})).toBe(7);
      expect(generationOf(A, memory(), order, {})).toBe(8);
      expect(generationOf(C, memory(), order, {})).toBe(8);
    }
  });

  it('never falls below a run that is seen, even with an old memory', () => {
    const old = memory({ generation: 2, generationHash: A });
    expect(generationOf(B, old, [run({ generation: 5, hash: 'b' })], {})).toBe(5);
    expect(generationOf(A, old, [run({ generation: 5, hash: 'b' })], {})).toBe(6);
  });

  it('counts up once for a restart by hand', () => {
    const restart = { minGeneration: 5 };
    expect(generationOf(A, memory({ generation: 4, generationHash: A }), [], restart)).toBe(5);
    expect(generationOf(A, memory({ generation: 5, generationHash: A }), [], restart)).toBe(5);
  });

  it('reaches the floor of a restart by hand when everything else is lost', () => {
    expect(generationOf(A, memory(), [], { minGeneration: 9 })).toBe(9);
  });
});

describe('is a run current?', () => {
  it('when it has the wanted definition, however old it is', () => {
    expect(isCurrent(run({ hash: 'a', generation: 1 }), A, {})).toBe(true);
    expect(isCurrent(run({ hash: 'b', generation: 9 }), A, {})).toBe(false);
  });

  it('not when it is older than the last restart by hand', () => {
    expect(isCurrent(run({ hash: 'a', generation: 4 }), A, { minGeneration: 5 })).toBe(false);
    expect(isCurrent(run({ hash: 'a', generation: 5 }), A, { minGeneration: 5 })).toBe(true);
  });
});
