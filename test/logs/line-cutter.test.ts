import { expect, test } from 'vitest';
import { LineCutter } from '../../src/logs/line-cutter.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';

test('nothing of a block is kept but a copy of what is not ended', () => {
  const cutter = new LineCutter();
  const block = Buffer.alloc(65_536);
  const write = (text: string) => block.subarray(0, block.write(text));
  // Were it the block itself that is kept, a log of dots would keep one for each of them.
  const told = ['one', ' and', ' more\ntwo', '.', '.\n', 'rest'].map((text) => cutter.add(write(text)));
  expect(told).toEqual([[], [], ['one and more'], [], ['two..'], []]);
  write('????');
  expect(cutter.rest()).toEqual(['rest']);
});

test('a line of many small pieces is cut where a long one is', () => {
  const piece = Buffer.from('0123456');
  const cutter = new LineCutter();
  for (let bytes = 0; bytes <= LONGEST_LINE; bytes += piece.length) cutter.add(piece);
  const whole = piece.toString().repeat(LONGEST_LINE / piece.length + 1);
  expect(cutter.add(Buffer.from('\nnext\n'))).toEqual([`${whole.slice(0, LONGEST_LINE)}…`, 'next']);
});
