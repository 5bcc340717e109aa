import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetUser, overBudget } from '../../src/policy/log-budget.ts';

const file = (path: string, size: number, modified: number) => ({ path, size, modified });

describe('overBudget', () => {
  it('leaves everything where nothing is too much', () => {
    const users = [{ name: 'web', files: [file('/a.1', 60, 1), file('/a.2', 40, 0)] }];
    expect(overBudget(users, null)).toEqual([]);
    expect(overBudget(users, 100)).toEqual([]);
  });

  it('takes the oldest file of whoever uses most, and asks anew after each', () => {
    const users = [
      { name: 'web', files: [file('/web.1', 50, 30), file('/web.2', 50, 10)] },
      { name: 'db', files: [file('/db.1', 30, 20), file('/db.2', 40, 5)] },
    ];
    // web (100) gives /web.2; then db (70) is the larger one.
    expect(overBudget(users, 130)).toEqual(['/web.2']);
    expect(overBudget(users, 100)).toEqual(['/web.2', '/db.2']);
  });

  it('counts the logs of one service together', () => {
    const users = [
      { name: 'web', files: [file('/out.1', 30, 2)] },
      { name: 'db', files: [file('/db.1', 50, 1)] },
      { name: 'web', files: [file('/err.1', 30, 1)] },
    ];
    expect(overBudget(users, 100)).toEqual(['/err.1']);
  });

  it('never takes more than is needed, and never a newer file of a user before an older one', () => {
    const files = fc.array(fc.record({ size: fc.integer({ min: 1, max: 99 }), modified: fc.nat(20) }), {
      maxLength: 6,
    });
    const drawn = fc.array(files, { maxLength: 5 }).map((all): BudgetUser[] =>
      all.map((each, user) => ({
        name: `user${user}`,
        files: each.map(({ size, modified }, index) => file(`/${user}/${index}`, size, modified)),
      })),
    );
    fc.assert(
      fc.property(drawn, fc.nat(800), (users, most) => {
        const going = overBudget(users, most);
        const all = users.flatMap((user) => user.files);
        const sizeOf = (paths: readonly string[]) =>
          all.filter(({ path }) => paths.includes(path)).reduce((sum, { size }) => sum + size, 0);
        const total = sizeOf(all.map(({ path }) => path));
        expect(total - sizeOf(going)).toBeLessThanOrEqual(most);
        if (going.length > 0) expect(total - sizeOf(going.slice(0, -1))).toBeGreaterThan(most);
        for (const { files: own } of users) {
          const gone = own.filter(({ path }) => going.includes(path));
          const kept = own.filter(({ path }) => !going.includes(path));
          for (const old of gone) for (const young of kept) expect(old.modified <= young.modified).toBe(true);
        }
      }),
    );
  });
});
