// Where is kept what the machine of test/vm is made of?
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Survives `npm ci`, which empties node_modules; `PROCESSMASTER_VM_CACHE` puts it elsewhere. */
export function vmCache() {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return process.env['PROCESSMASTER_VM_CACHE'] ?? join(cache, 'processmaster-vm');
}

/** A directory for each version: `vmlinuz` and `modules/`. */
export function kernelCache() {
  return join(vmCache(), 'kernel');
}
