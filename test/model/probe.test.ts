import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DETAIL_LENGTH, safeDetail } from '../../src/model/probe.ts';

describe('a detail of a probe', () => {
  it('leaves plain text as it is', () => {
    expect(safeDetail('200 in 3 ms, größer – naïve 日本')).toBe('200 in 3 ms, größer – naïve 日本');
  });

  it('is one line without anything that a terminal obeys', () => {
    expect(safeDetail(' a\r\nb\u001b[31mc\u009b2Jd\u202ee\u2028f\u0000 ')).toBe('a b [31mc 2Jd e f');
  });

  it('is short, and never cuts a character in two', () => {
    expect(safeDetail('😀'.repeat(DETAIL_LENGTH))).toBe('😀'.repeat(DETAIL_LENGTH));
    expect(safeDetail('😀'.repeat(DETAIL_LENGTH + 1))).toBe(`${'😀'.repeat(DETAIL_LENGTH - 3)}...`);
  });

  it('holds for whatever a service says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3 * DETAIL_LENGTH }), (text) => {
        const detail = safeDetail(text);
        expect([...detail].length).toBeLessThanOrEqual(DETAIL_LENGTH);
        expect(detail).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });
});
