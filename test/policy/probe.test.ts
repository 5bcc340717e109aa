import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  NO_PROBE,
  type ProbeKind,
  type ProbeMemory,
  type ProbeResult,
  type ProbeSpec,
} from '../../src/model/probe.ts';
import {
  adoptedProbe,
  afterProbe,
  askedProbe,
  healthOf,
  nextProbe,
  type Probe,
  type Probes,
} from '../../src/policy/probe.ts';
import { NOW } from '../builders.ts';

const SPEC: ProbeSpec = {
  how: { tcp: { host: '127.0.0.1', port: 80 } },
  interval: 10_000,
  timeout: 5000,
  failure_threshold: 3,
  success_threshold: 1,
  initial_delay: 0,
};
const SLOW: ProbeSpec = { ...SPEC, success_threshold: 2 };

function answer(letter: string): ProbeResult {
  return letter === '+' ? { ok: true, detail: 'fine', elapsed: 1 } : { ok: false, detail: 'bad', elapsed: 1 };
}

/** The memory after answers, such as `++-`, one a second up to now. */
function after(answers: string, spec: ProbeSpec = SPEC, from: ProbeMemory = NO_PROBE): ProbeMemory {
  return [...answers].reduce((memory, letter, index) => {
    const at = NOW - 1000 * (answers.length - 1 - index);
    return afterProbe(askedProbe(memory, at), spec, answer(letter), at);
  }, from);
}

function probe(answers: string, spec: ProbeSpec = SPEC): Probe {
  return { spec, memory: after(answers, spec) };
}

describe('what is remembered of a probe', () => {
  it('counts answers in a row and in total, and since when it is good', () => {
    expect(after('--++')).toEqual({
      last: { ok: true, detail: 'fine', at: NOW },
      successes: 2,
      failures: 0,
      passed: NOW - 1000,
      asked: NOW,
      total: { ok: 2, failed: 2 },
    });
  });

  test.each<[answers: string, spec: ProbeSpec, passed: number | null]>([
    ['', SPEC, null],
    ['+', SPEC, NOW],
    ['+--', SPEC, NOW - 2000],
    ['+---', SPEC, null],
    ['+---+', SPEC, NOW],
    ['+--+--', SPEC, NOW - 5000],
    ['+', SLOW, null],
    ['+-+', SLOW, null],
    ['+-++', SLOW, NOW],
    ['++---+', SLOW, null],
  ])('after %j it is good since', (answers, spec, passed) => {
    expect(after(answers, spec).passed).toBe(passed);
  });

  it('is plain JSON', () => {
    const memory = after('-+-');
    expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
  });
});

describe('is the run well?', () => {
  test.each<[Probes, ready: boolean, live: string, started: string, because: string]>([
    [{}, true, 'alive', 'passed', 'no readiness probe'],
    [{ startup: probe('') }, false, 'alive', 'pending', 'startup has not answered yet'],
    [{ startup: probe('--') }, false, 'alive', 'pending', 'startup failed 2 times in a row (of 3): bad'],
    [{ startup: probe('---') }, false, 'alive', 'failed', 'startup failed 3 times in a row: bad'],
    [{ startup: probe('+', SLOW) }, false, 'alive', 'pending', 'startup succeeded 1 of 2 times: fine'],
    [{ startup: probe('--+') }, true, 'alive', 'passed', 'startup passed'],
    [{ readiness: probe('') }, false, 'alive', 'passed', 'readiness has not answered yet'],
    [{ readiness: probe('+') }, true, 'alive', 'passed', 'readiness passed: fine'],
    [{ readiness: probe('-') }, false, 'alive', 'passed', 'readiness failed 1 time in a row (of 3): bad'],
    [{ readiness: probe('+--') }, true, 'alive', 'passed', 'readiness failed 2 times in a row (of 3): bad'],
    [{ readiness: probe('+---') }, false, 'alive', 'passed', 'readiness failed 3 times in a row: bad'],
    [{ readiness: probe('+----+') }, true, 'alive', 'passed', 'readiness passed: fine'],
    [{ liveness: probe('') }, true, 'alive', 'passed', 'no readiness probe'],
    [{ liveness: probe('--') }, true, 'alive', 'passed', 'no readiness probe'],
    [{ liveness: probe('---') }, false, 'dead', 'passed', 'liveness failed 3 times in a row: bad'],
    [{ liveness: probe('---+') }, true, 'alive', 'passed', 'no readiness probe'],
    [
      { startup: probe(''), readiness: probe('+'), liveness: probe('---') },
      false,
      'alive',
      'pending',
      'startup has not answered yet',
    ],
    [
      { startup: probe('+'), readiness: probe('+'), liveness: probe('---') },
      false,
      'dead',
      'passed',
      'liveness failed 3 times in a row: bad',
    ],
    [
      { startup: probe('+'), readiness: probe(''), liveness: probe('+') },
      false,
      'alive',
      'passed',
      'readiness has not answered yet',
    ],
  ])('%#', (probes, ready, live, started, because) => {
    expect(healthOf(probes)).toEqual({ ready, live, started, because });
  });
});

