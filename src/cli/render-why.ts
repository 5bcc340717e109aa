/** How is told why a service is in its state, the most important thing first? */
import type { ExitView, WhyView } from '../api/contract.ts';
import { sentence } from '../model/problem.ts';
import { safeLine, safeText } from '../model/terminal-safe.ts';
import { printDuration } from '../model/units.ts';
import { type Paint, STATE_COLOURS } from './paint.ts';
import { age, localTime, shortDuration } from './quantities.ts';
import { fieldText, placeOf } from './render-diff.ts';
import { renderProblems } from './render-status.ts';
import { type Row, table } from './table.ts';

export interface WhyLook {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly paint: Paint;
  /** The lines of stderr are made harmless on a terminal, and stay as they are elsewhere. */
  readonly onTerminal: boolean;
}

export function renderWhy(view: WhyView, look: WhyLook): readonly string[] {
  const { service, exits, changes } = view;
  // The cause is often the first problem; what is listed as one need not be said before.
  const [cause] = view.because;
  const problems = view.problems.filter((problem) => sentence(problem) !== cause);
  const listed = new Set(problems.map(sentence));
  const because = view.because.filter((text) => !listed.has(text));
  const { paint } = look;
  const state = paint(STATE_COLOURS[service.state], safeText(service.state));
  const held = service.drift === 'none' ? '' : `, drift: ${safeText(service.drift)}`;
  return [
    `${paint('bold', safeText(service.name))} is ${state}, ${service.ready}/${service.desired} ready${held}`,
    ...because.map((text) => `  ${safeText(text)}`),
    ...section('Last exits', exitLines(exits, look)),
    ...exits.flatMap((exit) => excerpt(exit, look)),
    ...section(
      'Not applied yet',
      changes.map((change) =>
        `${safeText(fieldText(change))}  ${paint('dim', safeText(placeOf(change)))}`.trimEnd(),
      ),
    ),
    ...section('Problems', renderProblems(problems, paint)),
    ...section(
      tailTitle(view),
      view.stderr_tail.map((line) => (look.onTerminal ? safeLine(line) : line)),
    ),
  ];
}

function tailTitle({ stderr_since }: WhyView): string {
  return stderr_since === undefined
    ? 'Last lines of stderr'
    : `Lines of stderr since ${localTime(Date.parse(stderr_since))}, when the newer definition was started that failed`;
}

/** What one run of a schedule wrote. */
function excerpt({ at, log, ...exit }: ExitView, { onTerminal }: WhyLook): readonly string[] {
  if (log === undefined || log.length === 0) return [];
  const lines = log.map((line) => (onTerminal ? safeLine(line) : line));
  return section(
    `Output of the run that ended at ${localTime(Date.parse(at))} with ${safeText(howText({ at, ...exit }))}`,
    lines,
  );
}

const ENDED_BY: Readonly<Record<ExitView['by'], string>> = {
  stop: 'stopped',
  itself: 'by itself',
  policy: 'not well',
};

function exitLines(exits: readonly ExitView[], { now, paint }: WhyLook): readonly string[] {
  const columns = ['AGO', 'INSTANCE', 'HOW', 'BY', 'AFTER'].map((title) => ({
    title,
    align: 'left' as const,
  }));
  const rows = exits.flatMap((exit): readonly Row[] => {
    const where = [{ text: `${age(exit.at, now)} ago` }, { text: `instance ${exit.instance}` }];
    // Of what never ran nobody ended anything, and why it could not run is a sentence.
    if (isRefused(exit)) return [[...where, { text: 'not started' }], { sentence: exit.reason, under: 2 }];
    const ended = [
      { text: howText(exit) },
      // A newer daemon may know further words.
      { text: Object.hasOwn(ENDED_BY, exit.by) ? ENDED_BY[exit.by] : exit.by },
      {
        text: `after ${exit.uptime_ms < 1000 ? printDuration(exit.uptime_ms) : shortDuration(exit.uptime_ms)}`,
      },
    ];
    return [[...where, ...ended]];
  });
  return table(columns, rows, { width: null, paint, header: false });
}

/** The launch was refused. */
function isRefused({ code, signal, oom, reason }: ExitView): boolean {
  return code === null && signal === null && !oom && reason !== 'unknown';
}

function howText({ code, signal, oom, reason }: ExitView): string {
  if (oom) return 'out of memory';
  if (code !== null) return `code ${code}`;
  return signal ?? reason;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}
