import { beforeEach, describe, expect, it } from 'vitest';
import { Besides } from '../../src/daemon/besides.ts';
import { Store } from '../../src/daemon/store.ts';
import { startOfRun } from '../../src/model/names.ts';
import type { ProbeKind, ProbeMeans, ProbeResult, ProbeSpec } from '../../src/model/probe.ts';
import type { ServiceSpec } from '../../src/model/spec.ts';
import { besides as named } from '../../src/reconcile/situation.ts';
import { nextTurn } from '../../src/world/turn.ts';
import type { BesideOutcome, Containment, Launch, Prober, World } from '../../src/world/world.ts';
import type { Part } from '../builders.ts';
import {
  defined,
  memory,
  NOW,
  problem,
  run,
  runsRemembered,
  situation,
  slot,
  stopProgress,
  WEB,
} from '../builders.ts';
import { fakeTools } from '../executor/fake-tools.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const RUN = run({ slot: 1 });
const KEY = RUN.key;

function probeSpec(how: ProbeMeans): ProbeSpec {
  return { how, interval: 1000, timeout: 2000, failure_threshold: 3, success_threshold: 1, initial_delay: 0 };
}

describe('what goes on beside a run', () => {
  let store: Store;
  let asked: unknown[];
  /** What the log is found to say. */
  let said: ProbeResult;
  let answer: (result: ProbeResult) => void;
  let cancelled: number;
  let commands: { what: string; launch: Launch; timeout: number; done: (ended: BesideOutcome) => void }[];
  let refusal: ReturnType<typeof problem> | undefined;
  let marked: number;
  let passed: number;
  let complaints: string[];
  let reported: string[];
  let beside: Besides;

  beforeEach(() => {
    store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
    store.setMemory(WEB, memory({ runs: runsRemembered([RUN, { port: 4007, logFrom: 12 }]) }));
    asked = [];
    cancelled = 0;
    commands = [];
    refusal = undefined;
    marked = 0;
    passed = 50;
    complaints = [];
    reported = [];
    const fake = fakeTools();
    const ask = (...question: unknown[]) => {
      answer = question.pop() as typeof answer;
      asked.push(question);
      return () => {
        cancelled += 1;
      };
    };
    const prober: Prober = {
      http: ask,
      tcp: ask,
      sizeOf: (fd) => fd * 100,
    };
    const containment: Partial<Containment> = {
      ...fake.world.containment,
      runBeside: (_key, what, launch, timeout, done) => {
        if (refusal !== undefined) return refusal;
        commands.push({ what, launch, timeout, done });
        return {
          cancel: () => {
            cancelled += 1;
          },
        };
      },
    };
    const clock = { now: () => NOW + passed, wall: () => NOW + passed, after: () => () => {} };
    const random = { next: () => 0 };
    const world = { ...fake.world, clock, random, prober, containment: containment as Containment };
    beside = new Besides({
      ...fake,
      world: world as World,
      store,
      mark: () => {
        marked += 1;
      },
      report: ({ name }) => reported.push(name),
      complain: ({ message }) => complaints.push(message),
      openLogProbe: (question) => {
        asked.push([question]);
        return {
          ask: () => Promise.resolve(said),
          close: () => {
            cancelled += 1;
          },
        };
      },
    });
  });

  function now(part: Part<ServiceSpec> = {}) {
    return situation({ desired: defined({ spec: part }), runs: [RUN], memory: store.memory(WEB) });
  }

  function probe(kind: ProbeKind, how: ProbeMeans, part: Part<ServiceSpec> = {}): void {
    beside.probe({ do: 'probe', run: KEY, kind, spec: probeSpec(how), because: '' }, now(part));
  }

  const remembered = (kind: ProbeKind) => store.memory(WEB).runs[KEY.id]?.probes[kind];

  it('asks an http probe with the place and the port of the run, and is in flight until the answer', () => {
    const http = {
      url: 'http://127.0.0.1:${port}/${instance}',
      method: 'GET',
      headers: { a: '${port}' },
      status: [200],
    };
    probe('readiness', { http });
    expect(asked).toEqual([[{ ...http, url: 'http://127.0.0.1:4007/1', headers: { a: '4007' } }, 2000]]);
    expect(beside.inFlight.has(named(KEY.id, 'readiness'))).toBe(true);
    answer({ ok: true, detail: '200 in 1 ms', elapsed: 1 });
    expect(beside.inFlight.has(named(KEY.id, 'readiness'))).toBe(false);
    expect(remembered('readiness')).toMatchObject({
      passed: NOW + 50,
      last: { ok: true, detail: '200 in 1 ms' },
    });
    expect(marked).toBe(1);
  });

  it('has the service looked at again for a failure and for the first success, and for no other', () => {
    for (const [ok, looks] of [
      [true, 1],
      [true, 1],
      [false, 2],
      [true, 3],
      [true, 3],
    ] as const) {
      probe('liveness', { tcp: { host: '::1', port: 'auto' } });
      answer({ ok, detail: '', elapsed: 0 });
      expect(marked).toBe(looks);
    }
    expect(asked[0]).toEqual([{ host: '::1', port: 4007 }, 2000]);
  });

  it.each<[BesideOutcome, boolean, string]>([
    [{ kind: 'exited', code: 0 }, true, 'exited with code 0'],
    [{ kind: 'exited', code: 2 }, false, 'exited with code 2'],
    [{ kind: 'signaled', signal: 'SIGSEGV', oom: false }, false, 'killed by SIGSEGV'],
    [{ kind: 'timed_out' }, false, 'did not end within 2 s'],
  ])('takes the end of a command for its answer: %j', (ended, ok, detail) => {
    probe('liveness', { exec: ['check', '${port}'] });
    expect(commands).toMatchObject([
      { what: 'liveness', timeout: 2000, launch: { argv: ['check', '4007'] } },
    ]);
    commands[0]?.done(ended);
    expect(remembered('liveness')?.last).toMatchObject({ ok, detail });
  });

  it('counts a command that cannot be run as a failure', () => {
    refusal = problem({ message: 'no process left' });
    probe('liveness', { exec: ['check'] });
    expect(remembered('liveness')?.last).toMatchObject({ ok: false, detail: 'no process left' });
  });

  it('does not count what the host was too short of something to ask', () => {
    refusal = problem({ message: 'no process left', passing: true });
    probe('liveness', { exec: ['check'] });
    refusal = undefined;
    probe('readiness', { tcp: { host: '::1', port: 1 } });
    answer({ ok: false, detail: 'too many open files', elapsed: 0, passing: true });
    for (const kind of ['liveness', 'readiness'] as const) {
      expect(remembered(kind)?.last ?? null).toBeNull();
      expect(beside.inFlight.has(named(KEY.id, kind))).toBe(false);
    }
    expect(complaints).toEqual([
      'the liveness probe of instance 1 could not be asked: no process left',
      'the readiness probe of instance 1 could not be asked: too many open files',
    ]);
  });

  it('looks for a line from where the log was when the run started', async () => {
    said = { ok: false, detail: 'not yet', elapsed: 0 };
    probe('startup', { log: '^ready$' });
    expect(beside.inFlight.has(named(KEY.id, 'startup'))).toBe(true);
    await nextTurn();
    expect(beside.inFlight.has(named(KEY.id, 'startup'))).toBe(false);
    expect(remembered('startup')).toMatchObject({ passed: null, failures: 1 });
    said = { ok: true, detail: 'ready', elapsed: 0 };
    probe('startup', { log: '^ready$' });
    await nextTurn();
    expect(remembered('startup')?.passed).toBe(NOW + 50);
    // One reader, which goes on where it stopped.
    const since = startOfRun(KEY.id);
    expect(asked).toEqual([
      [{ path: '/srv/web/stdout.log', credentials: null, since, from: 12, pattern: '^ready$' }],
    ]);
    probe('startup', { log: '^other$' });
    expect([asked.length, cancelled]).toEqual([2, 1]);
    beside.forget(KEY);
    await nextTurn();
    expect(cancelled).toBe(2);
    expect(remembered('startup')?.last?.ok).toBe(true);
  });

  it('waits for a newline on a descriptor', () => {
    beside.started(KEY, defined({ spec: { probes: { startup: probeSpec({ fd: 5 }) } } }), null);
    probe('startup', { fd: 5 });
    expect(remembered('startup')?.last).toMatchObject({
      ok: false,
      detail: 'no newline on descriptor 5 yet',
    });
    beside.heard(KEY, probeSpec({ fd: 5 }));
    expect(remembered('startup')).toMatchObject({ passed: NOW + 50, failures: 0 });
  });

  it('waits for no newline of a run that was started without the descriptor', () => {
    beside.started(KEY, defined(), null);
    probe('startup', { fd: 5 });
    expect(remembered('startup')).toMatchObject({
      passed: NOW + 50,
      last: { ok: true, detail: 'it was started without descriptor 5' },
    });
  });

  it('wants no answers about a run that is gone', () => {
    probe('readiness', { tcp: { host: '::1', port: 1 } });
    probe('liveness', { exec: ['check'] });
    beside.forget(KEY);
    expect(cancelled).toBe(2);
    expect(beside.inFlight.has(named(KEY.id, 'readiness'))).toBe(false);
  });

  describe('the hook before a start', () => {
    const hooks = { pre_start: { command: ['prepare'], timeout: 700 } };

    function prepare(): void {
      const preStart = {
        run: KEY.id,
        generation: 1,
        digest: defined({ spec: { hooks } }).digest,
        state: 'running',
      } as const;
      const before = store.memory(WEB);
      store.setMemory(WEB, { ...before, slots: { 1: slot({ preStart }) } });
      beside.hook({ do: 'hook', run: KEY, hook: 'pre_start', because: '' }, now({ hooks }));
    }

    it('lets the start go on when it has succeeded', () => {
      prepare();
      expect(commands).toMatchObject([{ what: 'pre_start', timeout: 700, launch: { argv: ['prepare'] } }]);
      commands[0]?.done({ kind: 'exited', code: 0 });
      expect(store.memory(WEB).slots[1]).toMatchObject({ preStart: { state: 'passed' }, next: null });
      expect(marked).toBe(1);
    });

    it.each<[string, BesideOutcome]>([
      ['its pre_start hook exited with code 1', { kind: 'exited', code: 1 }],
      ['its pre_start hook did not end within 0.7 s', { kind: 'timed_out' }],
    ])('is a failed start when it fails: %s', (message, ended) => {
      prepare();
      commands[0]?.done(ended);
      const after = store.memory(WEB).slots[1];
      expect(after).toMatchObject({ preStart: null, next: { delay: 1000 } });
      expect(reported).toEqual(['worker_exited']);
      expect(after?.exits[0]?.outcome).toMatchObject({ kind: 'not_started', problem: { message } });
      // Where what the hook wrote begins in the two logs.
      expect(after?.exits[0]).toMatchObject({ logFrom: 2000, errFrom: 2100 });
    });

    it('is a failed start when it cannot be run', () => {
      refusal = problem({ message: 'no process left' });
      prepare();
      expect(store.memory(WEB).slots[1]?.exits[0]?.outcome).toMatchObject({ kind: 'not_started' });
      expect(store.memory(WEB).slots[1]?.exits[0]).not.toHaveProperty('errFrom');
    });
  });

  describe('the hook before a stop', () => {
    const hooks = { pre_stop: { command: ['drain'], timeout: 700 } };

    function drain() {
      const stop = stopProgress({ step: 'hook' });
      store.setMemory(WEB, memory({ runs: runsRemembered([RUN, { stop }]) }));
      return beside.hook({ do: 'hook', run: KEY, hook: 'pre_stop', because: '' }, now({ hooks }));
    }
    const step = () => store.memory(WEB).runs[KEY.id]?.stop?.step;

    it.each([0, 1])('is noted to have ended, also with code %s', (code) => {
      expect(drain()).toBeUndefined();
      expect(step()).toBe('hook');
      commands[0]?.done({ kind: 'exited', code });
      expect(step()).toBe('hooked');
    });

    it('is noted to have ended where it cannot be run', () => {
      refusal = problem({ message: 'no such program' });
      expect(drain()).toBeUndefined();
      expect(step()).toBe('hooked');
      expect(complaints).toEqual(['no such program']);
    });

    it('is put off while what an earlier daemon left of it is being ended, and not for ever', () => {
      refusal = problem({ message: 'the last one has not ended', passing: true });
      expect(drain()).toMatchObject(refusal);
      passed += 1999;
      expect(drain()).toMatchObject(refusal);
      expect({ step: step(), complaints }).toEqual({ step: 'hook', complaints: [] });
      passed += 1;
      expect(drain()).toBeUndefined();
      expect({ step: step(), complaints }).toEqual({ step: 'hooked', complaints: [refusal.message] });
    });
  });

  it('tells of any other hook that failed, and goes on', () => {
    const hooks = { post_start: { command: ['greet'], timeout: 700 } };
    beside.hook({ do: 'hook', run: KEY, hook: 'post_start', because: '' }, now({ hooks }));
    commands[0]?.done({ kind: 'exited', code: 9 });
    expect(complaints).toEqual(['its post_start hook exited with code 9']);
    expect(store.memory(WEB).slots).toEqual({});
  });
});