describe('when is a probe asked?', () => {
  const moment = { startedAt: NOW, now: NOW, inFlight: false };
  const asked = (at: number): Probe => ({ spec: SPEC, memory: askedProbe(NO_PROBE, at) });
  const delayed: Probe = { spec: { ...SPEC, initial_delay: 7000 }, memory: NO_PROBE };

  it('first at the start of the run, or the initial delay later', () => {
    expect(nextProbe('readiness', { readiness: probe('') }, moment)).toEqual({ say: 'now' });
    const wait = { say: 'wait', until: NOW + 7000, from: NOW + 7000 };
    expect(nextProbe('readiness', { readiness: delayed }, moment)).toEqual(wait);
    expect(nextProbe('readiness', { readiness: delayed }, { ...moment, now: NOW + 6999 })).toEqual(wait);
    expect(nextProbe('readiness', { readiness: delayed }, { ...moment, now: NOW + 7000 })).toEqual({
      say: 'now',
    });
  });

  it('an interval after the begin of the one before', () => {
    const probes = { liveness: asked(NOW - 4000) };
    const wait = { say: 'wait', until: NOW + 6000, from: NOW + 5900 };
    expect(nextProbe('liveness', probes, moment)).toEqual(wait);
    expect(nextProbe('liveness', probes, { ...moment, now: NOW + 5899 })).toEqual(wait);
    expect(nextProbe('liveness', probes, { ...moment, now: NOW + 6000 })).toEqual({ say: 'now' });
  });

  it.each([
    ['a hundredth of its interval', 1000, 10],
    ['a tenth of a second', 3_600_000, 100],
  ])('together with those of others up to %s earlier', (_, interval, early) => {
    const liveness: Probe = { spec: { ...SPEC, interval }, memory: askedProbe(NO_PROBE, NOW) };
    const at = (now: number) => nextProbe('liveness', { liveness }, { ...moment, now }).say;
    expect(at(NOW + interval - early - 1)).toBe('wait');
    expect(at(NOW + interval - early)).toBe('now');
  });

  it('never two at a time', () => {
    const late = { ...moment, now: NOW + 60_000, inFlight: true };
    expect(nextProbe('liveness', { liveness: asked(NOW) }, late)).toEqual({ say: 'later' });
  });

  it('the others after startup has passed, and none after it has failed', () => {
    const probes = (answers: string): Probes => ({ startup: probe(answers), readiness: probe('') });
    const at = { ...moment, now: NOW + 60_000 };
    const says = (answers: string) =>
      (['startup', 'readiness', 'liveness'] as const).map((kind) => nextProbe(kind, probes(answers), at).say);
    expect(says('--')).toEqual(['now', 'later', 'never']);
    expect(says('--+')).toEqual(['never', 'now', 'never']);
    expect(says('---')).toEqual(['never', 'never', 'never']);
  });

  it('now, when the clock was set back behind the last one or the start', () => {
    expect(nextProbe('liveness', { liveness: asked(NOW + 3_600_000) }, moment)).toEqual({ say: 'now' });
    const future = { ...moment, startedAt: NOW + 3_600_000 };
    expect(nextProbe('readiness', { readiness: delayed }, future)).toEqual({ say: 'now' });
  });

  it('never later than an interval or the initial delay from now', () => {
    const time = fc.integer({ min: NOW - 100_000, max: NOW + 100_000 });
    fc.assert(
      fc.property(time, fc.option(time), fc.nat(30_000), (startedAt, last, delay) => {
        const spec = { ...SPEC, initial_delay: delay };
        const readiness = { spec, memory: { ...NO_PROBE, asked: last } };
        const next = nextProbe('readiness', { readiness }, { startedAt, now: NOW, inFlight: false });
        if (next.say === 'now') return;
        expect(next).toEqual({ say: 'wait', until: expect.any(Number), from: expect.any(Number) });
        const { until, from } = next.say === 'wait' ? next : { until: Number.NaN, from: Number.NaN };
        expect(from).toBeGreaterThan(NOW);
        expect(until).toBeGreaterThanOrEqual(from);
        expect(until).toBeLessThanOrEqual(NOW + Math.max(spec.interval, delay));
      }),
    );
  });
});

