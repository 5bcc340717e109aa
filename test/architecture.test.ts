/** Reads the code: are the rooms, the bans and the manners of the house kept? */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { PROBLEM_CODES } from '../src/model/problem.ts';
import {
  directoriesAreMadeLevelByLevel,
  EXCEPTIONS,
  filesAreShort,
  filesSayWhichQuestionTheyAnswer,
  MOST_LINES,
  namesSayWhatIsInside,
  nothingImportsInACircle,
  nothingIsAny,
  nothingIsLeftToDo,
  ON_DEMAND,
  onDemandFilesAreLoadedOnDemand,
  onlyWorldTouchesTheOutside,
  packagesStayInTheirRooms,
  problemCodesAreKept,
  type Rule,
  roomsImportDownwards,
} from './architecture/rules.ts';
import { type SourceFile, sourceFile } from './architecture/source-file.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function everyFile(): readonly SourceFile[] {
  return readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => sourceFile(path, readFileSync(`${ROOT}src/${path}`, 'utf8')));
}

const files = everyFile();

describe('the source', () => {
  test.each<[string, Rule]>([
    ['imports downwards only', roomsImportDownwards],
    ['loads on demand what is to be loaded on demand', onDemandFilesAreLoadedOnDemand],
    ['knows a package only in the room that it belongs to', packagesStayInTheirRooms],
    ['touches the outside only in world/', onlyWorldTouchesTheOutside],
    ['makes directories level by level', directoriesAreMadeLevelByLevel],
    ['has no circle of imports', nothingImportsInACircle],
    ['has names that say what is inside', namesSayWhatIsInside],
    ['has short files', filesAreShort],
    ['says in each file which question it answers', filesSayWhichQuestionTheyAnswer],
    ['knows the type of everything', nothingIsAny],
    ['leaves nothing to do', nothingIsLeftToDo],
  ])('%s', (_title, rule) => {
    expect(rule(files)).toEqual([]);
  });

  it('is all there', () => {
    expect(files.length).toBeGreaterThan(50);
    for (const path of [...Object.keys(EXCEPTIONS), ...Object.keys(ON_DEMAND)]) {
      expect(files.map((file) => file.path)).toContain(path);
    }
  });

  it('uses and documents every problem, and documents no other', () => {
    const document = readFileSync(`${ROOT}docs/problems.md`, 'utf8');
    expect(problemCodesAreKept(PROBLEM_CODES, files, document)).toEqual([]);
  });
});

/** Files in memory, as the rules see them. */
function house(sources: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(sources).map(([path, text]) => sourceFile(path, text));
}

