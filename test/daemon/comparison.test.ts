/** How do two readings of the directory differ? */
import { expect, test } from 'vitest';
import { changesBetween, desiredHash, spoiltSince } from '../../src/daemon/comparison.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import { defined, name } from '../builders.ts';

function reading(...services: readonly Defined[]): DesiredState {
  const named = services.map((service) => [service.name, service] as const);
  return { services: new Map(named), problems: [], files: services.length, readable: true };
}

const [a, b, c] = [defined({ name: name('a') }), defined({ name: name('b') }), defined({ name: name('c') })];

test('services and fields, with the weightiest class of each', () => {
  const changed = defined({ name: name('b'), spec: { description: 'new', process: { args: ['-v'] } } });
  const described = defined({ name: name('c'), spec: { description: 'new' } });
  const changes = changesBetween(reading(a, b, c), reading(changed, described, defined({ name: name('d') })));
  expect(changes).toMatchObject([
    { service: 'a', action: 'stop', reason: 'removed' },
    {
      service: 'b',
      action: 'roll',
      because: [{ path: 'description' }, { path: 'process.args[0]', to: '"-v"' }],
    },
    { service: 'c', action: 'live', because: [{ path: 'description' }] },
    { service: 'd', action: 'start', reason: 'added' },
  ]);
  expect(changesBetween(reading(a, b), reading(a, b))).toEqual([]);
});

test('the hash of a reading differs with any field, any service and any error', () => {
  const same = desiredHash(reading(a, b));
  expect(desiredHash(reading(b, a))).toBe(same);
  const wrong = { ...b, problems: [{ code: 'yaml-syntax', severity: 'error', message: 'x' }] } as const;
  const others = [
    reading(a),
    reading(a, b, c),
    reading(a, defined({ name: name('b'), spec: { description: 'new' } })),
    reading(a, wrong),
    { ...reading(a, b), readable: false },
  ];
  for (const other of others) expect(desiredHash(other)).not.toBe(same);
});

test('what was good when it was applied, and is broken now, spoils a state; what was broken already does not', () => {
  const problem = { code: 'file-unreadable', severity: 'error', message: 'web.env does not exist' } as const;
  const file = { path: 'x.yaml', blob: '', digest: null, env_files: {} };
  const files = [
    { ...file, service: 'a', hash: 'h' },
    { ...file, service: 'b', hash: null },
    { ...file, service: 'c', hash: 'h' },
  ];
  const broken = (each: Defined): Defined => ({ ...each, problems: [problem] });
  expect(spoiltSince({ files }, reading(a, broken(b), c))).toEqual([]);
  expect(spoiltSince({ files }, reading(broken(a), b, c))).toEqual([problem]);
});
