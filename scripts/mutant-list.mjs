// What are the planted bugs? One a line: `file | exact text, found once | what stands there instead`.

/** @param text of test/mutants.txt */
export function readMutants(text) {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, index) => {
      const [file, from, to] = line
        .replaceAll('\\|', '\u0000')
        .split(' | ')
        .map((part) => part.replaceAll('\u0000', '|'));
      return {
        number: index + 1,
        file,
        text: from.replaceAll('\\n', '\n'),
        instead: to === '(nothing)' ? '' : to.replaceAll('\\n', '\n'),
      };
    });
}
