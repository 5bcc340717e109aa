import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  keyOf,
  type Message,
  notify,
  retryDelay,
  type Sight,
  type Subject,
  type Told,
  type Trouble,
} from '../../src/policy/notify.ts';

const WELL: Sight = { is: 'well' };
const UNCLEAR: Sight = { is: 'unclear' };
const UNWANTED: Sight = { is: 'unwanted', detail: 'stopped by bob' };

function bad(mark = 'a', detail = 'exited with 3'): Sight {
  return { is: 'in_trouble', mark, detail };
}

/** The names of the messages at each step, for one subject that is seen like this, one after the other. */
function story(
  trouble: Trouble,
  sights: readonly (Sight | undefined)[],
  service?: string,
): readonly string[][] {
  let told: Told = {};
  return sights.map((sight, now) => {
    const named = service === undefined ? {} : { service };
    const subjects: Subject[] = sight === undefined ? [] : [{ trouble, ...named, sight }];
    const answer = notify(told, subjects, now);
    told = answer.told;
    return answer.messages.map(({ event }) => event);
  });
}

describe('state by state', () => {
  test.each<[string, Trouble, readonly (Sight | undefined)[], readonly string[][]]>([
    ['nothing was ever wrong', 'failed', [WELL, UNCLEAR, UNWANTED, WELL, undefined], [[], [], [], [], []]],
    [
      'once while it lasts, and once when it is over',
      'failed',
      [bad(), bad(), bad(), WELL, WELL],
      [['failed'], [], [], ['recovered'], []],
    ],
    [
      'nobody could look in between',
      'failed',
      [bad(), UNCLEAR, bad(), UNCLEAR, WELL],
      [['failed'], [], [], [], ['recovered']],
    ],
    ['it is stopped by hand', 'failed', [bad(), UNWANTED, UNWANTED], [['failed'], ['recovered'], []]],
    ['its file is removed', 'failed', [bad(), undefined, undefined], [['failed'], ['recovered'], []]],
    ['it happens again', 'failed', [bad(), WELL, bad()], [['failed'], ['recovered'], ['failed']]],
    [
      'a second new definition fails as well',
      'rolled_back',
      [bad('1'), bad('1'), bad('2'), WELL],
      [['rolled_back'], [], ['rolled_back'], ['recovered']],
    ],
  ])('%s', (_what, trouble, sights, expected) => {
    expect(story(trouble, sights, 'web')).toEqual(expected);
  });

  test.each<[Trouble, string]>([
    ['configuration_invalid', 'configuration_fixed'],
    ['prune_held', 'prune_released'],
  ])('%s ends with %s', (trouble, end) => {
    expect(story(trouble, [bad(), bad(), WELL])).toEqual([[trouble], [], [end]]);
  });

  test('a message says whom, what, and since when', () => {
    const subject: Subject = { trouble: 'failed', service: 'web', sight: bad() };
    const first = notify({}, [subject], 1000);
    expect(first.messages).toEqual([{ event: 'failed', service: 'web', message: 'web: exited with 3' }]);
    const second = notify(first.told, [{ ...subject, sight: WELL }], 5000);
    expect(second.messages).toEqual([
      { event: 'recovered', service: 'web', message: 'web: runs again', since: 1000 },
    ]);
    expect(second.told).toEqual({});
  });
});

test('whatever happens: each trouble is told before its end, never twice, and never forgotten', () => {
  const sight = fc.oneof(
    fc.constantFrom<Sight>(WELL, UNCLEAR, UNWANTED),
    fc.constantFrom('a', 'b').map((mark) => bad(mark)),
  );
  const step = fc.record({ web: fc.option(sight, { nil: undefined }), db: sight, whole: sight });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let told: Told = {};
      const open = new Map<string, string>();
      steps.forEach(({ web, db, whole }, now) => {
        const subjects: Subject[] = [
          ...(web === undefined ? [] : [{ trouble: 'failed', service: 'web', sight: web } as const]),
          { trouble: 'failed', service: 'db', sight: db },
          { trouble: 'configuration_invalid', sight: whole },
        ];
        const before = new Map(open);
        const answer = notify(told, subjects, now);
        // A daemon that starts in between knows by its file what this one knew.
        told = JSON.parse(JSON.stringify(answer.told)) as Told;
        for (const message of answer.messages) follow(open, message, subjects);
        for (const subject of subjects) {
          const key = keyOf(subject.trouble, subject.service);
          if (subject.sight.is === 'in_trouble') expect(open.get(key)).toBe(subject.sight.mark);
          else if (subject.sight.is === 'unclear') expect(open.get(key)).toBe(before.get(key));
          else expect(open.has(key)).toBe(false);
        }
        expect(open.has('failed web') && web === undefined).toBe(false);
        expect(Object.keys(told).sort()).toEqual([...open.keys()].sort());
      });
    }),
  );
});

function follow(open: Map<string, string>, { event, service }: Message, subjects: readonly Subject[]): void {
  const trouble =
    event === 'configuration_fixed' || event === 'configuration_invalid' ? 'configuration_invalid' : 'failed';
  const key = keyOf(trouble, service);
  if (event === 'recovered' || event === 'configuration_fixed') {
    expect(open.delete(key)).toBe(true);
    return;
  }
  const sight = subjects.find((one) => keyOf(one.trouble, one.service) === key)?.sight;
  const mark = sight?.is === 'in_trouble' ? sight.mark : '?';
  expect(open.get(key)).not.toBe(mark);
  open.set(key, mark);
}

describe('another attempt', () => {
  test.each([
    [1, 0, 0, 500],
    [1, 0, 0.999, 1000],
    [3, 0, 0, 2000],
    [6, 10_000, 0, 15_000],
    [50, 10_000, 0.999, 29_985],
    [50, 170_000, 0, undefined],
    [1, 180_000, 0, undefined],
  ])('%i failed, %i ms after the first, by chance %d: %s', (attempts, since, chance, delay) => {
    expect(retryDelay(attempts, since, chance)).toBe(delay);
  });
});