describe('the rules bite', () => {
  const world = { 'world/clock.ts': '' };
  const model = { 'model/spec.ts': '' };

  test.each<[string, Rule, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'an import upwards',
      roomsImportDownwards,
      { ...world, 'policy/x.ts': "import { now } from '../world/clock.ts';" },
      ['policy/x.ts imports world/'],
    ],
    [
      'an import upwards, of a type',
      roomsImportDownwards,
      { ...world, 'reconcile/x.ts': "import type { Clock } from '../world/clock.ts';" },
      ['reconcile/x.ts imports world/'],
    ],
    [
      'an import upwards, over several lines',
      roomsImportDownwards,
      { ...world, 'policy/x.ts': "import {\n  a,\n  type B,\n} from '../world/clock.ts';" },
      ['policy/x.ts imports world/'],
    ],
    [
      'an import upwards, passed on',
      roomsImportDownwards,
      { ...world, 'policy/x.ts': "export * from '../world/clock.ts';" },
      ['policy/x.ts imports world/'],
    ],
    [
      'an import upwards, for its effect',
      roomsImportDownwards,
      { ...world, 'policy/x.ts': "import '../world/clock.ts';" },
      ['policy/x.ts imports world/'],
    ],
    [
      'an import upwards, on demand',
      roomsImportDownwards,
      { ...world, 'api/x.ts': "const clock = await import('../world/clock.ts');" },
      ['api/x.ts imports world/'],
    ],
    [
      'a room that nobody knows',
      roomsImportDownwards,
      { ...model, 'cellar/x.ts': "import '../model/spec.ts';" },
      ['cellar/x.ts stands in cellar/, which is not on the map'],
    ],
    [
      'a file that is not there',
      roomsImportDownwards,
      { 'policy/x.ts': "import '../model/gone.ts';" },
      ['policy/x.ts imports model/gone.ts, which does not exist'],
    ],
    [
      'a file without its ending',
      roomsImportDownwards,
      { ...model, 'policy/x.ts': "import '../model/spec';" },
      ['policy/x.ts imports ../model/spec without the ending .ts'],
    ],
    [
      'config loaded by every command',
      onDemandFilesAreLoadedOnDemand,
      { 'cli/check.ts': '', 'cli/status.ts': "import { check } from './check.ts';" },
      ['cli/status.ts imports cli/check.ts at once and not on demand'],
    ],
    [
      'a package in the wrong room',
      packagesStayInTheirRooms,
      { 'daemon/x.ts': "import { parse } from 'yaml';" },
      ['daemon/x.ts imports the package yaml, which only config/ may know'],
    ],
    [
      'a package that nobody knows',
      packagesStayInTheirRooms,
      { 'daemon/x.ts': "import x from '@scope/left-pad/deep';" },
      ['daemon/x.ts imports the package @scope/left-pad, which no room may know'],
    ],
    [
      'the file system outside of world/',
      onlyWorldTouchesTheOutside,
      { 'daemon/x.ts': "import { readFileSync } from 'node:fs';" },
      ['daemon/x.ts imports node:fs'],
    ],
    [
      'any module of Node in a pure room',
      onlyWorldTouchesTheOutside,
      {
        'policy/x.ts': "import { join } from 'node:path';",
        'config/y.ts': "import { join } from 'node:path';",
      },
      ['policy/x.ts imports node:path'],
    ],
    [
      'an exception that nobody needs any more',
      onlyWorldTouchesTheOutside,
      { 'cli/http-over-socket.ts': '' },
      ['cli/http-over-socket.ts needs no exception for node:http'],
    ],
    [
      'directories that Node makes',
      directoriesAreMadeLevelByLevel,
      {
        'world/a.ts': '/** a */\nfs.mkdirSync(dirname(path), {\n  mode: 0o700,\n  recursive: true,\n});',
        'world/b.ts': 'fs.mkdirSync(path);\nfs.rmSync(path, { recursive: true });',
        'world/c.ts': 'await mkdir(path, { recursive: true });',
      },
      [
        'world/a.ts:2 leaves it to Node to make directories',
        'world/c.ts:1 leaves it to Node to make directories',
      ],
    ],
    [
      'a circle of files',
      nothingImportsInACircle,
      {
        'model/a.ts': "import type { B } from './b.ts';",
        'model/b.ts': "import { c } from './c.ts';",
        'model/c.ts': "import './a.ts';",
      },
      ['model/a.ts imports model/b.ts imports model/c.ts imports model/a.ts'],
    ],
    [
      'a file that imports itself',
      nothingImportsInACircle,
      { 'model/a.ts': "import './a.ts';" },
      ['model/a.ts imports model/a.ts'],
    ],
    [
      'names that say nothing',
      namesSayWhatIsInside,
      {
        'cli/utils.ts': '',
        'cli/index.ts': '',
        'cli/logManager.ts': '',
        'cli/log-helpers.ts': '',
        'index.ts': '',
      },
      [
        'cli/utils.ts has a name that says nothing: utils',
        'cli/index.ts is a barrel: import from the file itself',
        'cli/logManager.ts is not written in kebab-case',
        'cli/log-helpers.ts has a name that says nothing: helpers',
      ],
    ],
    [
      'a file that is too long',
      filesAreShort,
      {
        'model/long.ts': 'x\n'.repeat(MOST_LINES + 1),
        'model/fits.ts': 'x\n'.repeat(MOST_LINES),
        'model/generated/long.ts': 'x\n'.repeat(9999),
      },
      [`model/long.ts has ${MOST_LINES + 1} lines, more than ${MOST_LINES}`],
    ],
    [
      'a file that does not say why it is there',
      filesSayWhichQuestionTheyAnswer,
      { 'model/a.ts': "import './b.ts';", 'model/b.ts': '/** What? */', 'model/c.ts': '/**\n * What? */' },
      ['model/a.ts does not begin with a doc comment'],
    ],
    [
      'any',
      nothingIsAny,
      { 'model/a.ts': "// any\nconst many = AbortSignal.any('any');\nlet a: any;" },
      ['model/a.ts:3 uses any'],
    ],
    [
      'things left to do',
      nothingIsLeftToDo,
      { 'model/a.ts': '/** a */\n// TODO later\n' },
      ['model/a.ts:2 has a TODO'],
    ],
  ])('%s', (_title, rule, sources, expected) => {
    expect(rule(house(sources))).toEqual(expected);
  });

  test.each([
    'Date.now()',
    'new Date()',
    'performance.now()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'Math.random()',
    'crypto.randomUUID()',
    'process.env.HOME',
    'process.hrtime.bigint()',
    'process.exit(1)',
    'process.kill(1)',
    'fetch(url)',
    'console.log(1)',
    '`${Date.now()}`',
    '`a ${{ b: `${c}` }} ${Date.now()}`',
    '/[/`"]/.test(Date.now())',
    'a / b / Date.now()',
    "'it\\'s' + Date.now()",
  ])('%s is banned from a room other than world/', (use) => {
    const sources = { 'daemon/x.ts': `/** What? */\nconst x = ${use};`, 'world/x.ts': use };
    const [first = '', ...more] = onlyWorldTouchesTheOutside(house(sources));
    expect(first).toMatch(/^daemon\/x\.ts:2 uses (the \w+|timers|randomness): /);
    expect(more).toEqual([]);
  });

  test.each([
    '// Date.now()',
    '/* Date.now() */',
    "'Date.now()'",
    '"Date.now()"',
    '`Date.now()`',
    '/Date.now()/',
    '["a", /\'/, Date]',
    'new Date(now)',
    'clock.setTimeout(1)',
    'spec.process.env',
    'const { process } = spec; process.umask',
    "// import { x } from 'node:fs';",
    'const text = "\\nimport x from \'node:fs\'"',
  ])('%s is nothing to complain about', (use) => {
    expect(onlyWorldTouchesTheOutside(house({ 'daemon/x.ts': use }))).toEqual([]);
  });

  it('a problem that is not used, not documented, or not registered', () => {
    const sources = house({ 'model/problem.ts': "'a' 'b'", 'world/x.ts': "code: 'a'" });
    const registry = { a: 'It is a.', b: 'It is b.' };
    const document = '## `a`\n\nIt is a.\n\n## `b`\n\nIt was b.\n\n## `c`\n';
    expect(problemCodesAreKept(registry, sources, document)).toEqual([
      'nothing uses b',
      'docs/problems.md does not say of b: It is b.',
      'docs/problems.md has c, which is not registered or is there twice',
    ]);
  });
});
