import { describe, expect, it } from 'vitest';
import { followed } from '../../src/daemon/following.ts';
import type { Desired, DesiredState } from '../../src/model/spec.ts';
import { defined, name, problem, WEB } from '../builders.ts';

const OLD = defined({ spec: { instances: 1 } });
/** Read and good, but never followed; the file has been broken since. */
const UNFOLLOWED = defined({ spec: { instances: 2 }, problems: [problem({ code: 'yaml-syntax' })] });

const HOPELESS: Desired = { kind: 'broken', name: WEB, file: 'web.yaml', problems: UNFOLLOWED.problems };

function reading(...services: readonly Desired[]): DesiredState {
  const byName = new Map(services.map((one) => [one.name, one]));
  return { services: byName, problems: [], files: services.length, readable: true };
}

describe('a file that is broken now', () => {
  it('leaves the definition that was followed in force, not the last good text', () => {
    const { services } = followed(reading(OLD), reading(UNFOLLOWED), undefined);
    expect(services.get(WEB)).toEqual({ ...OLD, problems: UNFOLLOWED.problems });
  });

  it('is followed by its last good text where nothing was followed before', () => {
    const { services } = followed(reading(), reading(UNFOLLOWED), undefined);
    expect(services.get(WEB)).toEqual(UNFOLLOWED);
  });

  it('leaves it in force also where no good text is known any more', () => {
    const { services } = followed(reading(OLD), reading(HOPELESS), undefined);
    expect(services.get(WEB)).toEqual({ ...OLD, problems: UNFOLLOWED.problems });
  });

  it('replaces a service that had no good definition by its last good text', () => {
    const { services } = followed(reading(HOPELESS), reading(UNFOLLOWED), undefined);
    expect(services.get(WEB)).toEqual(UNFOLLOWED);
  });
});

describe('a reading for some services', () => {
  const db = defined({ name: name('db') });
  const other = defined({ spec: { instances: 3 } });

  it('changes and removes only these', () => {
    expect(followed(reading(OLD, db), reading(other), new Set([WEB])).services).toEqual(
      new Map<string, Desired>([
        ['web', other],
        ['db', db],
      ]),
    );
    expect([...followed(reading(OLD, db), reading(), new Set([WEB])).services.keys()]).toEqual(['db']);
  });
});
