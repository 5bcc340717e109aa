/** What do modules of TypeScript export? */
import { build } from 'esbuild';

const asTheyAre = {
  name: 'dynamic imports stay as they are',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};

/**
 * Without what they import dynamically.
 * @param root of the repository, from which paths start
 * @param exported a module that exports what is wanted, as text
 */
export async function imported(root, exported) {
  const { outputFiles } = await build({
    stdin: { contents: exported, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [asTheyAre],
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}
