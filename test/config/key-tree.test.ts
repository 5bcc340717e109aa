import { describe, expect, it } from 'vitest';
import { SERVICE_DEFAULTS } from '../../src/config/generated/defaults.ts';
import { interpolate } from '../../src/config/interpolate.ts';
import { counterparts, mapScalars, SERVICE_TREE } from '../../src/config/key-tree.ts';
import { NO_ORIGIN } from '../../src/config/raw-tree.ts';
import { readUnits } from '../../src/config/read-units.ts';

const loud = (value: unknown) => (typeof value === 'string' ? value.toUpperCase() : value);

describe('scalars of a tree', () => {
  const tree = { labels: { a: 'B', c: 'D' }, process: { command: ['run', 1], args: ['X'], env: { A: 'b' } } };

  it('are replaced, and the tree itself is as before', () => {
    const before = structuredClone(tree);
    const changed = mapScalars(tree, SERVICE_TREE, loud);
    expect(changed).toEqual({
      labels: { a: 'B', c: 'D' },
      process: { command: ['RUN', 1], args: ['X'], env: { A: 'B' } },
    });
    expect(tree).toEqual(before);
  });

  it('leave the maps and lists in which nothing changes', () => {
    const changed = mapScalars(tree, SERVICE_TREE, loud) as typeof tree;
    expect(changed.labels).toBe(tree.labels);
    expect(changed.process.args).toBe(tree.process.args);
    expect(changed.process.env).not.toBe(tree.process.env);
    expect(mapScalars(tree, SERVICE_TREE, (value) => value)).toBe(tree);
  });

  it('are not asked for where it is known what a map becomes', () => {
    const asked: unknown[] = [];
    const known = new Map<unknown, unknown>([[tree.process.env, 'known']]);
    const changed = mapScalars(tree, SERVICE_TREE, (value) => asked.push(value) && value, known);
    expect(changed).toMatchObject({ process: { env: 'known' } });
    expect(asked).toEqual(['B', 'D', 'run', 1, 'X']);
  });
});

describe('the defaults of a service', () => {
  it('name no variables: nobody looks for any in them', () => {
    expect(JSON.stringify(SERVICE_DEFAULTS)).not.toContain('${');
    const { tree } = interpolate(
      { ...SERVICE_DEFAULTS },
      { name: 'a', port: 1, env: {}, vars: {} },
      NO_ORIGIN,
    );
    expect(tree).toEqual(SERVICE_DEFAULTS);
  });

  it('mean the same where they are read once for all as where each of them is read', () => {
    const once = readUnits(SERVICE_DEFAULTS, SERVICE_TREE, NO_ORIGIN);
    const each = readUnits(structuredClone(SERVICE_DEFAULTS), SERVICE_TREE, NO_ORIGIN);
    expect(once).toEqual(each);
    expect(once.problems).toEqual([]);
  });

  it('have each their counterpart', () => {
    const [one, other] = [{ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }];
    expect([...counterparts(one, other)]).toEqual([
      [one, other],
      [one.a, other.a],
      [one.a.b, other.a.b],
      [one.a.b[0], other.a.b[0]],
    ]);
  });
});
