// Bundles the two programs into dist/. Pieces that are not needed at once become chunks of their own.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = process.env['PROCESSMASTER_DIST'] ?? `${root}/dist`;

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/bin/processmaster.ts', 'src/bin/pmctl.ts'],
  outdir,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  minify: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'linked',
  logLevel: 'warning',
  // Dependencies in CommonJS ask for built-in modules by require.
  banner: {
    js: "import{createRequire as __pmRequire}from'node:module';const require=__pmRequire(import.meta.url);",
  },
});
