/** How is a series of measurements drawn, as an SVG that a page can show? */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';

/** Where a drawing goes; nowhere unless somebody asked for it. */
export type KeepPlot = (name: string, svg: string) => void;

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: { readonly name: string; readonly log?: boolean };
  readonly y: { readonly name: string; readonly log?: boolean };
  readonly series: readonly Series[];
}

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { top: 36, right: 150, bottom: 44, left: 64 };

/** Told apart also by people who do not see all colours (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

export function drawPlot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((each) => each.points);
  const across = scaleOf(x.log, span(points, 0, x.log), [MARGIN.left, WIDTH - MARGIN.right]);
  const up = scaleOf(y.log, span(points, 1, y.log), [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const path = line<readonly [number, number]>(
    ([at]) => across(at),
    ([, value]) => up(value),
  );
  const left = MARGIN.left;
  const bottom = HEIGHT - MARGIN.bottom;
  const parts = [
    `<text x="${left}" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    ...ticksOf(across, x.log).map(
      (tick) =>
        `<line x1="${at(across(tick))}" x2="${at(across(tick))}" y1="${MARGIN.top}" y2="${bottom}" class="grid"/>` +
        `<text x="${at(across(tick))}" y="${bottom + 16}" text-anchor="middle">${figure(tick)}</text>`,
    ),
    ...ticksOf(up, y.log).map(
      (tick) =>
        `<line x1="${left}" x2="${WIDTH - MARGIN.right}" y1="${at(up(tick))}" y2="${at(up(tick))}" class="grid"/>` +
        `<text x="${left - 6}" y="${at(up(tick) + 4)}" text-anchor="end">${figure(tick)}</text>`,
    ),
    `<text x="${(left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x.name)}</text>`,
    `<text transform="translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.name)}</text>`,
    // One line needs no name beside that of its axis.
    ...series.flatMap((each, index) => {
      const colour = COLOURS[index % COLOURS.length] ?? 'black';
      const row = MARGIN.top + 8 + index * 18;
      return [
        `<path d="${path(each.points)}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...(each.points.length <= 12
          ? each.points.map(
              ([a, b]) => `<circle cx="${at(across(a))}" cy="${at(up(b))}" r="3" fill="${colour}"/>`,
            )
          : []),
        ...(series.length === 1
          ? []
          : [
              `<rect x="${WIDTH - MARGIN.right + 12}" y="${row - 8}" width="10" height="10" fill="${colour}"/>`,
              `<text x="${WIDTH - MARGIN.right + 28}" y="${row + 1}">${escaped(each.name)}</text>`,
            ]),
      ];
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">
<title>${escaped(title)}</title>
<style>.grid{stroke:#ddd}</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
${parts.join('\n')}
</svg>
`;
}

export interface Ratios {
  readonly title: string;
  /** What 1 stands for, and the words at both ends. */
  readonly x: string;
  readonly rows: readonly { readonly name: string; readonly values: ReadonlyMap<string, number> }[];
}

const ROW = 22;
const NAMES = 285;

/** A row for each measurement, a point for each who was measured, on a logarithmic axis. */
export function drawRatios({ title, x, rows }: Ratios): string {
  const all = rows.flatMap(({ values }) => [...values.values()]);
  const across = scaleLog()
    .domain([Math.min(...all, 1), Math.max(...all, 1)])
    .range([NAMES, WIDTH - 110])
    .nice();
  const bottom = MARGIN.top + rows.length * ROW;
  const height = bottom + MARGIN.bottom;
  const who = [...new Set(rows.flatMap(({ values }) => [...values.keys()]))];
  const colourOf = (name: string) => COLOURS[who.indexOf(name) % COLOURS.length] ?? 'black';
  const parts = [
    `<text x="10" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    ...ticksOf(across, true)
      .filter((tick) => Number.isInteger(Math.log10(tick)))
      .map(
        (tick) =>
          `<line x1="${at(across(tick))}" x2="${at(across(tick))}" y1="${MARGIN.top}" y2="${bottom}" class="${tick === 1 ? 'one' : 'grid'}"/>` +
          `<text x="${at(across(tick))}" y="${bottom + 16}" text-anchor="middle">${tick.toLocaleString('en-US', { maximumFractionDigits: 4 })}</text>`,
      ),
    ...rows.flatMap(({ name, values }, index) => {
      const y = MARGIN.top + (index + 0.5) * ROW;
      return [
        `<text x="${NAMES - 12}" y="${y + 4}" text-anchor="end">${escaped(name)}</text>`,
        `<line x1="${NAMES}" x2="${WIDTH - 110}" y1="${y}" y2="${y}" class="grid"/>`,
        ...[...values].map(
          ([each, value]) =>
            `<circle cx="${at(across(value))}" cy="${y}" r="5" fill="${colourOf(each)}" fill-opacity="0.85"/>`,
        ),
      ];
    }),
    `<text x="${(NAMES + WIDTH - 110) / 2}" y="${height - 8}" text-anchor="middle">${escaped(x)}</text>`,
    ...who.map(
      (name, index) =>
        `<circle cx="${WIDTH - 94}" cy="${MARGIN.top + 8 + index * 18}" r="5" fill="${colourOf(name)}"/>` +
        `<text x="${WIDTH - 82}" y="${MARGIN.top + 12 + index * 18}">${escaped(name)}</text>`,
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">
<title>${escaped(title)}</title>
<style>.grid{stroke:#ddd}.one{stroke:#000}</style>
<rect width="${WIDTH}" height="${height}" fill="white"/>
${parts.join('\n')}
</svg>
`;
}

type Scale = { ticks(count: number): number[] };

function scaleOf(
  log: boolean | undefined,
  domain: readonly [number, number],
  range: readonly [number, number],
) {
  return (log ? scaleLog() : scaleLinear()).domain(domain).range(range).nice();
}

/** From 0, so that a slope looks as large as it is; on a logarithmic axis from the least. */
function span(points: readonly (readonly [number, number])[], which: 0 | 1, log = false): [number, number] {
  const values = points.map((point) => point[which]);
  const most = Math.max(...values);
  return [log ? Math.min(...values) : Math.min(0, ...values), most > 0 ? most : 1];
}

function ticksOf(scale: Scale, log = false): readonly number[] {
  const ticks = scale.ticks(5);
  // Every power of ten has nine of them.
  return log && ticks.length > 8 ? ticks.filter((tick) => /^[125]/.test(tick.toExponential())) : ticks;
}

function at(value: number): string {
  return value.toFixed(1);
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
