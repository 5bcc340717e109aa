// Bundles the benchmarks on the fly and runs them: `npm run bench -- [NAME…] [--quick] [--peers]`, `npm run soak`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// What a shell exports for node weighs on every start of one, ours and those of peers: NODE_EXTRA_CA_CERTS alone
// triples the time that an empty program takes.
for (const name of Object.keys(process.env)) if (name.startsWith('NODE_')) delete process.env[name];

const root = fileURLToPath(new URL('..', import.meta.url));

// A build somewhere else is the caller's business.
if (process.env['PROCESSMASTER_DIST'] === undefined) {
  const { status } = spawnSync(process.execPath, ['scripts/prepare.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const directory = mkdtempSync(join(tmpdir(), 'pm-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
// The soak is a program of its own.
const soak = process.argv[2] === 'soak';
if (soak) process.argv.splice(2, 1);
const outfile = join(directory, 'main.mjs');
await build({
  absWorkingDir: root,
  entryPoints: [soak ? 'bench/soak.ts' : 'bench/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
  // What lies beside the sources is found from there.
  define: { 'import.meta.url': JSON.stringify(import.meta.url) },
});
await import(pathToFileURL(outfile).href);
