import { describe, expect, it } from 'vitest';
import { parseRunDirectory, runId, type ServiceName } from '../../src/model/names.ts';
import { besideName, isBesideName } from '../../src/world/beside-name.ts';

const RUN = runId(Date.now(), 'abcdef');

describe('the name of a place beside a run', () => {
  it.each(['liveness', 'pre_start', 'reload-2'])('is none that a run could have: %s', (what) => {
    const name = besideName(what, RUN);
    expect(name).toBe(`beside.${what}.${RUN}`);
    expect(isBesideName(name)).toBe(true);
    expect(parseRunDirectory('web' as ServiceName, name)).toBeUndefined();
  });

  it.each(['', '..', 'a/b', 'A', '1x', 'a b', 'x'.repeat(33)])('is not made of %j', (what) => {
    expect(() => besideName(what, RUN)).toThrow(/no word/);
  });

  it.each([
    'beside',
    'beside.x',
    `beside..${RUN}`,
    'beside.notes.txt',
    `0.1.abcdef012345.${RUN}`,
    `beside.x.${RUN}/y`,
  ])('is not %s', (name) => expect(isBesideName(name)).toBe(false));
});
