/** How do rows become an aligned table that fits the terminal? */

import { safeText } from '../model/terminal-safe.ts';
import type { Colour, Paint } from './paint.ts';
import { fit, fitMiddle, pad, textWidth, wrap } from './text-width.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Left out when the table is too narrow: the lowest number goes first. Without it the column stays. */
  readonly spare?: number;
  /** This column is cut when nothing can be left out any more, and is readable from so many columns on. */
  readonly cut?: number;
}

export interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

/** A row that is to be read to its end: it makes no column wider, and on a terminal it takes as many lines as it needs. */
export interface Sentence {
  readonly sentence: string;
  /** Index of the column that it begins with. */
  readonly under: number;
  readonly colour?: Colour;
}

export type Row = readonly Cell[] | Sentence;

/** What is to be known of the columns to share out the room. */
interface Widths {
  readonly natural: readonly number[];
  /** Columns of the terminal. */
  readonly width: number;
  /** What the first column can be cut to without a loss, see {@link FIRST_ENOUGH}. */
  readonly enough: number;
  /** Columns in which no row has anything. */
  readonly empty: ReadonlySet<number>;
}

const GAP = '  ';
/** Where its column leaves it less than this on a terminal, a sentence begins further to the left. */
const SENTENCE_WIDTH = 32;
const SENTENCE_INDENT = 4;
/** The first column is never cut below this. */
const FIRST_WIDTH = 8;
/** It is cut to this for the others, if its texts still differ then: one long name must not cost all rows their columns. */
const FIRST_ENOUGH = 24;
/** What it takes for its texts to differ, at the cost of others. */
const FIRST_MOST = 48;

/**
 * Lines of an aligned table. On a terminal of `width` columns no line is longer: empty and spare columns go, then the
 * first is cut as far as nobody misses much, then the column that may be cut, then the first again. `width` null:
 * nothing is cut, and each row is one line. Texts are made harmless here.
 */
export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  options: { readonly width: number | null; readonly paint: Paint; readonly header?: boolean },
): readonly string[] {
  const header = options.header ?? true;
  const safe = rows.map((row) =>
    'sentence' in row
      ? { ...row, sentence: safeText(row.sentence) }
      : row.map((cell) => ({ ...cell, text: safeText(cell.text) })),
  );
  const natural = columns.map((column, index) =>
    Math.max(
      header ? textWidth(column.title) : 0,
      ...safe.map((row) => ('sentence' in row ? 0 : textWidth(row[index]?.text ?? ''))),
    ),
  );
  const firsts = [...new Set(safe.map((row) => ('sentence' in row ? '' : (row[0]?.text ?? ''))))];
  const room: Widths | undefined =
    options.width === null
      ? undefined
      : {
          natural,
          width: options.width,
          enough: enoughFor(firsts, Math.min(FIRST_MOST, natural[0] ?? 0)),
          empty: emptyColumns(columns, safe),
        };
  const shown = room === undefined ? columns.map((_, index) => index) : choose(columns, room);
  const widths = room === undefined ? natural : squeeze(columns, shown, room);
  const cutFirst = bestCut(firsts, widths[0] ?? 0);
  const line = (cells: readonly Cell[]): string =>
    shown
      .map((index, place) => {
        const width = widths[index] ?? 0;
        const text = (index === 0 ? cutFirst : fit)(cells[index]?.text ?? '', width);
        const last = place === shown.length - 1;
        const align = columns[index]?.align ?? 'left';
        const painted = options.paint(cells[index]?.colour, text);
        if (last && align === 'left') return painted;
        const blanks = pad(text, width, 'left').slice(text.length);
        return align === 'left' ? painted + blanks : blanks + painted;
      })
      .join(GAP)
      .trimEnd();
  const sentence = ({ sentence: text, under, colour }: Sentence): readonly string[] => {
    const before = shown.filter((index) => index < under);
    const at = total(widths, before) + (before.length === 0 ? 0 : GAP.length);
    if (options.width === null) return [' '.repeat(at) + options.paint(colour, text)];
    const indent = options.width - at < SENTENCE_WIDTH ? Math.min(at, SENTENCE_INDENT) : at;
    return wrap(text, options.width - indent).map((part) => ' '.repeat(indent) + options.paint(colour, part));
  };
  const lines = safe.flatMap((row) => ('sentence' in row ? sentence(row) : [line(row)]));
  if (!header) return lines;
  return [line(columns.map(({ title }) => ({ text: title, colour: 'dim' }))), ...lines];
}

type Cut = (text: string, width: number) => string;

/** Texts that begin in the same way are cut in the middle. */
function bestCut(texts: readonly string[], width: number): Cut {
  return differing(texts, fit, width) >= differing(texts, fitMiddle, width) ? fit : fitMiddle;
}

function differing(texts: readonly string[], cut: Cut, width: number): number {
  return new Set(texts.map((text) => cut(text, width))).size;
}

/** So many columns, at most `most`, let texts that differ be seen to differ. */
function enoughFor(texts: readonly string[], most: number): number {
  let width = Math.min(FIRST_ENOUGH, most);
  while (width < most && differing(texts, bestCut(texts, width), width) < texts.length) width++;
  return width;
}

function emptyColumns(columns: readonly Column[], rows: readonly Row[]): ReadonlySet<number> {
  // A dash is an answer as well: it goes only with a column that could be spared anyway.
  const saysNothing = (text: string, index: number): boolean =>
    text === '' || (text === '-' && columns[index]?.spare !== undefined);
  const isEmpty = (index: number): boolean =>
    rows.length > 0 && rows.every((row) => 'sentence' in row || saysNothing(row[index]?.text ?? '', index));
  return new Set(columns.map((_, index) => index).filter(isEmpty));
}

/** Indices of the columns that are shown. */
function choose(columns: readonly Column[], { natural, width, enough, empty }: Widths): readonly number[] {
  const all = columns.map((_, index) => index);
  if (total(natural, all) <= width) return all;
  let shown = all.filter((index) => index === 0 || !empty.has(index));
  const spares = shown
    .filter((index) => columns[index]?.spare !== undefined)
    .sort((a, b) => (columns[a]?.spare ?? 0) - (columns[b]?.spare ?? 0));
  const cut = columns.findIndex((column) => column.cut !== undefined);
  const wanted = natural.map((own, index) => {
    if (index === 0) return Math.min(own, enough);
    return index === cut ? Math.min(own, columns[cut]?.cut ?? own) : own;
  });
  for (const spare of spares) {
    if (total(wanted, shown) <= width) break;
    shown = shown.filter((index) => index !== spare);
  }
  return shown;
}

function squeeze(
  columns: readonly Column[],
  shown: readonly number[],
  { natural, width, enough }: Widths,
): readonly number[] {
  const widths = [...natural];
  const shrink = (index: number | undefined, least: number): void => {
    const over = total(widths, shown) - width;
    const own = index === undefined ? 0 : (widths[index] ?? 0);
    if (index !== undefined && over > 0) widths[index] = Math.max(Math.min(own, least), own - over);
  };
  const cut = shown.find((index) => columns[index]?.cut !== undefined);
  shrink(cut, columns[cut ?? 0]?.cut ?? 1);
  shrink(shown[0], enough);
  shrink(cut, 1);
  shrink(shown[0], FIRST_WIDTH);
  return widths;
}

function total(widths: readonly number[], shown: readonly number[]): number {
  const gaps = Math.max(0, shown.length - 1) * GAP.length;
  return shown.reduce((sum, index) => sum + (widths[index] ?? 0), gaps);
}
