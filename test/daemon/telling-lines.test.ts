import { describe, expect, it } from 'vitest';
import { tellingLines } from '../../src/daemon/telling-lines.ts';

const many = (count: number, line: (at: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, at) => line(at));
const words = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel', 'india', 'juliett'];

describe('the lines that tell most', () => {
  it('are all of them, in their order, as long as there is room', () => {
    expect(tellingLines(['GET / 200', 'FATAL', 'GET / 200'], ['GET / 200'], 3)).toEqual([
      'GET / 200',
      'FATAL',
      'GET / 200',
    ]);
  });

  it('are not those that others wrote before, whatever their numbers are', () => {
    const access = (at: number): string => `10.0.0.${at} GET /users/${at} 200 ${at} ms id=deadbeef${at % 10}`;
    const lines = [...many(500, access), 'FATAL: config option X missing', ...many(500, access)];
    expect(tellingLines(lines, many(3, access), 8)).toEqual(['FATAL: config option X missing']);
  });

  it('are the rare ones when all kinds were written before: the same definition has failed before', () => {
    const lines = [...many(500, () => 'GET / 200'), 'FATAL', ...many(500, () => 'GET /health 200')];
    const found = tellingLines(lines, ['GET / 200', 'GET /health 200', 'FATAL'], 1);
    expect(found).toEqual(['FATAL']);
    expect(tellingLines(lines, ['GET / 200', 'GET /health 200', 'FATAL'], 8)).toEqual([
      'GET / 200',
      'FATAL',
      'GET /health 200',
    ]);
  });

  it('are the first and the last of many that differ', () => {
    expect(tellingLines(words, [], 4)).toEqual(['alpha', 'bravo', 'india', 'juliett']);
  });
});
