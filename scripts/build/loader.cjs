// Runs the bundle of the same name, with the code that V8 made of it when it was built; V8 refuses code of another version.
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const filename = __filename.replace(/\.js$/, '.bundle.js');
const cache = filename.replace(/js$/, 'cache');
const source = readFileSync(filename, 'latin1');
let cachedData;
try {
  cachedData = readFileSync(cache);
} catch {
  // Without it everything is compiled when it is needed.
}
const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
const run = script.runInThisContext();
const own = { exports: {} };
run(require, own, own.exports, filename, __dirname);
