/** How are ages, sizes, shares and times written for people, in few columns? */

/** The largest unit alone: `6d`, `3m`, `12s`, `0s`. */
export function shortDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** How long ago an ISO time was: `3m`; `-` for null. */
export function age(iso: string | null, now: number): string {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? '-' : shortDuration(now - at);
}

/** Powers of 1024: `512B`, `48M`, `1.2G`; `-` for null. */
export function humanBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let value = bytes;
  for (const unit of ['B', 'K', 'M', 'G', 'T']) {
    if (value < 999.5 || unit === 'T') return `${withOneDecimal(value, unit !== 'B')}${unit}`;
    value /= 1024;
  }
  return '-';
}

/** Share of one core: `0.4%`, `12%`, `250%`; `-` for null. */
export function percent(value: number | null): string {
  return value === null ? '-' : `${withOneDecimal(value, true)}%`;
}

/** Local time as `2026-02-03 04:05:06`. */
export function localTime(at: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function withOneDecimal(value: number, decimals: boolean): string {
  return decimals && value < 9.95 && value !== 0 ? value.toFixed(1) : String(Math.round(value));
}
