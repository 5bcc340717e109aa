/** Which moment does somebody mean who asks for the lines of a log since or until then? */
import { hostWallClock, isDay, offset, type WallClock } from './line-time.ts';
import { parseDuration, type Refused } from './units.ts';

const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;
const MOMENT = /^(?:(\d{4})-(\d\d)-(\d\d)[T ])?(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * `10m`, `2h`, `1d`: so long before `now`. `2026-11-21`, `2026-11-21T14:05`, `14:05` (today), with or without seconds
 * and a zone; without a zone, the clock of the host.
 * @param now milliseconds since 1970
 * @returns milliseconds since 1970
 */
export function parseLogTime(text: string, now: number, local: WallClock = hostWallClock): number | Refused {
  const refused: Refused = {
    refused: `${JSON.stringify(text)} is no time: write it like 10m, 2h or 1d (so long ago), 14:05, 2026-11-21 or 2026-11-21T14:05:06Z`,
  };
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?[a-z]/.test(trimmed)) {
    const duration = parseDuration(trimmed);
    return typeof duration === 'number' ? now - duration : refused;
  }
  const day = DAY.exec(trimmed);
  if (day !== null) {
    const [year = 0, month = 0, date = 0] = day.slice(1).map(Number);
    return isDay(year, month, date) ? local(year, month, date, 0, 0, 0, 0) : refused;
  }
  const moment = MOMENT.exec(trimmed);
  if (moment === null) return refused;
  const [, , , , hour = '', minute = '', second = '0', fraction = '', zone] = moment;
  const [year, month, date] =
    moment[1] === undefined ? today(now, zone) : [moment[1], moment[2], moment[3]].map(Number);
  if (year === undefined || month === undefined || date === undefined || !isDay(year, month, date)) {
    return refused;
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return refused;
  const time = [hour, minute, second].map(Number);
  const [h = 0, m = 0, s = 0] = time;
  const ms = Number(fraction.padEnd(3, '0'));
  if (zone === undefined) return local(year, month, date, h, m, s, ms);
  return Date.UTC(year, month - 1, date, h, m, s, ms) - offset(zone);
}

/** The day that it is now in the zone, or on the host. */
function today(now: number, zone: string | undefined): readonly number[] {
  if (zone === undefined) {
    const date = new Date(now);
    return [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  }
  const date = new Date(now + offset(zone));
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}
