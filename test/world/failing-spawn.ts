/** What does node do when the kernel makes no process for it? */
import children from 'node:child_process';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** ENOMEM is thrown; EMFILE comes as an event of a child that has neither streams nor a pid. */
export const SPAWN_FAILURES = [
  ['no descriptor is left', 'EMFILE'],
  ['no memory is left', 'ENOMEM'],
] as const;

/** Until the end of the test. */
export function failSpawn(code: 'EMFILE' | 'ENOMEM'): void {
  const { spawn } = children;
  onTestFinished(() => {
    children.spawn = spawn;
    syncBuiltinESMExports();
  });
  children.spawn = (() => {
    const error = Object.assign(new Error(code), { code });
    if (code === 'ENOMEM') throw error;
    const child = Object.assign(new EventEmitter(), { unref: () => {} });
    process.nextTick(() => child.emit('error', error));
    return child;
  }) as unknown as typeof spawn;
  syncBuiltinESMExports();
}
