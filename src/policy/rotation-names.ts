/** Which names do rotated files have, and which names beside a log are those of rotated files? */

/** A file that rotation made. */
export type RotatedName =
  | { readonly kind: 'numbered'; readonly number: number; readonly compressed: boolean }
  | {
      readonly kind: 'dated';
      /** As `periodLabel` spells it. */
      readonly label: string;
      /** 1 for the first one of its period, which shows no counter. */
      readonly counter: number;
      readonly compressed: boolean;
    };

/** How a finished copy gets its name; done in this order, nothing is ever renamed onto something else. */
export interface Placement {
  readonly shifts: readonly { readonly from: string; readonly to: string }[];
  readonly name: string;
}

/** The target of a rotation in size mode; the other targets are labels of periods. */
export const NUMBERED = 'numbered';

const ROTATED = /^\.(?:([1-9]\d{0,5})|(\d{4}-\d\d(?:-\d\d(?:T\d\d(?:-\d\d)?)?)?)(?:\.(\d{3,6}))?)(\.gz)?$/;

/** What rotation has to do with the file `name` beside the log `base`; null: nothing, so it is never touched. */
export function rotatedName(base: string, name: string): RotatedName | null {
  if (!name.startsWith(`${base}.`)) return null;
  const [whole, number, label, counter, gz] = ROTATED.exec(name.slice(base.length)) ?? [];
  if (whole === undefined) return null;
  const compressed = gz !== undefined;
  if (number !== undefined) return { kind: 'numbered', number: Number(number), compressed };
  if (label === undefined || !isMoment(label)) return null;
  const found: RotatedName = {
    kind: 'dated',
    label,
    counter: counter === undefined ? 1 : Number(counter),
    compressed,
  };
  // `.001`, or more zeros than needed: not our spelling.
  return spelled(base, found) === name ? found : null;
}

/** The name that {@link rotatedName} reads: `stdout.log.2`, `stdout.log.2026-11-21.002.gz`. */
export function spelled(base: string, rotated: RotatedName): string {
  const gz = rotated.compressed ? '.gz' : '';
  if (rotated.kind === 'numbered') return `${base}.${rotated.number}${gz}`;
  const counter = rotated.counter === 1 ? '' : `.${String(rotated.counter).padStart(3, '0')}`;
  return `${base}.${rotated.label}${counter}${gz}`;
}

/**
 * A numbered one becomes `.1`; those in its way move up by one, as far as the first number that is free. Interrupted
 * between two renames, the same question leads on. A dated one takes the first counter that is free.
 * @param target {@link NUMBERED} or the label of a period
 * @param names everything in the directory of the log
 */
export function placement(target: string, base: string, names: readonly string[]): Placement {
  const rotated = names.flatMap((name) => rotatedName(base, name) ?? []);
  if (target !== NUMBERED) {
    const taken = new Set(
      rotated.flatMap((each) => (each.kind === 'dated' && each.label === target ? [each.counter] : [])),
    );
    // Never below one that is there: what is later must sort later.
    const counter = Math.max(0, ...taken) + 1;
    return { shifts: [], name: spelled(base, { kind: 'dated', label: target, counter, compressed: false }) };
  }
  const numbered = rotated.filter((each) => each.kind === 'numbered');
  const taken = new Set(numbered.map(({ number }) => number));
  let free = 1;
  while (taken.has(free)) free += 1;
  const shifts = numbered
    .filter(({ number }) => number < free)
    .sort((a, b) => b.number - a.number)
    .map((each) => ({ from: spelled(base, each), to: spelled(base, { ...each, number: each.number + 1 }) }));
  return { shifts, name: spelled(base, { kind: 'numbered', number: 1, compressed: false }) };
}

/** `2026-02-31` is no day, so it is no name of ours. */
function isMoment(label: string): boolean {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = label.split(/[-T]/).map(Number);
  const text = new Date(Date.UTC(year, month - 1, day, hour, minute)).toISOString();
  return text.slice(0, label.length).replace(':', '-') === label;
}
