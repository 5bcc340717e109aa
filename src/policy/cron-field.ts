/** Which values does one field of a cron line allow? The grammar of crontab(5), and ranges that wrap around. */

/** One of the six fields, and how it is called in a sentence. */
export interface CronField {
  readonly called: string;
  readonly least: number;
  readonly most: number;
  /** Three letters each; the first stands for `least`. */
  readonly names: readonly string[];
}

export const SECOND: CronField = { called: 'second', least: 0, most: 59, names: [] };
export const MINUTE: CronField = { called: 'minute', least: 0, most: 59, names: [] };
export const HOUR: CronField = { called: 'hour', least: 0, most: 23, names: [] };
export const DAY_OF_MONTH: CronField = { called: 'day-of-month', least: 1, most: 31, names: [] };
export const MONTH: CronField = {
  called: 'month',
  least: 1,
  most: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
/** 7 is written for Sunday too; the values that come out are 0 to 6. */
export const DAY_OF_WEEK: CronField = {
  called: 'day-of-week',
  least: 0,
  most: 6,
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

/** What is wrong, as a sentence without a full stop, and what to write instead. */
export interface CronProblem {
  readonly problem: string;
  readonly hint?: string;
}

/**
 * The values that a field allows, ascending. A list of `*`, `a` and `a-b`; `*` and ranges may have a step. A range
 * whose end comes before its start wraps around: `FRI-MON`, `22-2`. Extensions on whose meaning the known crons
 * differ (`L`, `W`, `#`, `?`, `H`, `~`, `5/15`) are refused.
 */
export function parseField(text: string, field: CronField): readonly number[] | CronProblem {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const found = itemValues(item, field);
    if ('problem' in found) return found;
    for (const value of found) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** One item of the list. */
function itemValues(item: string, field: CronField): readonly number[] | CronProblem {
  const [, range = '', stepText] = /^([^/]*)(?:\/(\d+))?$/.exec(item) ?? [];
  if (range === '') return strange(item, field);
  const [startText = '', endText, ...rest] = range.split('-');
  if (rest.length > 0) return strange(item, field);
  const isRange = range === '*' || endText !== undefined;
  if (!isRange && stepText !== undefined) {
    const value = valueFrom(range, field);
    if (typeof value !== 'number') return value;
    return {
      problem: `the ${field.called} field has ${shown(item)}, which crons read in different ways`,
      hint: `write a range: ${range}-${field.most}/${stepText}`,
    };
  }
  const bounds = range === '*' ? [field.least, field.most] : boundsOf(startText, endText ?? startText, field);
  if ('problem' in bounds) return bounds;
  const [start = 0, end = 0] = bounds;
  const span = field.most - field.least + 1;
  // Up to 6-7 and 0-7, which reach the second name of Sunday, nothing exceeds the span.
  const length = (end < start ? end + span : end) - start + 1;
  const step = Number(stepText ?? 1);
  if (step < 1 || step > length) {
    return {
      problem: `the ${field.called} field has ${shown(item)}, but a step there is from 1 to ${length}`,
    };
  }
  const count = Math.floor((length - 1) / step) + 1;
  return Array.from({ length: count }, (_, nth) => ((start - field.least + nth * step) % span) + field.least);
}

function boundsOf(startText: string, endText: string, field: CronField): readonly number[] | CronProblem {
  const start = valueFrom(startText, field);
  const end = valueFrom(endText, field);
  if (typeof start !== 'number') return start;
  if (typeof end !== 'number') return end;
  // Only as the end of a range that began earlier is 7 anything but another name for 0.
  const first = start > field.most ? field.least : start;
  return [first, start === end ? first : end];
}

function valueFrom(text: string, field: CronField): number | CronProblem {
  const named = field.names.indexOf(text.toLowerCase());
  if (named !== -1) return named + field.least;
  if (!/^\d+$/.test(text)) return strange(text, field);
  const value = Number(text);
  const most = field === DAY_OF_WEEK ? 7 : field.most;
  if (value >= field.least && value <= most) return value;
  return { problem: `the ${field.called} field has ${value}, but goes from ${field.least} to ${most}` };
}

function strange(text: string, field: CronField): CronProblem {
  const [first = '', last = ''] = [field.names.at(0), field.names.at(-1)];
  const what = text === '' ? 'an empty part' : `${shown(text)}, which means nothing there`;
  const names = first === '' ? '' : `, names ${first.toUpperCase()} to ${last.toUpperCase()}`;
  return {
    problem: `the ${field.called} field has ${what}`,
    hint: `a ${field.called} is a list of numbers${names}, ranges like a-b, and * or ranges with a /step`,
  };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}
