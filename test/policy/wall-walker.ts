/** What would someone do who reads the wall clock once a step and knows the fields? The oracle for slots.ts. */
import fc from 'fast-check';

/** A cron line together with its meaning, made by hand and not by the parser. */
export interface Line {
  readonly text: string;
  readonly steady: boolean;
  readonly matches: (wall: number) => boolean;
}

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

/** Wall times of a stretch, one a step, read with formatToParts. */
export interface Stretch {
  readonly from: number;
  readonly step: number;
  readonly walls: readonly number[];
}

export function stretch(zone: string, from: number, until: number, step: number): Stretch {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  });
  const walls: number[] = [];
  for (let at = from; at <= until; at += step) {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
    walls.push(Date.UTC(part.year!, part.month! - 1, part.day!, part.hour, part.minute, part.second));
  }
  return { from, step, walls };
}

/** The slots after the first instant of the stretch. What was shown before it must not matter. */
export function walked({ from, step, walls }: Stretch, line: Line): number[] {
  const slots: number[] = [];
  let reached = walls[0]!;
  for (let nth = 1; nth < walls.length; nth += 1) {
    const wall = walls[nth]!;
    let due = line.steady && line.matches(wall);
    for (let time = reached + step; !line.steady && time <= wall && !due; time += step)
      due = line.matches(time);
    if (due) slots.push(from + nth * step);
    reached = Math.max(reached, wall);
  }
  return slots;
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const DAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

const second = field(0, 59);
const minute = field(0, 59);
const hour = field(0, 23);
const monthday = field(1, 31);
const month = field(1, 12, MONTHS);
const weekday = field(0, 6, DAYS);

/** Lines with five or six fields; many more stars than chance would have. */
export function lines(seconds: boolean): fc.Arbitrary<Line> {
  const first = seconds ? second : fc.constant<Field>({ text: '', values: new Set([0]) });
  const days = fc.oneof(
    { weight: 3, arbitrary: fc.constant(star(1, 31)) },
    { weight: 2, arbitrary: monthday },
  );
  const months = fc.oneof(
    { weight: 3, arbitrary: fc.constant(star(1, 12)) },
    { weight: 1, arbitrary: month },
  );
  const weekdays = fc.oneof(
    { weight: 2, arbitrary: fc.constant(star(0, 6)) },
    { weight: 2, arbitrary: weekday },
  );
  const hours = fc.oneof({ weight: 1, arbitrary: fc.constant(star(0, 23)) }, { weight: 3, arbitrary: hour });
  return fc.tuple(first, minute, hours, days, months, weekdays).map(([s, mi, h, d, mo, w]) => {
    const either = !d.text.includes('*') && !w.text.includes('*');
    return {
      text: [s, mi, h, d, mo, w]
        .map(({ text }) => text)
        .filter((text) => text !== '')
        .join(' '),
      steady: h.values.size === 24,
      matches: (wall) => {
        const at = new Date(wall);
        const [isDay, isWeekday] = [d.values.has(at.getUTCDate()), w.values.has(at.getUTCDay())];
        return (
          s.values.has(at.getUTCSeconds()) &&
          mi.values.has(at.getUTCMinutes()) &&
          h.values.has(at.getUTCHours()) &&
          mo.values.has(at.getUTCMonth() + 1) &&
          (either ? isDay || isWeekday : isDay && isWeekday)
        );
      },
    };
  });
}

function star(least: number, most: number): Field {
  return { text: '*', values: new Set(around(least, most, least, most)) };
}

function field(least: number, most: number, names: readonly string[] = []): fc.Arbitrary<Field> {
  const value = fc.integer({ min: least, max: most });
  const spelt = (of: number, way: number): string => {
    const name = names[of - least];
    if (name !== undefined && way === 1) return name.toLowerCase();
    if (name !== undefined && way === 2) return name;
    return names === DAYS && of === 0 && way === 3 ? '7' : String(of);
  };
  const way = fc.integer({ min: 0, max: 3 });
  const single = fc.tuple(value, way).map(([of, how]) => ({ text: spelt(of, how), values: new Set([of]) }));
  const range = fc
    .tuple(value, value, way, fc.integer({ min: 1, max: 5 }))
    .filter(([a, b]) => a !== b)
    .map(([a, b, how, wish]) => {
      const all = around(a, b, least, most);
      const step = Math.min(wish, all.length);
      // As the start of a range, 7 would be Sunday again; as its end it is the day after Saturday.
      const text = `${spelt(a, how % 3)}-${spelt(b, how)}${step === 1 ? '' : `/${step}`}`;
      return { text, values: new Set(all.filter((_, nth) => nth % step === 0)) };
    });
  const stepped = fc.integer({ min: 1, max: most - least + 1 }).map((step) => ({
    text: `*/${step}`,
    values: new Set(around(least, most, least, most).filter((_, nth) => nth % step === 0)),
  }));
  return fc.array(fc.oneof(single, single, range, stepped), { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(','),
    values: new Set(items.flatMap(({ values }) => [...values])),
  }));
}

/** a, a+1, ... b, beginning again at `least` after `most`. */
function around(a: number, b: number, least: number, most: number): number[] {
  const values = [a];
  for (let at = a; at !== b; ) {
    at = at === most ? least : at + 1;
    values.push(at);
  }
  return values;
}
