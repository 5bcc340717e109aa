import { expect, test } from 'vitest';
import { LineCutter } from '../../src/logs/line-cutter.ts';
import { isCutLine, LONGEST_LINE } from '../../src/model/log-line.ts';

const BOM = Buffer.from('\ufeff');

test.each<[string, Buffer, boolean]>([
  ['one byte more than is shown', Buffer.alloc(LONGEST_LINE + 1, 'x'), true],
  ['much more', Buffer.alloc(10 * LONGEST_LINE, 'x'), true],
  ['a character of which only a part is shown', Buffer.from('é'.repeat(LONGEST_LINE / 2).concat('é')), true],
  ['a character that is cut apart', Buffer.from(`x${'é'.repeat(LONGEST_LINE / 2)}`), true],
  [
    'a mark of its byte order, and a carriage return where it is cut',
    Buffer.concat([BOM, Buffer.alloc(LONGEST_LINE - BOM.length - 1, 'x'), Buffer.from('\rx')]),
    true,
  ],
  ['just as much as is shown', Buffer.alloc(LONGEST_LINE, 'x'), false],
  ['the sign of its own, and short', Buffer.from('and so on…'), false],
  ['nothing', Buffer.alloc(0), false],
])('a line with %s', (_, bytes, isCut) => {
  const cutter = new LineCutter();
  expect([...cutter.add(bytes), ...cutter.add(Buffer.from('\n'))].map(isCutLine)).toEqual([isCut]);
});
