import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SourceWatch } from '../../src/world/source-watch.ts';

/** A watcher for which the kernel has no watches left: one complaint a file, and never an event. */
vi.mock('chokidar', () => ({
  watch: () => {
    const watcher = Object.assign(new EventEmitter(), { close: async () => {} });
    setImmediate(() => {
      for (const path of ['a', 'b']) {
        const error = new Error(`ENOSPC: System limit for number of file watchers reached, watch '${path}'`);
        watcher.emit('error', Object.assign(error, { code: 'ENOSPC' }));
      }
      watcher.emit('ready');
    });
    return watcher;
  },
}));

describe('watching without events', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is told once, and finds changes by looking now and then', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const root = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
    const told: (readonly string[])[] = [];
    const reasons: string[] = [];
    const watch = new SourceWatch({
      paths: [root],
      ignore: [],
      debounce: 0,
      changed: (files) => told.push(files),
      failed: (reason) => reasons.push(reason),
    });
    await watch.started;
    for (const [index, text] of ['1', '2'].entries()) {
      fs.writeFileSync(join(root, 'a'), text);
      vi.advanceTimersByTime(5000);
      await expect.poll(() => told.length, { timeout: 5000 }).toBe(index + 1);
      expect(told.at(-1)).toEqual([join(root, 'a')]);
    }
    await watch.close();
    fs.rmSync(root, { recursive: true });
    expect(reasons).toEqual([expect.stringContaining('ENOSPC')]);
  });
});
