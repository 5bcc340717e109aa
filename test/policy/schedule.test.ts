import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { JobMemory } from '../../src/model/job.ts';
import type { ScheduleSpec } from '../../src/model/spec.ts';
import { type Cron, parseCron } from '../../src/policy/cron.ts';
import { RANGES_KEPT } from '../../src/policy/decided-slots.ts';
import {
  comingSlots,
  dueJob,
  type JobAnswer,
  LATE,
  LONGEST_SLEEP,
  overtime,
} from '../../src/policy/schedule.ts';
import { schedule } from '../builders.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2025, 5, 1, 12);

function cron(text: string): Cron {
  const found = parseCron(text, null, 'UTC');
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

/** One job and the daemon around it: memory goes through JSON each time, as over a restart. */
class Job {
  memory: JobMemory | null = null;
  running = false;
  chance = 0;
  readonly fired: number[] = [];
  readonly said: string[] = [];
  last: JobAnswer | undefined;
  schedule: ScheduleSpec;
  parsed: Cron;

  constructor(text: string, changes: Partial<ScheduleSpec> = {}) {
    this.parsed = cron(text);
    this.schedule = schedule(text, { timezone: null, ...changes });
  }

  /** Asks until nothing more is to be decided; what was said, as short words. */
  at(now: number): string[] {
    const said: string[] = [];
    for (let nth = 0; nth < 50; nth += 1) {
      const { schedule, parsed, running, chance } = this;
      const answer = dueJob({ schedule, cron: parsed, memory: this.memory, now, running, chance });
      this.memory = JSON.parse(JSON.stringify(answer.memory));
      this.last = answer;
      const { decision } = answer;
      if (decision.do === 'fire') {
        this.fired.push(decision.slot);
        this.running = true;
      }
      if (decision.do === 'skip') said.push(`skip ${decision.slots} ${decision.because}`);
      else if (decision.do !== 'nothing') said.push(`${decision.do} ${(decision.slot - NOON) / MINUTE}`);
      if (answer.wakeAt === undefined || answer.wakeAt > now) {
        this.said.push(...said);
        return said;
      }
    }
    throw new Error(`never comes to rest at ${now}: ${said.join(', ')}`);
  }
}

describe('the first look', () => {
  it('fires nothing, not even the slot of this very moment', () => {
    const job = new Job('* * * * *', { missed: 'once' });
    expect(job.at(NOON)).toEqual([]);
    expect(job.at(NOON + MINUTE)).toEqual(['fire 1']);
  });

  test.each(['line', 'zone', 'memory'])('is made again after the %s was lost or changed', (what) => {
    const job = new Job('0 * * * *', { missed: 'once' });
    job.at(NOON - 1);
    if (what === 'line') job.parsed = cron('0 */1 * * *');
    if (what === 'zone') job.parsed = parseCron('0 * * * *', 'Europe/Berlin', 'UTC') as Cron;
    if (what === 'memory') job.memory = null;
    expect(job.at(NOON + HOUR)).toEqual([]);
    expect(job.at(NOON + 2 * HOUR)).toEqual(['fire 120']);
  });
});

describe('missed slots', () => {
  test.each<['skip' | 'once', number, string[]]>([
    ['skip', LATE, ['fire 0']],
    ['skip', LATE + 1, ['skip 1 missed']],
    ['once', LATE + 1, ['fire 0']],
    ['once', 5 * HOUR + 20 * MINUTE, ['fire 300']],
    ['skip', 5 * HOUR + 20 * MINUTE, ['skip 6 missed']],
    ['skip', 5 * HOUR + 1, ['skip 5 missed', 'fire 300']],
    ['once', 5 * HOUR + 1, ['skip 5 missed', 'fire 300']],
  ])('%s, noticed %d ms late', (missed, late, said) => {
    const job = new Job('0 * * * *', { missed });
    job.at(NOON - MINUTE);
    expect(job.at(NOON + late)).toEqual(said);
    expect(job.at(NOON + late + 1)).toEqual([]);
  });

  it('are counted, all but the one that is run', () => {
    const job = new Job('0 * * * *', { missed: 'once' });
    job.at(NOON - MINUTE);
    job.at(NOON + 5 * HOUR + 20 * MINUTE);
    expect(job.memory?.skipped).toEqual({ missed: 5, running: 0 });
  });

  it('come each for itself while the daemon is only busy', () => {
    const job = new Job('* * * * * *', { overlap: 'queue' });
    job.at(NOON);
    expect(job.at(NOON + 3000)).toEqual([`fire ${1 / 60}`, `queue ${2 / 60}`, 'skip 1 queued']);
  });

  it('cost no more after ten years of seconds', () => {
    const job = new Job('* * * * * *', { missed: 'once' });
    job.at(NOON - 10 * 365 * 24 * HOUR);
    expect(job.at(NOON + 500).at(-1)).toMatch(/^skip|^fire/);
    expect(job.fired.every((slot) => slot >= NOON - LATE)).toBe(true);
  });
});

describe('overlap', () => {
  it('skip drops the slot', () => {
    const job = new Job('* * * * *');
    job.at(NOON);
    job.at(NOON + MINUTE);
    expect(job.at(NOON + 2 * MINUTE)).toEqual(['skip 1 running']);
    job.running = false;
    expect(job.at(NOON + 2 * MINUTE + 1)).toEqual([]);
    expect(job.memory?.skipped).toEqual({ missed: 0, running: 1 });
  });

  it('queue keeps one, over a restart too', () => {
    const job = new Job('* * * * *', { overlap: 'queue' });
    job.at(NOON);
    job.at(NOON + MINUTE);
    expect(job.at(NOON + 2 * MINUTE)).toEqual(['queue 2']);
    expect(job.at(NOON + 3 * MINUTE)).toEqual(['skip 1 queued']);
    job.running = false;
    expect(job.at(NOON + 3 * MINUTE + 1)).toEqual(['fire 2']);
    job.running = false;
    expect(job.at(NOON + 3 * MINUTE + 2)).toEqual([]);
  });

  it('replace holds until the run has ended, then fires the newest', () => {
    const job = new Job('* * * * *', { overlap: 'replace' });
    job.at(NOON);
    job.at(NOON + MINUTE);
    expect(new Set(job.at(NOON + 2 * MINUTE))).toEqual(new Set(['replace 2']));
    expect(job.at(NOON + 2 * MINUTE + 1)).toEqual(['replace 2']);
    expect(new Set(job.at(NOON + 3 * MINUTE))).toEqual(new Set(['replace 3']));
    job.running = false;
    expect(job.at(NOON + 3 * MINUTE + 1)).toEqual(['fire 3']);
    expect(job.memory?.skipped.running).toBe(1);
  });

  it('changed to skip drops what was queued', () => {
    const job = new Job('* * * * *', { overlap: 'queue' });
    job.at(NOON);
    job.at(NOON + MINUTE);
    job.at(NOON + 2 * MINUTE);
    job.schedule = { ...job.schedule, overlap: 'skip' };
    expect(job.at(NOON + 2 * MINUTE + 1)).toEqual(['skip 1 running']);
  });
});

describe('jitter', () => {
  it('delays the run, is drawn once and keeps the slot', () => {
    const job = new Job('0 * * * *', { jitter: 10 * MINUTE });
    job.at(NOON - 1);
    job.chance = 0.5;
    expect(job.at(NOON)).toEqual([]);
    job.chance = 0;
    expect(job.at(NOON + 5 * MINUTE - 1)).toEqual([]);
    expect(job.last?.wakeAt).toBe(NOON + 5 * MINUTE);
    expect(job.at(NOON + 5 * MINUTE)).toEqual(['fire 0']);
  });

  it('never reaches the next slot', () => {
    const job = new Job('* * * * *', { jitter: HOUR });
    job.at(NOON - 1);
    job.chance = 0.999;
    job.at(NOON);
    expect(job.at(NOON + MINUTE - 1)).toEqual(['fire 0']);
  });

  it('that was slept through is a missed slot', () => {
    const job = new Job('0 * * * *', { jitter: 10 * MINUTE });
    job.at(NOON - 1);
    job.chance = 0.5;
    job.at(NOON);
    expect(job.at(NOON + 5 * MINUTE + LATE + 1)).toEqual(['skip 1 missed']);
  });
});

describe('the window', () => {
  it('includes both ends and nothing else', () => {
    const job = new Job('* * * * *', {
      missed: 'once',
      not_before: NOON + 2 * MINUTE,
      not_after: NOON + 3 * MINUTE,
    });
    for (let now = NOON; now <= NOON + 6 * MINUTE; now += 500) {
      job.at(now);
      job.running = false;
    }
    expect(job.fired).toEqual([NOON + 2 * MINUTE, NOON + 3 * MINUTE]);
    expect(job.last?.wakeAt).toBeUndefined();
    expect(comingSlots(job.schedule, job.parsed, NOON, 9)).toEqual(job.fired);
  });

  it('starts nothing after its end, however it came to wait', () => {
    const job = new Job('0 * * * *', { missed: 'once', not_after: NOON });
    job.at(NOON - 1);
    expect(job.at(NOON + HOUR)).toEqual(['skip 1 over']);
  });
});

describe('the clock', () => {
  it('set back fires what is new and nothing again', () => {
    const job = new Job('0 * * * *');
    for (const hours of [0, 1, 2, 3]) {
      job.at(NOON + hours * HOUR - 1);
      job.at(NOON + hours * HOUR);
      job.running = false;
    }
    job.at(NOON + 5000 * HOUR - 1);
    job.at(NOON + 5000 * HOUR);
    job.running = false;
    for (let now = NOON; now <= NOON + 5 * HOUR; now += MINUTE) {
      job.at(now);
      job.running = false;
    }
    expect(job.fired.map((slot) => (slot - NOON) / HOUR)).toEqual([0, 1, 2, 3, 5000, 4, 5]);
  });

  it('is looked at every minute, as a timer does not notice that it was set', () => {
    const job = new Job('0 0 1 1 *');
    job.at(NOON);
    expect(job.last?.wakeAt).toBe(NOON + LONGEST_SLEEP);
  });

  it('whatever it does, no slot fires twice, none before its time and none from before the first look', () => {
    const move = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -3 * HOUR, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * HOUR }) },
    );
    const turn = fc.record({
      move,
      ends: fc.boolean(),
      chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    const schedule = fc.record({
      overlap: fc.constantFrom('skip', 'queue', 'replace'),
      missed: fc.constantFrom('skip', 'once'),
      jitter: fc.constantFrom(0, 5000, 90_000),
    });
    fc.assert(
      fc.property(
        fc.constantFrom('* * * * *', '*/5 * * * *', '*/20 * * * * *'),
        schedule,
        fc.array(turn, { maxLength: 60 }),
        (text, changes, turns) => {
          const job = new Job(text, changes);
          let now = NOON;
          let first = NOON;
          job.at(now);
          for (const { move: by, ends, chance } of turns) {
            now += by;
            first = Math.min(first, now);
            job.chance = chance;
            if (ends) job.running = false;
            const before = job.fired.length;
            job.at(now);
            // What waited for the end of a run may be of later than a clock that was set back meanwhile.
            if (changes.overlap === 'skip' && changes.jitter === 0) {
              for (const slot of job.fired.slice(before)) expect(slot).toBeLessThanOrEqual(now);
            }
            expect(job.memory?.decided.length).toBeLessThanOrEqual(RANGES_KEPT);
          }
          expect(new Set(job.fired).size).toBe(job.fired.length);
          for (const slot of job.fired) expect(slot).toBeGreaterThan(first);
        },
      ),
      { numRuns: 100 },
    );
  }, 30_000);

  it('undisturbed, each slot fires exactly once, waking only when asked to', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 30_000, HOUR),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (jitter, chance) => {
          const job = new Job('*/7 * * * *', { jitter });
          job.chance = chance;
          for (let now = NOON; now < NOON + 3 * HOUR; now = Math.max(now + 1, job.last?.wakeAt ?? now)) {
            job.at(now);
            job.running = false;
          }
          const due = comingSlots(job.schedule, job.parsed, NOON, 1000).filter(
            (slot) => slot < NOON + 3 * HOUR,
          );
          // The last one may still wait for its chance.
          expect(due.slice(0, job.fired.length)).toEqual(job.fired);
          expect(due.length - job.fired.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 20 },
    );
  });
});

it('returns the same memory when nothing changed, so that nothing is written', () => {
  const job = new Job('0 * * * *');
  job.at(NOON);
  const { schedule, parsed, memory } = job;
  const answer = dueJob({ schedule, cron: parsed, memory, now: NOON + 1, running: false, chance: 0 });
  expect(answer.memory).toBe(memory);
});

test.each([
  [NOON, NOON + 5, null, { say: 'none' }],
  [NOON, NOON + 5, 10, { say: 'wait', until: NOON + 10 }],
  [NOON, NOON + 10, 10, { say: 'over', by: 0 }],
  [NOON, NOON + 12, 10, { say: 'over', by: 2 }],
  [NOON, NOON - HOUR, 10, { say: 'wait', until: NOON - HOUR + 10 }],
])('overtime of a run from %d at %d with %s', (startedAt, now, max, expected) => {
  expect(overtime(startedAt, now, max)).toEqual(expected);
});