describe('a run that another daemon started', () => {
  const adopt = (kind: ProbeKind, answers: string, spec: ProbeSpec = SPEC): Probe => ({
    spec,
    memory: adoptedProbe(kind, after(answers, spec), NOW),
  });
  const unknown = (kind: ProbeKind): Probe => ({
    spec: SPEC,
    memory: adoptedProbe(kind, undefined, NOW),
  });

  it('is not ready before its probe says so again, which is asked at once', () => {
    const readiness = adopt('readiness', '+');
    expect(healthOf({ readiness })).toMatchObject({
      ready: false,
      because: 'readiness has not answered yet',
    });
    const moment = { startedAt: NOW - 60_000, now: NOW, inFlight: false };
    expect(nextProbe('readiness', { readiness }, moment)).toEqual({ say: 'now' });
    expect(healthOf({ readiness: { ...readiness, memory: after('+', SPEC, readiness.memory) } }).ready).toBe(
      true,
    );
  });

  it('is alive until it failed as often again', () => {
    const liveness = adopt('liveness', '---');
    const lives = (answers: string) =>
      healthOf({ liveness: { ...liveness, memory: after(answers, SPEC, liveness.memory) } }).live;
    expect(['', '--', '---'].map(lives)).toEqual(['alive', 'alive', 'dead']);
    expect(liveness.memory.total).toEqual({ ok: 0, failed: 3 });
  });

  it('has started when it had, and goes on starting when it had not', () => {
    const started = (startup: Probe) => healthOf({ startup }).started;
    expect(started(adopt('startup', '--+'))).toBe('passed');
    expect(adopt('startup', '--+').memory.passed).toBe(NOW);
    expect(started(adopt('startup', '--'))).toBe('pending');
    expect(started(adopt('startup', '---'))).toBe('pending');
    const again = adopt('startup', '--');
    expect(started({ ...again, memory: after('---', SPEC, again.memory) })).toBe('failed');
  });

  it('has started when nothing is known of it', () => {
    const probes = {
      startup: unknown('startup'),
      readiness: unknown('readiness'),
      liveness: unknown('liveness'),
    };
    expect(healthOf(probes)).toEqual({
      ready: false,
      live: 'alive',
      started: 'passed',
      because: 'readiness has not answered yet',
    });
    const moment = { startedAt: NOW - 60_000, now: NOW, inFlight: false };
    const says = (['startup', 'readiness', 'liveness'] as const).map(
      (kind) => nextProbe(kind, probes, moment).say,
    );
    expect(says).toEqual(['never', 'now', 'now']);
  });

  it('goes on waiting for what it was to say once, and does not forget that it was said', () => {
    const fd: ProbeSpec = { ...SPEC, how: { fd: 3 } };
    expect(adopt('startup', '++', fd).memory.passed).toBe(NOW - 1000);
    expect(healthOf({ startup: adopt('startup', '--', fd) }).started).toBe('pending');
  });
});
