// A plugin of esbuild: one view of each of node's own modules for the whole bundle. Left to itself esbuild makes one for
// every file that imports the module, a getter for each of its names: thousands of closures, made at every start.
import { createRequire, isBuiltin } from 'node:module';

const NAMESPACE = 'builtin';
const require = createRequire(import.meta.url);

export const builtins = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?[a-z]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.startsWith('node:') ? path : `node:${path}`;
      if (kind === 'import-statement') return { path: name, namespace: NAMESPACE, sideEffects: false };
      return { path: name, external: true };
    });
    onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({ contents: viewOf(path) }));
  },
};

/** Names that node computes when they are asked for are left out: whoever imports one learns it from the build. */
function viewOf(module) {
  const descriptors = Object.getOwnPropertyDescriptors(require(module));
  const names = Object.keys(descriptors).filter(
    (name) => name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name) && 'value' in descriptors[name],
  );
  return [
    `const builtin = require(${JSON.stringify(module)});`,
    'export default builtin;',
    ...names.map((name, at) => `const own${at} = builtin.${name}; export { own${at} as ${name} };`),
  ].join('\n');
}
