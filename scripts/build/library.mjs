// Bundles what programs import, once, as CommonJS: the ES module only names its exports, so that both are the same
// classes. Beside each its declarations.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { builtins } from './builtins.mjs';
import { rollUp } from './declarations.mjs';

const ENTRY = 'src/library/library.ts';

/** @param outdir receives `library.cjs`, `library.mjs`, `library.d.cts` and `library.d.mts` */
export async function buildLibrary(root, outdir) {
  const declarations = rolledUp(root);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [{ in: ENTRY, out: 'library' }],
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    plugins: [builtins],
    minify: true,
    // Node shows the whole line that an uncaught error comes from.
    lineLimit: 200,
    // Names of classes are read in stack traces.
    keepNames: true,
    sourcemap: false,
    legalComments: 'linked',
    logLevel: 'warning',
    define: { 'import.meta.url': 'libraryUrl' },
    banner: { js: "const libraryUrl=require('node:url').pathToFileURL(__filename).href;" },
    metafile: true,
  });
  const bundle = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === ENTRY);
  if (bundle === undefined) throw new Error(`${ENTRY} was not bundled`);
  unbroken(join(outdir, 'library.cjs'));
  const names = valueNames(declarations);
  const lines = names.map((name) => `export const ${name} = library.${name};`);
  writeFileSync(join(outdir, 'library.mjs'), `import library from './library.cjs';\n\n${lines.join('\n')}\n`);
  for (const ending of ['d.cts', 'd.mts']) writeFileSync(join(outdir, `library.${ending}`), declarations);
}

/** Node takes every `exports.x =` that begins a line for an export (cjs-module-lexer), also that of `e.exports.x =`. */
function unbroken(path) {
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('.\nexports', '.exports'));
}

function rolledUp(root) {
  const place = mkdtempSync(join(tmpdir(), 'pmtypes-'));
  try {
    const project = join(place, 'tsconfig.json');
    const own = dirname(createRequire(join(root, 'package.json')).resolve('@types/node/package.json'));
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          emitDeclarationOnly: true,
          declaration: true,
          // The program is checked elsewhere; this is only to write down what it says.
          noCheck: true,
          rootDir: root,
          outDir: join(place, 'out'),
          typeRoots: [dirname(own)],
        },
        include: [],
        files: [join(root, ENTRY)],
      }),
    );
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tsc: ${stdout}${stderr}`);
    return rollUp(join(place, 'out', ENTRY.replace(/ts$/, 'd.ts')));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What is exported and is more than a type. */
function valueNames(declarations) {
  const found = declarations.matchAll(/^export declare (?:abstract )?(?:class|function|const) (\w+)/gm);
  return [...new Set([...found].map(([, name]) => name))];
}
