import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { differences, lookAtSources, type SourceTree } from '../../src/world/source-tree.ts';

const NOTHING: SourceTree = new Map();

describe('a look at source files', () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => {
    fs.rmSync(root, { recursive: true });
  });

  function look(paths: readonly string[], before: SourceTree = NOTHING) {
    return lookAtSources(
      paths,
      () => false,
      before,
      () => false,
    );
  }

  it('keeps what it knew of a path that exists and cannot be read', async () => {
    const loop = join(root, 'loop');
    fs.symlinkSync(loop, loop);
    const known = { content: 'known', stamp: undefined };
    const before = new Map([
      [loop, known],
      [`${loop}/a`, known],
      [`${loop}er`, known],
    ]);
    const { tree, unseen } = await look([loop, join(root, 'missing')], before);
    expect(unseen).toEqual([{ path: loop, reason: expect.stringContaining('ELOOP') }]);
    expect(differences(before, tree)).toEqual([`${loop}er`]);
  });

  it('does not read a file again whose stamp is the same', async () => {
    // Written long ago: only such a file has a stamp that tells anything.
    const old = '/etc/passwd';
    const { tree } = await look([old]);
    const { stamp } = tree.get(old)!;
    expect(stamp).toBeTypeOf('string');
    const before = new Map([[old, { content: 'remembered', stamp }]]);
    expect((await look([old], before)).tree.get(old)?.content).toBe('remembered');
    const other = new Map([[old, { content: 'remembered', stamp: `${stamp}0` }]]);
    expect((await look([old], other)).tree).toEqual(tree);
  });

  it('reads a file again that may have been written twice within one tick of the clock', async () => {
    const file = join(root, 'fresh');
    fs.writeFileSync(file, 'a');
    const first = (await look([root])).tree;
    expect(first.get(file)?.stamp).toBeUndefined();
    fs.writeFileSync(file, 'b');
    expect(differences(first, (await look([root], first)).tree)).toEqual([file]);
  });

  it('knows a large file by size and time alone', async () => {
    const file = join(root, 'large');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 16 * 1024 * 1024 + 1);
    const first = (await look([root])).tree;
    fs.utimesSync(file, 1, 1);
    const second = (await look([root], first)).tree;
    expect(differences(first, second)).toEqual([file]);
    expect(differences(second, (await look([root], second)).tree)).toEqual([]);
  });

  it('reads files of every other size as they are, the empty one too', async () => {
    for (const size of [0, 1, 65_536, 200_000]) fs.writeFileSync(join(root, `${size}`), 'x'.repeat(size));
    const first = (await look([root])).tree;
    expect([...first.keys()].sort()).toEqual(
      ['0', '1', '200000', '65536'].map((name) => join(root, name)).sort(),
    );
    expect(new Set([...first.values()].map(({ content }) => content)).size).toBe(4);
    expect(differences(first, (await look([root])).tree)).toEqual([]);
    fs.writeFileSync(join(root, '200000'), `${'x'.repeat(199_999)}y`);
    expect(differences(first, (await look([root])).tree)).toEqual([join(root, '200000')]);
  });
});
