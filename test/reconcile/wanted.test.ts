import { describe, expect, it } from 'vitest';
import type { Intent } from '../../src/model/memory.ts';
import type { Desired } from '../../src/model/spec.ts';
import { holdOf, wantedOf } from '../../src/reconcile/wanted.ts';
import { defined, NOW, problem, situation, WEB } from '../builders.ts';

const ASKED = { by: 'bob', at: NOW - 1000 };
const BROKEN: Desired = { kind: 'broken', name: WEB, file: 'config.d/web.yaml', problems: [problem()] };
const ENDING = { reason: 'signal_term', hurry: false };

const DISABLED = { enabled: false };

describe('the deciders, highest first', () => {
  const everything: Intent = { stopped: ASKED, held: ASKED };

  it('the end of everything goes over a hold', () => {
    expect(wantedOf(situation({ ending: ENDING, intent: everything }))).toMatchObject({
      kind: 'none',
      stopReason: 'signal_term',
      removed: false,
    });
  });

  it('a hold goes over a removed file, over stop, and over disabled', () => {
    const removed = situation({ desired: undefined, intent: { ...everything, removalApproved: true } });
    expect(wantedOf(removed)).toMatchObject({ kind: 'leave', why: 'held' });
    const disabled = situation({ desired: defined({ spec: DISABLED }), intent: everything });
    expect(wantedOf(disabled)).toMatchObject({ kind: 'leave', why: 'held' });
  });

  it('an approved removal goes over stop: what is gone is forgotten', () => {
    const intent = { stopped: ASKED, removalApproved: true };
    expect(wantedOf(situation({ desired: undefined, intent }))).toEqual({
      kind: 'none',
      reason: 'file removed',
      stopReason: 'file_removed',
      removed: true,
    });
  });

  it('stop goes over the guard of removals: somebody asked for this very service', () => {
    expect(wantedOf(situation({ desired: undefined, intent: { stopped: ASKED } }))).toMatchObject({
      kind: 'none',
      reason: 'stopped by bob',
      removed: false,
    });
  });

  it('a removed file alone stops nothing', () => {
    expect(wantedOf(situation({ desired: undefined }))).toMatchObject({ kind: 'leave', why: 'guarded' });
  });

  it('stop goes over a broken file', () => {
    expect(wantedOf(situation({ desired: BROKEN, intent: { stopped: ASKED } }))).toMatchObject({
      kind: 'none',
      stopReason: 'stop_requested',
    });
  });

  it('a broken file without a good version leaves everything as it is', () => {
    expect(wantedOf(situation({ desired: BROKEN }))).toMatchObject({ kind: 'leave', why: 'broken' });
  });

  it('a broken file with a good version is that version', () => {
    const desired = defined({ problems: [problem()] });
    expect(wantedOf(situation({ desired }))).toEqual({ kind: 'run', desired, count: 1 });
  });

  it('disabled goes over a scale by hand', () => {
    const desired = defined({ spec: DISABLED });
    const intent = { scale: { ...ASKED, instances: 3, file: 1 } };
    expect(wantedOf(situation({ desired, intent }))).toMatchObject({ kind: 'none', stopReason: 'disabled' });
  });

  it('a scale by hand goes over the file', () => {
    const desired = defined({ spec: { instances: 2 } });
    const scaled = { scale: { ...ASKED, instances: 5, file: 2 } };
    expect(wantedOf(situation({ desired, intent: scaled }))).toMatchObject({ kind: 'run', count: 5 });
    expect(wantedOf(situation({ desired }))).toMatchObject({ kind: 'run', count: 2 });
  });
});

describe('a hold', () => {
  it('says who holds and why', () => {
    expect(holdOf({ intent: { held: ASKED }, now: NOW })).toBe('held by bob');
    const because = { held: { ...ASKED, reason: 'incident 4412' } };
    expect(holdOf({ intent: because, now: NOW })).toBe('held by bob: incident 4412');
  });

  it('ends at the moment it was given for, and says when that is', () => {
    const until = Date.parse('2026-01-01T14:05:00.250Z');
    const timed = { held: { ...ASKED, until, reason: 'incident' } };
    expect(holdOf({ intent: timed, now: until - 1 })).toBe(
      'held by bob until 2026-01-01T14:05:00Z: incident',
    );
    const intent = { held: { ...ASKED, until: NOW } };
    expect(holdOf({ intent, now: NOW - 1 })).toMatch(/^held by bob until /);
    expect(holdOf({ intent, now: NOW })).toBeUndefined();
  });
});
