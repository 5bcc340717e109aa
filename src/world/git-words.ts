/** How does what Git says become part of a sentence that everybody may read? */

/** Git repeats the address of a remote as it is written, also with a user and password in it (RFC 3986, 3.2.1). */
export function withoutCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@']*(?:@[^\s/@']*)*@/gi, '$1***@');
}

/** Git writes lines, some of them empty or ending in a full stop; after a colon it lists things. */
export function onOneLine(text: string): string {
  return (
    text
      // A line that begins small goes on with the sentence before it, unless it is marked as one of its own.
      .replace(/(?<!:)[\r\n]+(?=[a-z])(?!(?:fatal|error|warning|hint|remote):)/g, ' ')
      .split(/[\r\n]+/)
      .map((line) => line.trim().replace(/\.$/, ''))
      .filter((line) => line !== '')
      .reduce(
        (before, line) => (before === '' ? line : `${before}${before.endsWith(':') ? '' : ';'} ${line}`),
        '',
      )
  );
}
