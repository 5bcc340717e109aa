/** When is a saved plan no longer what would be done? */
import { expect, it } from 'vitest';
import { desiredHash } from '../../src/daemon/comparison.ts';
import { staleness } from '../../src/daemon/saved-plan.ts';
import type { Change } from '../../src/model/action.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import { defined, name, WEB } from '../builders.ts';

const files: DesiredState = { services: new Map([[WEB, defined()]]), problems: [], files: 1, readable: true };

function change(action: Change['action'], instances: number, service = WEB): Change {
  return { service, action, instances, because: [], reason: '' };
}

const stale = (was: readonly Change[], is: readonly Change[], now = files) =>
  staleness({ desired: desiredHash(files), changes: was }, now, () => is);

it('never for as long as the same is done to the same services', () => {
  expect(stale([], [])).toBeUndefined();
  expect(stale([change('roll', 2)], [change('roll', 2)])).toBeUndefined();
});

it('when the files say something else, whatever that would do', () => {
  const other = { ...files, services: new Map() };
  expect(stale([change('roll', 2)], [change('roll', 2)], other)).toBe(
    'the files have changed since the plan was made',
  );
});

it('when something else would be done, or to more instances or other services', () => {
  const moved = 'what runs has changed since the plan was made: ';
  expect(stale([change('roll', 2)], [change('roll', 1)])).toBe(`${moved}web`);
  expect(stale([change('roll', 2)], [change('start', 2)])).toBe(`${moved}web`);
  expect(stale([change('define', 0)], [change('roll', 1)])).toBe(`${moved}web`);
  expect(stale([change('roll', 1)], [change('stop', 1, name('db'))])).toBe(`${moved}db, web`);
});

it('not because a job has run meanwhile: no process is touched, before and after', () => {
  expect(stale([change('define', 0)], [change('live', 0)])).toBeUndefined();
  expect(stale([change('live', 0)], [change('define', 0)])).toBeUndefined();
});
