// Bundles the two programs into dist/, each with the machine code that V8 made of it, and the library into dist/library.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtins } from './build/builtins.mjs';
import { buildLibrary } from './build/library.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = process.env['PROCESSMASTER_DIST'] ?? join(root, 'dist');
// Beside it first: whoever calls a program meanwhile finds the old one whole, or the new one.
const outdir = `${target}.new-${process.pid}`;
const programs = ['processmaster', 'pmctl'];

rmSync(outdir, { recursive: true, force: true });
// Nothing of it is left where a build fails.
process.on('exit', () => rmSync(outdir, { recursive: true, force: true }));
mkdirSync(outdir, { recursive: true });
// As scripts, not modules: node loads one file instead of fifty, and may keep what it compiled.
writeFileSync(
  join(outdir, 'package.json'),
  `${JSON.stringify({ type: 'commonjs', builtWith: process.version })}\n`,
);
await build({
  absWorkingDir: root,
  entryPoints: programs.map((name) => ({ in: `src/bin/${name}.ts`, out: `${name}.bundle` })),
  outdir,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  plugins: [builtins],
  // Fastify would make validators and serializers with them: src/api/compiled.ts brings its own.
  external: ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'],
  minify: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { 'import.meta.url': 'programUrl' },
  // One expression, as node makes one of each script: the loader compiles the file as it is, without a copy of it.
  banner: {
    js: "(function(require,module,exports,__filename,__dirname){const programUrl=require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
});
await buildLibrary(root, join(outdir, 'library'));
for (const name of programs) copyFileSync(join(root, 'scripts/build/loader.cjs'), join(outdir, `${name}.js`));

const { status } = spawnSync(process.execPath, [join(root, 'scripts/build/code-cache.mjs'), outdir], {
  stdio: ['ignore', 2, 2],
});
if (status !== 0) process.stderr.write('built without code cache: the programs start a little slower\n');

const before = `${target}.old-${process.pid}`;
try {
  renameSync(target, before);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
renameSync(outdir, target);
rmSync(before, { recursive: true, force: true });
