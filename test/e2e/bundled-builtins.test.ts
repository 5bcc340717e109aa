/** Does a bundle look at each of node's own modules once, however many files import it? */
import { createRequire } from 'node:module';
import { build, type Plugin } from 'esbuild';
import { expect, test } from 'vitest';
import { builtins } from '../../scripts/build/builtins.mjs';

const FILES: Readonly<Record<string, string>> = {
  entry:
    "import fs from 'node:fs'; import { one } from 'one'; import { two } from 'two'; export default { fs, one, two };",
  one: "import { existsSync, readFileSync } from 'fs'; export const one = { existsSync, readFileSync };",
  two: "const { existsSync } = require('node:fs'); module.exports = { two: existsSync };",
  asking: "import { promises } from 'node:fs'; export default promises;",
};

const given: Plugin = {
  name: 'given',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) => (path in FILES ? { path, namespace: 'given' } : undefined));
    onLoad({ filter: /./, namespace: 'given' }, ({ path }) => ({ contents: FILES[path] ?? '' }));
  },
};

async function bundled(entry: string): Promise<string> {
  const options = {
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  } as const;
  const { outputFiles } = await build({ entryPoints: [entry], plugins: [builtins, given], ...options });
  return outputFiles[0]?.text ?? '';
}

test('files that import a module by either spelling share one view, with what node itself gives', async () => {
  const text = await bundled('entry');
  const require = createRequire(import.meta.url);
  const own = { exports: {} as Record<string, unknown> };
  new Function('module', 'exports', 'require', text)(own, own.exports, require);
  const fs = require('node:fs');
  const { fs: seen, one, two } = own.exports['default'] as Record<string, unknown>;
  expect(seen).toBe(fs);
  expect(one).toEqual({ existsSync: fs.existsSync, readFileSync: fs.readFileSync });
  expect(two).toBe(fs.existsSync);
  // Once by the view, once by the file that requires it itself; none makes a copy of the names.
  expect(text.match(/require\("node:fs"\)/g)).toHaveLength(2);
  expect(text).not.toContain('require("fs")');
  expect(text).not.toMatch(/__toESM\(require\("node:fs"\)/);
});

test('a name that node computes when it is asked for is refused by the build, not undefined in the program', async () => {
  await expect(bundled('asking')).rejects.toThrow('No matching export');
});
