/** Which text does a base64 value hold? */

/** RFC 4648, section 4, blanks and line breaks aside. The refusal does not show the value: it is a secret. */
export function decodeBase64(base64: string): { readonly value: string } | { readonly refused: string } {
  const text = base64.replaceAll(/\s/g, '');
  const whole = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (!whole) return { refused: 'this is no base64 text (RFC 4648)' };
  const bytes = Buffer.from(text, 'base64');
  const value = bytes.toString('utf8');
  if (!Buffer.from(value, 'utf8').equals(bytes) || value.includes('\0')) {
    return { refused: 'its bytes are no UTF-8 text, which a variable must be' };
  }
  return { value };
}
