import { describe, expect, test } from 'vitest';
import { withoutSecrets } from '../../src/config/hidden-secrets.ts';

describe('the text of a file without its secrets', () => {
  test.each([
    [
      'in a flow map',
      'env: { A: { base64: c2VjcmV0 }, B: b } # why',
      'env: { A: { base64: (hidden)}, B: b } # why',
    ],
    ['in quotes', `A: { "base64": "c2VjcmV0" }\nB: { 'base64': 'c2VjcmV0' }`, null],
    ['in a block map', 'A:\n  base64: c2VjcmV0\nB: b\n', 'A:\n  base64: (hidden)\nB: b\n'],
    [
      'in a block scalar',
      'A:\n  base64: |\n    c2Vj\n\n    cmV0\n  x: 1\nB: b\n',
      'A:\n  base64: (hidden)\n  x: 1\nB: b\n',
    ],
    ['in the line below', 'A:\n  base64:\n    c2VjcmV0\nB: b\n', 'A:\n  base64: (hidden)\nB: b\n'],
    ['over two lines', 'A: { base64: "c2Vj\\\n  cmV0" }\nB: b\n', 'A: { base64: (hidden)\nB: b\n'],
    ['with an anchor', 'A: { base64: &a c2VjcmV0 }\nB: { base64: *a }\n', null],
    ['in a text that is no YAML', 'A: { base64: c2VjcmV0\n  : ]\n', null],
  ])('%s', (_, text, shown) => {
    const left = withoutSecrets(text);
    expect(left).not.toMatch(/c2Vj|cmV0/);
    expect(left).toContain('base64');
    if (shown !== null) expect(left).toBe(shown);
  });

  test('is the text where there are none', () => {
    const text = '# base64 is no secret here\nprocess: { command: [base64, -d] }\n';
    expect(withoutSecrets(text)).toBe(text);
  });
});
