import { describe, expect, test } from 'vitest';
import { safeLine, safeText } from '../../src/model/terminal-safe.ts';

describe('text of unknown origin cannot command a terminal', () => {
  const cases = [
    { why: 'OSC sets the title, ended by BEL', text: '\u001b]0;owned\u0007', shown: '\\x1b]0;owned\\x07' },
    { why: 'OSC ended by ST', text: '\u001b]52;c;eA==\u001b\\', shown: '\\x1b]52;c;eA==\\x1b\\' },
    { why: 'CSI colours and moves', text: '\u001b[31mred\u001b[2A', shown: '\\x1b[31mred\\x1b[2A' },
    { why: 'C1 CSI is one character', text: '\u009b31m', shown: '\\x9b31m' },
    { why: 'C1 OSC is one character', text: '\u009d0;x\u009c', shown: '\\x9d0;x\\x9c' },
    { why: 'BEL', text: 'a\u0007b', shown: 'a\\x07b' },
    { why: 'a carriage return overwrites what was read', text: 'all good\rerror', shown: 'all good\\rerror' },
    { why: 'a line feed makes a second line', text: 'a\nb', shown: 'a\\nb' },
    { why: 'backspace', text: 'a\bb', shown: 'a\\x08b' },
    { why: 'NUL and DEL', text: '\u0000\u007f', shown: '\\x00\\x7f' },
    { why: 'bidi override', text: 'a\u202etxt.exe', shown: 'a\\u202etxt.exe' },
    { why: 'bidi isolates', text: '\u2066x\u2069', shown: '\\u2066x\\u2069' },
    { why: 'line separator', text: 'a\u2028b', shown: 'a\\u2028b' },
    { why: 'invisible tag characters', text: '\u{e0041}', shown: '\\u{e0041}' },
    { why: 'half of a surrogate pair', text: '\ud800', shown: '\\ud800' },
    { why: 'plain text stays', text: 'Grüße, 日本 👍 \\x1b', shown: 'Grüße, 日本 👍 \\x1b' },
  ];
  test.each(cases)('$why', ({ text, shown }) => {
    expect(safeText(text)).toBe(shown);
    expect(safeLine(text)).toBe(shown);
  });

  test('every control character there is becomes visible', () => {
    for (let code = 0; code <= 0x9f; code++) {
      if (code >= 0x20 && code < 0x7f) continue;
      const shown = safeText(`a${String.fromCharCode(code)}b`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
      expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });

  test('tabs are kept in a log line and are a blank in a table; the end of a DOS line is dropped', () => {
    expect(safeLine('\tat x\r')).toBe('\tat x');
    expect(safeText('a\tb')).toBe('a b');
  });
});
