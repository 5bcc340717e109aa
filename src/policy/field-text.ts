/** How does a person write the value of a field? */
import { printCpu, printDuration, printInstant, printMode, printSize } from '../model/units.ts';
import { unitOf } from './apply-class.ts';

/** Seconds, sizes and modes as in a service file; a secret never. */
export function fieldText(path: string, value: unknown): string {
  if (isSecret(value)) return '(hidden)';
  if (value === null) return absentText(unitOf(path));
  if (typeof value === 'number') {
    switch (unitOf(path)) {
      case 'duration':
        return printDuration(value);
      case 'size':
        return printSize(value);
      case 'cpu':
        return printCpu(value);
      case 'instant':
        return printInstant(value);
      case 'mode':
        return printMode(value);
      default:
        return String(value);
    }
  }
  return JSON.stringify(essenceOf(value), (_key, inner: unknown) => (isSecret(inner) ? '(hidden)' : inner));
}

/** Of a whole schedule, probe or hook, what a person would name it by. */
function essenceOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('cron' in value) return value.cron;
  if ('how' in value) return value.how;
  return 'command' in value && 'timeout' in value ? value.command : value;
}

/** What a person writes to have no limit. */
function absentText(unit: string | null): string {
  if (unit === 'size' || unit === 'cpu' || unit === 'count') return 'max';
  return unit === 'limit' ? 'unlimited' : 'none';
}

function isSecret(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'secret' in value && 'digest' in value;
}
