// Preloaded by the build: when the program ends, what V8 compiled of its bundle is kept beside it.
const { writeFileSync } = require('node:fs');
const vm = require('node:vm');

const { Script } = vm;
vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options);
    const filename = options?.filename ?? '';
    // Libraries compile small things of their own.
    if (!filename.endsWith('.bundle.js')) return;
    process.once('exit', () => writeFileSync(filename.replace(/js$/, 'cache'), this.createCachedData()));
  }
};
