/** How are many measurements told in a few figures, and how are figures printed? */

export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** What is to be reached; undefined: for information. */
  readonly goal?: string;
  readonly met?: boolean;
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The smallest sample that at least 99 % of all are not above (nearest rank). */
  readonly p99: number;
}

export function summary(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { median: rank(0.5), min: rank(0), max: rank(1), p99: rank(0.99) };
}

/** A row of `median (min–max)` in milliseconds, judged by its median. */
export function timeFigure(what: string, samples: readonly number[], goal?: number): Figure {
  const { median, min, max } = summary(samples);
  const measured = `${ms(median)} (${ms(min)}–${ms(max)})`;
  return goal === undefined
    ? { what, measured }
    : { what, measured, goal: `≤ ${ms(goal)}`, met: median <= goal };
}

/** Three digits that matter. */
export function ms(milliseconds: number): string {
  return `${digits(milliseconds)} ms`;
}

export function megabytes(bytes: number): string {
  return `${digits(bytes / 1e6)} MB`;
}

export function digits(value: number): string {
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** A table in Markdown. */
export function figureTable(title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ what, measured, goal = '', met }) => {
    const verdict = met === undefined ? '' : met ? 'yes' : '**no**';
    return `| ${what} | ${measured} | ${goal} | ${verdict} |`;
  });
  return [`### ${title}`, '', '| | measured | goal | met |', '|---|---:|---:|---|', ...rows, ''].join('\n');
}
