/** Who has a turn in a pass, and who only in the next one? */
import { describe, expect, it } from 'vitest';
import { type Around, Due } from '../../src/daemon/due.ts';
import type { ServiceName } from '../../src/model/names.ts';

const [A, B, C] = ['a', 'b', 'c'] as [ServiceName, ServiceName, ServiceName];
const asTheyCame: Around = { inOrder: (names) => names, behind: () => [] };

describe('a pass', () => {
  it('gives one turn to each that was due when it began, in the order that is asked for', () => {
    const due = new Due();
    for (const name of [A, B, C]) due.add(name);
    const had: ServiceName[] = [];
    for (const name of due.turns({ ...asTheyCame, inOrder: (names) => names.toReversed() })) {
      had.push(name);
      // What a turn makes due has it in the next pass.
      due.add(A);
    }
    expect(had).toEqual([C, B, A]);
    expect([due.has(A), due.has(B), due.isEmpty]).toEqual([true, false, false]);
  });

  it('gives none to whom it finds out something about, though he was due as well', () => {
    const due = new Due();
    for (const name of [A, B, C]) due.add(name);
    const had: ServiceName[] = [];
    for (const name of due.turns(asTheyCame)) {
      had.push(name);
      if (name === A) due.postpone(B);
    }
    expect(had).toEqual([A, C]);
    expect([...due.turns(asTheyCame)]).toEqual([B]);
    expect(due.isEmpty).toBe(true);
  });

  it('gives none to whom it finds out nothing about, where that depends on one that has lost its turn', () => {
    const [D, E] = ['d', 'e'] as [ServiceName, ServiceName];
    const on: Readonly<Record<string, readonly ServiceName[]>> = { [B]: [A], [C]: [B], [D]: [C], [E]: [A] };
    const due = new Due();
    for (const name of [A, B, C, D, E]) due.add(name);
    const had: ServiceName[] = [];
    for (const name of due.turns({ ...asTheyCame, behind: (name) => on[name] ?? [] })) {
      had.push(name);
      if (name === A) due.postpone(B);
      // It has had its turn, so everybody knows how it stands.
      if (name === A) due.postpone(A);
    }
    expect(had).toEqual([A, E]);
    expect([...due.turns(asTheyCame)].toSorted()).toEqual([A, B, C, D]);
  });

  it('leaves those due whose turn did not come', () => {
    const due = new Due();
    for (const name of [A, B]) due.add(name);
    for (const _ of due.turns(asTheyCame)) break;
    expect([due.has(A), due.has(B)]).toEqual([false, true]);
    expect([...due.unconsidered]).toEqual([A, B]);
  });
});
