/** Which paths does an ignore pattern mean? */

/**
 * Reads a pattern as people know it from .gitignore, without its negation and character classes: `?` is one character
 * and `*` any number of them within one name, `**` any number of whole names. Hidden names are like others.
 * - without a slash (`dist`, `*.log`): every file or directory of that name, however deep;
 * - with a slash inside (`build/*.js`, `docs/**`): the path from the watched directory on;
 * - with one in front (`/srv/app/tmp`): the absolute path.
 * A slash at the end says nothing. What is below a directory that is meant is meant too.
 * @returns tells of a path, absolute and as seen from the watched directory (empty for that directory itself)
 */
export function pathPattern(pattern: string): (absolute: string, relative: string) => boolean {
  const names = namesOf(pattern);
  if (names.length === 0) return () => false;
  if (pattern.startsWith('/')) return (absolute) => startsLike(names, namesOf(absolute));
  const [only = ''] = names;
  if (names.length > 1 || only === '**') return (_, relative) => startsLike(names, namesOf(relative));
  return (_, relative) => namesOf(relative).some((name) => isNamed(only, name));
}

/** Does the path, or a directory that it lies in, match? */
function startsLike(pattern: readonly string[], path: readonly string[]): boolean {
  for (let length = 1; length <= path.length; length++) {
    if (matches(pattern, path.slice(0, length), '**', isNamed)) return true;
  }
  return false;
}

function isNamed(pattern: string, name: string): boolean {
  return matches([...pattern], [...name], '*', (one, other) => one === '?' || one === other);
}

/**
 * Items against items, where `star` stands for any number of them. Only the last star is ever tried again, so that
 * the work is at most one length times the other, whatever the pattern.
 */
function matches(
  pattern: readonly string[],
  items: readonly string[],
  star: string,
  same: (pattern: string, item: string) => boolean,
): boolean {
  let [at, next] = [0, 0];
  let [retryAt, retryNext] = [-1, 0];
  while (next < items.length) {
    const one = pattern[at];
    const item = items[next] ?? '';
    if (one === star) {
      [retryAt, retryNext] = [at, next];
      at++;
    } else if (one !== undefined && same(one, item)) {
      at++;
      next++;
    } else if (retryAt >= 0) {
      retryNext++;
      [at, next] = [retryAt + 1, retryNext];
    } else {
      return false;
    }
  }
  while (pattern[at] === star) at++;
  return at === pattern.length;
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
