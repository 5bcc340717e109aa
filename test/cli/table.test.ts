import { describe, expect, test } from 'vitest';
import { paintFor } from '../../src/cli/paint.ts';
import { type Column, table } from '../../src/cli/table.ts';
import { fit, textWidth } from '../../src/cli/text-width.ts';

const plain = paintFor({ terminal: false, refused: false, environment: {} });
const colours = paintFor({ terminal: true, refused: false, environment: {} });

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'CPU', align: 'right', spare: 1 },
  { title: 'REASON', align: 'left', cut: 10 },
];
const rows = (...texts: readonly (readonly string[])[]) => texts.map((row) => row.map((text) => ({ text })));

describe('a table', () => {
  test('is aligned, without blanks at the ends of lines', () => {
    const lines = table(COLUMNS, rows(['web', '1%', 'fine'], ['api-long', '100%', '']), {
      width: null,
      paint: plain,
    });
    expect(lines).toEqual(['NAME       CPU  REASON', 'web         1%  fine', 'api-long  100%']);
  });

  test('counts columns, not characters', () => {
    const lines = table(COLUMNS, rows(['日本', '1%', 'x'], ['e\u0301t\u0301', '1%', 'x']), {
      width: null,
      paint: plain,
    });
    expect(lines.slice(1)).toEqual(['日本   1%  x', 'e\u0301t\u0301     1%  x']);
  });

  test('cuts a long name before that costs all rows a column, or the reason its words', () => {
    const long = 'a-name-that-somebody-made-from-all-that-is-known-of-it';
    const told = table(COLUMNS, rows(['web', '1%', 'a reason of words'], [long, '2%', '']), {
      width: 50,
      paint: plain,
    });
    // 33 columns for the name, 3 for the share, 10 for the reason, and two gaps of 2.
    expect(told).toEqual([
      'NAME                               CPU  REASON',
      'web                                 1%  a reason …',
      'a-name-that-somebody-made-from-a…   2%',
    ]);
    const narrow = table(COLUMNS, rows(['web', '1%', 'a reason of words'], [long, '2%', '']), {
      width: 36,
      paint: plain,
    });
    expect(narrow[1]).toMatch(/^web {23}a reason/);
    expect(narrow[2]).toBe('a-name-that-somebody-ma…');
  });

  test('gives a sentence a line of its own, which makes no column wider', () => {
    const sentence = 'it could not be started, for nobody has written it yet, and nobody will';
    const given = [...rows(['web', '1%', 'fine']), { sentence, under: 2 }, ...rows(['api', '2%', 'good'])];
    const piped = table(COLUMNS, given, { width: null, paint: plain });
    expect(piped).toEqual([
      'NAME  CPU  REASON',
      'web    1%  fine',
      `${' '.repeat(11)}${sentence}`,
      'api    2%  good',
    ]);
    const shown = table(COLUMNS, given, { width: 50, paint: colours });
    expect(shown.slice(2, -1)).toEqual([
      '           it could not be started, for nobody has',
      '           written it yet, and nobody will',
    ]);
    // 11 columns before it leave too little of 40.
    const narrow = table(COLUMNS, given, { width: 40, paint: plain });
    expect(narrow.slice(2, -1)).toEqual([
      '    it could not be started, for nobody',
      '    has written it yet, and nobody will',
    ]);
  });

  test('breaks a word of a sentence that is longer than the line', () => {
    const given = [{ sentence: 'not in /usr/local/sbin:/usr/local/bin ok', under: 0 }];
    expect(table(COLUMNS, given, { width: 12, paint: plain, header: false })).toEqual([
      'not in',
      '/usr/local/s',
      'bin:/usr/loc',
      'al/bin ok',
    ]);
  });

  test('leaves a column out in which there is nothing, before it cuts names', () => {
    const name = 'a-name-that-takes-room';
    expect(table(COLUMNS, rows([name, '1%', '']), { width: 27, paint: plain })).toEqual([
      'NAME                    CPU',
      `${name}   1%`,
    ]);
  });

  test('leaves a column of dashes out before one that matters less', () => {
    const columns: readonly Column[] = [...COLUMNS, { title: 'DRIFT', align: 'left', spare: 2 }];
    const drawn = (drift: string) =>
      table(columns, rows(['web', '1%', 'a reason', drift]), { width: 22, paint: plain })[0];
    expect(drawn('-')).toBe('NAME  CPU  REASON');
    expect(drawn('new')).toBe('NAME  REASON    DRIFT');
  });

  test('cuts names that begin alike so that they can still be told apart', () => {
    const names = [1, 2, 3].map((number) => `a-very-long-name-of-a-service-of-ours-${number}`);
    const told = table(COLUMNS, rows(...names.map((name) => [name, '1%', 'a reason of words'])), {
      width: 40,
      paint: plain,
    });
    expect(told.slice(1)).toEqual(
      // 10 columns for the reason, the share left out, a gap of 2, and 28 for the name.
      [1, 2, 3].map((number) => `a-very-long-na…ice-of-ours-${number}  a reason …`),
    );
    // Where they differ in the middle only, the room goes to them.
    const inside = ['one', 'two'].map((word) => `${'x'.repeat(20)}-${word}-${'y'.repeat(20)}`);
    const whole = table(COLUMNS, rows(...inside.map((name) => [name, '1%', 'a reason of words'])), {
      width: 60,
      paint: plain,
    });
    expect(new Set(whole.map((line) => line.slice(0, 45))).size).toBe(3);
  });

  test('leaves a spare column out before it cuts what can be cut', () => {
    const reason = 'a reason that is rather long';
    const wide = table(COLUMNS, rows(['web', '1%', reason]), { width: 22, paint: plain });
    expect(wide[1]).toBe('web    1%  a reason t…');
    const narrow = table(COLUMNS, rows(['web', '1%', reason]), { width: 20, paint: plain });
    expect(narrow).toEqual(['NAME  REASON', 'web   a reason that…']);
  });

  test.each([30, 24, 20, 16, 12])('never has a line longer than %i columns', (width) => {
    const long = 'x'.repeat(100);
    const lines = table(COLUMNS, rows([`name-${long}`, '1%', long], ['web', '1%', '日本'.repeat(50)]), {
      width,
      paint: plain,
    });
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
  });

  test('shows cells harmlessly, and paints them without shifting the columns', () => {
    const evil = [{ text: 'a\u001b[2Jb', colour: 'red' as const }, { text: '1%' }, { text: 'x\ny' }];
    expect(table(COLUMNS, [evil], { width: null, paint: plain })[1]).toBe('a\\x1b[2Jb   1%  x\\ny');
    expect(table(COLUMNS, [evil], { width: null, paint: colours })[1]).toBe(
      '\u001b[31ma\\x1b[2Jb\u001b[0m   1%  x\\ny',
    );
  });
});

describe('colours', () => {
  const of = (environment: Record<string, string>, terminal = true, refused = false) =>
    paintFor({ terminal, refused, environment })('red', 'x') !== 'x';
  test.each([
    { why: 'a terminal', has: of({}) },
    { why: 'NO_COLOR is empty', has: of({ NO_COLOR: '' }) },
  ])('$why: yes', ({ has }) => expect(has).toBe(true));
  test.each([
    { why: 'no terminal', has: of({}, false) },
    { why: 'NO_COLOR', has: of({ NO_COLOR: '1' }) },
    { why: '--no-color', has: of({}, true, true) },
    { why: 'a dumb terminal', has: of({ TERM: 'dumb' }) },
  ])('$why: no', ({ has }) => expect(has).toBe(false));
});

test('a cut never splits a wide character', () => {
  expect(fit('日本語', 5)).toBe('日本…');
  expect(fit('日本語', 4)).toBe('日…');
  expect(fit('abc', 3)).toBe('abc');
  expect(fit('abc', 0)).toBe('');
});
