import { expect, it } from 'vitest';
import { NO_PROBE } from '../../src/model/probe.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, NOW, run, runsRemembered, situation } from '../builders.ts';

const times = { interval: 10_000, timeout: 5000, initial_delay: 0 };
const liveness = { how: { exec: ['ask'] }, ...times, failure_threshold: 1, success_threshold: 1 };
const desired = defined({ spec: { probes: { liveness } } });
const alive = run({ hash: desired.hash[0] ?? '' });

it('a look while a probe is in flight keeps the time of the next one: its success wakes nobody', () => {
  const probes = { liveness: { ...NO_PROBE, asked: NOW - 1000 } };
  const runs = runsRemembered([alive, { met: true, readySince: NOW - 1000, postStarted: true, probes }]);
  const { actions, wakeAt, wakeFrom } = decide(
    situation({
      desired,
      runs: [alive],
      memory: { runs, generation: 1, generationHash: desired.hash },
      inFlight: new Set([`${alive.key.id} liveness`]),
    }),
  );
  expect(actions).toEqual([]);
  expect({ wakeAt, wakeFrom }).toEqual({ wakeAt: NOW + 9000, wakeFrom: NOW + 8900 });
});

it('whoever asks may be looked at for the next time a little early, together with others', () => {
  const probes = { liveness: { ...NO_PROBE, asked: NOW - 9950 } };
  const runs = runsRemembered([alive, { met: true, readySince: NOW - 1000, postStarted: true, probes }]);
  const one = { desired, runs: [alive], memory: { runs, generation: 1, generationHash: desired.hash } };
  const asked = decide(situation(one));
  expect(asked.actions).toMatchObject([{ do: 'probe', kind: 'liveness' }]);
  expect(asked).toMatchObject({ wakeAt: NOW + 10_000, wakeFrom: NOW + 9900 });
  const waiting = decide(situation({ ...one, memory: asked.memory, now: NOW + 1000 }));
  expect(waiting).toMatchObject({ actions: [], wakeAt: NOW + 10_000, wakeFrom: NOW + 9900 });
});
