/** What does a cron line mean, and is it one that ever fires? */

import { type CronExpression, CronExpressionParser } from 'cron-parser';
import { count } from '../model/units.ts';
import {
  type CronField,
  type CronProblem,
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  HOUR,
  MINUTE,
  MONTH,
  parseField,
  SECOND,
} from './cron-field.ts';
import { type Zone, zoneNamed } from './time-zone.ts';

export type { CronProblem } from './cron-field.ts';

/** A cron line in a time zone, ready to be asked for its slots. Not to be stored: parse the text again. */
export interface Cron {
  /** The line with single spaces. */
  readonly text: string;
  readonly zone: Zone;
  /** `steady`: every hour of the day is allowed; `clock`: times of the day are named. See slots.ts. */
  readonly pace: 'steady' | 'clock';
  /** Days of the week that are demanded besides the day of the month; null when the calendar has them already. */
  readonly weekdays: readonly number[] | null;
  /** Walks the calendar in UTC, where no clock is ever set: the library's own walk over such days is unreliable. */
  readonly calendar: CronExpression;
  /** What was found last: no slot lies after `from` and before `next`; wall times. */
  memo: readonly { readonly from: number; readonly next: number }[];
}

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const FIELDS = [SECOND, MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];

/** Longer than a list of every value of every field; keeps a mistaken paste out of the sentences. */
const LONGEST = 1000;

/**
 * Reads five fields as in crontab(5), six with seconds first, or a nickname. `timezone` is an IANA name, null for
 * `hostZone`. A day must satisfy day-of-month or day-of-week where both are restricted; where one of them contains
 * `*`, it must satisfy both, as crontab(5) has it.
 */
export function parseCron(text: string, timezone: string | null, hostZone: string): Cron | CronProblem {
  const line = text.trim().replace(/\s+/g, ' ');
  if (line.length > LONGEST) return { problem: `a schedule of ${line.length} characters is too long` };
  const zone = zoneNamed(timezone ?? hostZone);
  if (zone === undefined) return zoneProblem(timezone ?? hostZone);
  const fields = fieldsOf(line);
  if ('problem' in fields) return fields;
  const values: (readonly number[])[] = [];
  for (const [nth, field] of FIELDS.entries()) {
    const found = parseField(fields[nth] ?? '', field);
    if ('problem' in found) return found;
    values.push(found);
  }
  const [seconds = [], minutes = [], hours = [], monthdays = [], months = [], weekdays = []] = values;
  const either = fields[3]?.includes('*') === false && fields[5]?.includes('*') === false;
  if (!either && !months.some((each) => monthdays.some((day) => day <= longestMonth(each)))) {
    return {
      problem: `${JSON.stringify(line)} never fires: no such month has a day ${monthdays.join(' or ')}`,
    };
  }
  // The library ors the days as soon as both are restricted, however they are written: so it sees only one of them.
  const both = !either && !isWhole(monthdays, DAY_OF_MONTH) && !isWhole(weekdays, DAY_OF_WEEK);
  const plain = [
    listed(seconds, SECOND),
    listed(minutes, MINUTE),
    listed(hours, HOUR),
    either && isWhole(weekdays, DAY_OF_WEEK) ? '*' : listed(possible(monthdays, months), DAY_OF_MONTH),
    listed(months, MONTH),
    both || (either && isWhole(monthdays, DAY_OF_MONTH)) ? '*' : listed(weekdays, DAY_OF_WEEK),
  ].join(' ');
  return {
    text: line,
    zone,
    pace: isWhole(hours, HOUR) ? 'steady' : 'clock',
    weekdays: both ? weekdays : null,
    calendar: CronExpressionParser.parse(plain, { tz: 'UTC', currentDate: 0 }),
    memo: [],
  };
}

/** Six fields, the seconds first. */
function fieldsOf(line: string): readonly string[] | CronProblem {
  if (line === '') return { problem: 'the schedule is empty', hint: 'write five fields, like 0 3 * * *' };
  if (line.startsWith('@')) return nicknamed(line.toLowerCase());
  const fields = line.split(' ');
  if (fields.length === 5) return ['0', ...fields];
  if (fields.length === 6) return fields;
  return {
    problem: `${JSON.stringify(line)} has ${count(fields.length, 'field')}, but a schedule has 5, or 6 with seconds`,
    hint: 'write minute, hour, day of month, month and day of week, like 0 3 * * *',
  };
}

function nicknamed(name: string): readonly string[] | CronProblem {
  const line = Object.hasOwn(NICKNAMES, name) ? NICKNAMES[name] : undefined;
  if (line !== undefined) return ['0', ...line.split(' ')];
  if (name === '@reboot') {
    return {
      problem: '@reboot names no time of the calendar, so it cannot be a schedule',
      hint: 'a service without a schedule starts together with the daemon',
    };
  }
  return { problem: `${name} is not known`, hint: `known are ${Object.keys(NICKNAMES).join(', ')}` };
}

function isWhole(values: readonly number[], field: CronField): boolean {
  return values.length === field.most - field.least + 1;
}

function listed(values: readonly number[], field: CronField): string {
  return isWhole(values, field) ? '*' : values.join(',');
}

/** Without the days that none of the months has: the library refuses a list that begins with such a day. */
function possible(monthdays: readonly number[], months: readonly number[]): readonly number[] {
  if (isWhole(monthdays, DAY_OF_MONTH)) return monthdays;
  const most = Math.max(...months.map(longestMonth));
  const days = monthdays.filter((day) => day <= most);
  return days.length > 0 ? days : monthdays;
}

function longestMonth(month: number): number {
  if (month === 2) return 29;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function zoneProblem(name: string): CronProblem {
  const place = name.toLowerCase().replaceAll(' ', '_').split('/').at(-1) ?? '';
  const near = Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase().endsWith(`/${place}`));
  return {
    problem: `${JSON.stringify(name)} is no time zone that this host knows`,
    hint:
      near === undefined
        ? 'write a name of the IANA time zone database, like Europe/Berlin or UTC'
        : `did you mean ${near}?`,
  };
}
