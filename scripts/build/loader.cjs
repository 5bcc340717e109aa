// Runs the bundle of the same name, with the code that V8 made of it when it was built; V8 refuses code of another version.
// Every start of a process copies the page tables of what malloc(3) gave, but not those of V8's own memory: so neither the
// source nor the code may lie there, and nothing as large as them may be freed there, after which malloc(3) keeps more.

// Before all else, because left to node the first opens a debugger to every user of the host, and the second ends it.
for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => undefined);

const { closeSync, fstatSync, openSync, readSync } = require('node:fs');
const { Script } = require('node:vm');

/** Node keeps a string outside of V8 from a megabyte on. */
const PIECE = 1 << 16;

const filename = __filename.replace(/\.js$/, '.bundle.js');
const source = opened(filename, (file) => {
  const piece = Buffer.allocUnsafeSlow(PIECE);
  let text = '';
  for (let length = 1; length > 0; text += piece.latin1Slice(0, length)) {
    length = readSync(file, piece, 0, PIECE, null);
  }
  return text;
});
let code;
try {
  code = opened(filename.replace(/js$/, 'cache'), (file) => {
    const { size } = fstatSync(file);
    // One that can be resized is mapped by itself, and gone at once.
    const bytes = new ArrayBuffer(size, { maxByteLength: size });
    return readSync(file, new Uint8Array(bytes), 0, size, 0) === size ? bytes : undefined;
  });
} catch {
  // Without it everything is compiled when it is needed.
}
const cachedData = code && { cachedData: new Uint8Array(code) };
const script = new Script(source, { filename, ...cachedData });
code?.resize(0);
const run = script.runInThisContext();
const own = { exports: {} };
run(require, own, own.exports, filename, __dirname);

function opened(path, read) {
  const file = openSync(path);
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}
