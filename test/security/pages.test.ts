/** Do the pages about security and dependencies say what is there? */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

interface Reference {
  readonly file: string;
  readonly title: string;
}

/** Every promise of the page, with the tests that it names. */
function promisesOf(
  page: string,
): readonly { readonly says: string; readonly heldBy: readonly Reference[] }[] {
  const promised = page.slice(0, page.indexOf('\n## What is not promised'));
  return promised
    .split(/\n(?=- )/)
    .slice(1)
    .map((text) => {
      const [says = '', ...lines] = text.split(/\n(?! {2}[^ -])/);
      const heldBy = lines.flatMap((line) => {
        const [, file = '', title = ''] = /^ {2}- `(test\/[\w./-]+\.test\.ts)`: "(.+)"$/.exec(line) ?? [];
        return file === '' ? [] : [{ file, title }];
      });
      return { says, heldBy };
    });
}

/** What it names that is not there. */
function missingIn(page: string): readonly string[] {
  return promisesOf(page).flatMap(({ says, heldBy }) => {
    if (heldBy.length === 0) return [`no test: ${says}`];
    return heldBy.filter((reference) => !isThere(reference)).map(({ file, title }) => `${file}: ${title}`);
  });
}

/** As the title of a test, not in a comment. */
function isThere({ file, title }: Reference): boolean {
  if (!existsSync(`${ROOT}${file}`)) return false;
  const source = read(file);
  return (
    ["'", '"', '`'].some((quote) => source.includes(`(${quote}${title}${quote},`)) ||
    new RegExp(`\\(\\s*'${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}',`).test(source)
  );
}

describe('docs/security.md', () => {
  const page = read('docs/security.md');

  test('names tests that are there, at least one for each promise', () => {
    expect(missingIn(page)).toEqual([]);
    expect(promisesOf(page).length).toBeGreaterThan(25);
  });

  test('would not pass with a test that is gone, a file that is gone, or a promise that nothing holds', () => {
    const head = page.slice(0, page.indexOf('\n- '));
    const wrong = [
      '- One.\n  - `test/security/pages.test.ts`: "no such title"',
      '- Two\n  goes on.\n  - `test/security/gone.test.ts`: "a title"',
      '- Three.\n',
      '- Four.\n  - `test/security/pages.test.ts`: "names tests that are there, at least one for each promise"',
    ];
    expect(missingIn(`${head}\n${wrong.join('\n')}\n\n## What is not promised\n`)).toEqual([
      'test/security/pages.test.ts: no such title',
      'test/security/gone.test.ts: a title',
      expect.stringMatching(/^no test: - Three/),
    ]);
  });

  test('has every file of test/security among those that it names', () => {
    const named = new Set(promisesOf(page).flatMap(({ heldBy }) => heldBy.map(({ file }) => file)));
    const own = ['bent-paths', 'configuration', 'doors', 'launcher', 'rotation-leftover', 'secrets-in-words'];
    for (const name of [...own, 'terminal-escapes', 'work-for-the-daemon']) {
      expect([...named]).toContain(`test/security/${name}.test.ts`);
    }
  });
});

interface Locked {
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const LOCKED = (JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> })
  .packages;

/** Where Node finds it, seen from a package: nearest first. */
function placeOf(name: string, from: string): string | undefined {
  const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (place in LOCKED) return place;
  return from === ''
    ? undefined
    : placeOf(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
}

/** It and all that it brings. */
function withAll(name: string): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (place: string | undefined): void => {
    if (place === undefined || found.has(place)) return;
    found.add(place);
    const { dependencies, optionalDependencies } = LOCKED[place] ?? {};
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(placeOf(each, place));
  };
  add(placeOf(name, ''));
  return found;
}

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };

  /** By package: how many it brings, and its licence; a row without a reason is none. */
  function rowsOf(heading: string): Readonly<Record<string, string>> {
    const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? '';
    const rows = section.split('\n').flatMap((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      const [, name = '', brings = '', licence = ''] = cells;
      const why = cells.at(-2) ?? '';
      const found = /^`(.+)`$/.exec(name)?.[1];
      return found === undefined || why.length < 15 ? [] : [[found, `${brings} ${licence}`] as const];
    });
    return Object.fromEntries(rows);
  }

  const factsOf = (names: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(
      names.map((name) => [name, `${withAll(name).size - 1} ${LOCKED[`node_modules/${name}`]?.license}`]),
    );

  test.each([
    ['At run time', dependencies],
    ['Optional', optionalDependencies],
    ['For development', devDependencies],
  ])('%s: names every package and no other, with what it brings and its licence', (heading, declared) => {
    expect(rowsOf(heading)).toEqual(factsOf(Object.keys(declared)));
  });

  test('counts all of them, and says with right that none of them runs a script', () => {
    const all = new Set(Object.keys(dependencies).flatMap((name) => [...withAll(name)]));
    expect(page).toContain(`Together ${all.size} packages`);
    const installed = [...all, ...Object.keys(optionalDependencies).flatMap((name) => [...withAll(name)])];
    expect(installed.filter((place) => LOCKED[place]?.hasInstallScript === true)).toEqual([]);
    expect(installed.filter((place) => LOCKED[place]?.dev === true)).toEqual([]);
  });

  test('every version is exact', () => {
    const versions = Object.values({ ...dependencies, ...optionalDependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});
