/** Does whoever installs the package find what it promises: for import and for require, with the types of each? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';
import { PackagePlace } from './package-place.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly main: string;
  readonly types: string;
  readonly files: readonly string[];
  readonly exports: {
    readonly '.': Readonly<Record<'import' | 'require', Readonly<Record<string, string>>>>;
  };
}

const text = fs.readFileSync(join(ROOT, 'package.json'), 'utf8');
const { main, types, files, exports } = JSON.parse(text) as Manifest;

/** The package as it is published, with the build that is tried here. */
function published(): { readonly place: PackagePlace; readonly own: string } {
  const place = new PackagePlace();
  const own = join(place.directory, 'node_modules/processmaster');
  for (const name of files) {
    if (name !== 'dist') fs.cpSync(join(ROOT, name), join(own, name), { recursive: true });
  }
  return { place, own };
}

describe('the package', () => {
  it('has nothing that its linter complains about', async () => {
    const { own } = published();
    const { messages, pkg } = await publint({ pkgDir: own, pack: false, level: 'suggestion', strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has for each condition a program and its types, of the same kind of module', () => {
    const { own } = published();
    for (const [condition, ending] of [
      ['import', 'm'],
      ['require', 'c'],
    ] as const) {
      const paths = exports['.'][condition];
      // Conditions are tried in their order: whoever looks for types must find them first.
      expect(Object.keys(paths)).toEqual(['types', 'default']);
      expect(paths['types']).toMatch(new RegExp(`\\.d\\.${ending}ts$`));
      expect(paths['default']).toMatch(new RegExp(`\\.${ending}js$`));
      for (const path of Object.values(paths)) expect(fs.existsSync(join(own, path)), path).toBe(true);
    }
    // For those who know no conditions.
    expect({ main, types }).toEqual({
      main: exports['.'].require['default'],
      types: exports['.'].require['types'],
    });
  });

  it('exports by import, by require, and by import of what is required, what its types say', () => {
    const { place, own } = published();
    const paths = exports['.'];
    const declared = (path: string | undefined): readonly string[] => {
      const declarations = fs.readFileSync(join(own, path ?? ''), 'utf8');
      // They stand for themselves: what they would import, nobody has installed.
      expect(declarations).not.toMatch(/^\s*import |\bfrom '|import\(|export default|export =/m);
      return [...declarations.matchAll(/^export declare (?:function|class|const) (\w+)/gm)].map(
        ([, name = '']) => name,
      );
    };
    const names = [...new Set(declared(paths.import['types']))].sort();
    expect(names).toContain('connect');
    expect([...new Set(declared(paths.require['types']))].sort()).toEqual(names);
    const required = createRequire(join(place.directory, 'x.cjs'))('processmaster') as object;
    expect(Object.keys(required).sort()).toEqual(names);
    const imported = namesOf(pathToFileURL(join(own, paths.import['default'] ?? '')).href);
    expect(imported).toEqual(names);
    // Node finds the names of a CommonJS module by looking at its text.
    const both = namesOf(pathToFileURL(join(own, paths.require['default'] ?? '')).href);
    expect(both.filter((name) => name !== 'default' && name !== 'module.exports')).toEqual(names);
  });

  it('shows no more than a few words of its code when an error of it is not caught', () => {
    const { place } = published();
    const script = `require('processmaster').connect({ sock: '/nowhere.sock' }).status();`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], {
      cwd: place.directory,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('ProcessmasterError: no daemon listens at /nowhere.sock');
    const longest = Math.max(...stderr.split('\n').map(({ length }) => length));
    expect(longest).toBeLessThan(500);
  });

  it.each([
    ['node16', 'node16', 'mts'],
    ['node16', 'node16', 'cts'],
    ['nodenext', 'nodenext', 'mts'],
    ['nodenext', 'nodenext', 'cts'],
    ['esnext', 'bundler', 'ts'],
  ])('is found with its types by module %s, resolution %s, from a .%s file', (module, resolution, ending) => {
    const { place } = published();
    const wrong = 'const wrong: string = connect().close();\nexport { wrong };\n';
    place.write(
      `use.${ending}`,
      `import { connect, Processmaster } from 'processmaster';\n${wrong}void Processmaster;\n`,
    );
    place.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          ...{ module, moduleResolution: resolution, target: 'es2022', lib: ['es2023'], types: ['node'] },
          ...{ strict: true, noEmit: true, skipLibCheck: false },
        },
        files: [`use.${ending}`],
      }),
    );
    fs.symlinkSync(join(ROOT, 'node_modules/@types'), join(place.directory, 'node_modules/@types'));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(tsc, ['-p', place.directory, '--pretty', 'false'], { encoding: 'utf8' });
    // With types it is an error to take nothing for a text; without them it would be any, and none.
    expect(stdout.split('\n').flatMap((line) => /error (TS\d+)/.exec(line)?.[1] ?? [])).toEqual(['TS2322']);
  });
});

/** Asked of a node of its own, as this one is under the test runner. */
function namesOf(url: string): readonly string[] {
  const script = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(url)})).sort()))`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(stdout) as readonly string[];
}
