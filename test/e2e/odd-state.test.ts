/** What lies in the state directory is not what a daemon has left there: does the next one say so, and never hang? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

/** What lies there only at some moments. */
const PASSING = [
  ...['sync.json', 'frozen.json', 'memory.json', 'notified.json', 'forward.json', 'cgroup'],
  ...['rotations/0.journal', 'rotations/logs.json', 'exits/0'],
];

describe.each(GROUNDS.filter(({ user }) => user === 'self'))('$title', (ground) => {
  test('no fifo in the place of any file holds the daemon up at its start', async () => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    host.service('job', { process: { command: SLEEP, type: 'oneshot' } });
    host.service('stopped', SLEEP);
    await host.start();
    const pids = [await host.pidOf('web'), await host.pidOf('job')];
    expect((await host.pmctl('stop', 'stopped')).code).toBe(0);
    await host.crash();

    // Of files of the same kind the first will do, and logs of services are not the daemon's.
    const kinds = new Map<string, string>();
    for (const entry of fs.readdirSync(host.state, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(host.state.length + 1);
      if (!entry.isFile() || path.startsWith('logs/')) continue;
      const kind = path.replace(/[0-9a-f]{40,}|[^/]*[0-9]{4}[^/]*|(web|job|stopped)/, '*');
      if (!kinds.has(kind)) kinds.set(kind, path);
    }
    const files = new Set([...kinds.values(), ...PASSING]);
    expect([...files]).toEqual(expect.arrayContaining(['intent.json', 'applied.json', 'runs/lock']));
    for (const path of [...files].map((name) => join(host.state, name))) {
      const aside = `${host.work}/aside`;
      const isThere = fs.existsSync(path);
      if (isThere) fs.renameSync(path, aside);
      fs.mkdirSync(dirname(path), { recursive: true });
      execFileSync('mkfifo', [path]);
      const program = host.startUnasked();
      await host.until(
        `the daemon to start over ${path}, or to say why it does not`,
        async () => {
          if (program.isOver) return true;
          const answer = await host.ask('GET', '/api/version').catch(() => undefined);
          return answer?.body['pid'] === program.child.pid || undefined;
        },
        () => program.story(),
      );
      if (program.isOver) {
        expect({ code: program.child.exitCode, stderr: program.stderr }).toEqual({
          code: 1,
          stderr: expect.stringContaining(path),
        });
      } else {
        await host.crash();
      }
      fs.rmSync(path, { recursive: true, force: true });
      if (isThere) fs.renameSync(aside, path);
    }
    expect(pids.filter(isGone)).toEqual([]);
  }, 240_000);
});
