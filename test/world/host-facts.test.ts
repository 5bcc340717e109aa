import { afterEach, expect, test } from 'vitest';
import { pieces, type ZoneRules, zoneNamed, zoneRules } from '../../src/policy/time-zone.ts';
import { hostOffsetAt } from '../../src/world/host-facts.ts';

const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env['TZ'];
  else process.env['TZ'] = TZ;
});

/** How the clock is set from the begin of 2025 to the end of 2027. */
function settings(zone: ZoneRules): unknown[] {
  const found: unknown[] = [];
  for (const piece of pieces(zone, Date.UTC(2025, 0, 1))) {
    if (piece.start >= Date.UTC(2028, 0, 1)) break;
    found.push(piece);
  }
  return found;
}

test.each([
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'Pacific/Kiritimati',
])('the clock of a host in %s is set when the database says so', (name) => {
  process.env['TZ'] = name;
  const known = zoneNamed(name) as ZoneRules;
  expect(settings(zoneRules(hostOffsetAt))).toEqual(settings(known));
});
