/** A new build takes over without touching a service, and an old one does not touch the state of a newer one. */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('state of a newer release: refused with a clear word, nothing is touched, and its own release goes on', async () => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    host.service('off', SLEEP);
    await host.start();
    const web = await host.pidOf('web');
    expect(await host.pmctl('stop', 'off')).toMatchObject({ code: 0 });
    expect(await host.stop()).toBe(0);

    const intent = join(host.state, 'intent.json');
    const own = fs.readFileSync(intent, 'utf8');
    const { version } = JSON.parse(own) as { version: number };
    const newer = JSON.stringify({ version: version + 1, asked: [] });
    fs.writeFileSync(intent, newer);
    const before = fs.readdirSync(host.state).sort();
    const refused = host.startUnasked();
    await refused.over;
    expect(refused.child.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      `${intent} was written by a newer processmaster (format ${version + 1}; this one knows ${version})`,
    );
    expect(fs.readFileSync(intent, 'utf8')).toBe(newer);
    expect(fs.readdirSync(host.state).sort()).toEqual(before);
    expect(isGone(web)).toBe(false);

    fs.writeFileSync(intent, own);
    await host.start();
    expect(await host.pidOf('web')).toBe(web);
    await host.sees('off', 'still stopped', ({ state, drift }) => state === 'stopped' && drift === 'stopped');
  });

  test('what an older release wrote is completed, and what it started is adopted', async () => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    await host.start();
    const web = await host.pidOf('web');
    expect(await host.stop()).toBe(0);
    // As a release wrote it that knew less: only what has always been there.
    const memory = join(host.state, 'memory.json');
    const { version, boot_id, services } = JSON.parse(fs.readFileSync(memory, 'utf8'));
    const { generation, generationHash } = services.web;
    const old = { version, boot_id, services: { web: { generation, generationHash } } };
    fs.writeFileSync(memory, JSON.stringify(old));
    await host.start();
    expect(await host.pidOf('web')).toBe(web);
    expect(await host.view('web')).toMatchObject({ generation: 1, restarts: 0 });
    expect((await host.pmctl('stats', 'web', '--json')).json.services).toMatchObject([
      {
        name: 'web',
        status: 'running',
        pid: web,
        mode: 'fork',
        instances: 1,
        processes: 1,
        memoryHeap: null,
        memoryRss: expect.any(Number),
      },
    ]);
  });
});
