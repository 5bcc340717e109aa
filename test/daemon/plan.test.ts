/** What is told of a service whose file changes while somebody holds it, or while it runs by its schedule? */
import { describe, expect, it } from 'vitest';
import { planOf, waitingIn } from '../../src/daemon/plan.ts';
import { NO_REMOVALS } from '../../src/daemon/removals.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, NOW, run, type SituationChanges, schedule, situation, spec, WEB } from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const HELD = { held: { by: 'bob', at: NOW, reason: 'incident' } };
const OLD = defined({ hash: 'a', spec: { process: { env: { V: '2' } } } });
const NEW = defined({ hash: 'b', spec: { process: { env: { V: '3' } } } });

function state(desired: Defined): DesiredState {
  return { services: new Map([[WEB, desired]]), problems: [], files: 1, readable: true };
}

function told(inForce: Defined, reading: Defined, changes: SituationChanges) {
  const applied = { a: spec({ process: { env: { V: '2' } } }) };
  const tools = {
    removals: NO_REMOVALS,
    prune: false,
    store: new Store(new MemoryFiles(new Injector()), '/state', 'boot'),
    situation: () => situation({ desired: reading, intent: HELD, applied, ...changes }),
    inForce: state(inForce),
    now: NOW,
  };
  return {
    changes: planOf(state(reading), [WEB], tools),
    waits: waitingIn(state(reading), [WEB], tools).get(WEB),
  };
}

describe('the new definition of a service that is held', () => {
  const rolls = { action: 'roll', instances: 1, because: [{ path: 'process.env.V' }] };

  it.each([
    ['before it is followed', OLD],
    ['and when it is in force', NEW],
  ])('waits for the release while something of the older one runs, %s', (_, inForce) => {
    const { changes, waits } = told(inForce, NEW, { runs: [run({ hash: 'a' })] });
    expect(changes).toEqual([]);
    expect(waits).toMatchObject(rolls);
  });

  it('is defined where the release would do nothing, as it was stopped before', () => {
    const intent = { ...HELD, stopped: { by: 'al', at: NOW } };
    const { changes, waits } = told(OLD, NEW, { intent });
    expect(changes).toMatchObject([{ action: 'define' }]);
    expect(waits).toBeUndefined();
  });

  it('is no matter of releases when nobody holds it any more', () => {
    const intent = { held: { ...HELD.held, until: NOW } };
    const { changes, waits } = told(OLD, NEW, { intent, runs: [run({ hash: 'a' })] });
    expect(changes).toMatchObject([rolls]);
    expect(waits).toBeUndefined();
  });

  it('brings nothing that would be kept as it is anyway', () => {
    const desired = {
      ...OLD,
      problems: [{ code: 'yaml-syntax', severity: 'error', message: 'no' }],
    } as const;
    const { waits } = told(OLD, desired, { runs: [run({ hash: 'a' })] });
    expect(waits).toBeUndefined();
  });
});

describe('the new definition of a job', () => {
  const job = (hashed: string, command: string) =>
    defined({ hash: hashed, spec: { process: { command: [command], schedule: schedule('0 3 * * *') } } });
  const [was, is] = [job('a', 'one'), job('b', 'two')];
  const running = run({ hash: 'a' });
  const applied = { a: was.spec };

  it('is told field by field, and the same whether it runs or not', () => {
    const between = told(was, is, { intent: {}, applied }).changes;
    expect(between).toMatchObject([
      {
        action: 'define',
        instances: 0,
        because: [{ path: 'process.command[0]', from: '"one"', to: '"two"' }],
      },
    ]);
    expect(told(was, is, { intent: {}, applied, runs: [running] }).changes).toEqual(between);
  });

  it('touches neither the run nor its limits while that goes on', () => {
    const { actions } = decide(situation({ desired: is, runs: [running], applied }));
    expect(actions.filter(({ do: deed }) => deed === 'apply_live' || deed === 'signal')).toEqual([]);
  });
});
