/** How much work may a service, or who may only read, make for the daemon? */
import fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openLogProbe } from '../../src/daemon/log-probe.ts';
import { readHistory } from '../../src/daemon/service-logs.ts';
import { defined } from '../builders.ts';
import { temporaryDirectory } from '../linux/ground.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
});

test('a line of a service that makes the pattern of its startup probe run for ever', async () => {
  const log = join(directory, 'out.log');
  fs.writeFileSync(log, `${'a'.repeat(60)}!\n`);
  const began = performance.now();
  const probe = openLogProbe({ path: log, credentials: null, since: 0, from: 0, pattern: '(a+)+$' });
  const answer = await probe.ask();
  probe.close();
  expect(performance.now() - began).toBeLessThan(5000);
  expect(answer).toMatchObject({ ok: false, detail: expect.stringContaining('takes too long') });
});

test('a compressed log of a megabyte that stands for a gibibyte without a line break', async () => {
  const member = gzipSync('x'.repeat(1 << 24));
  fs.writeFileSync(join(directory, 'out.log.1.gz'), Buffer.concat(Array(64).fill(member)));
  fs.writeFileSync(join(directory, 'out.log'), 'last\n');
  const logs = { stdout: join(directory, 'out.log'), stderr: '/dev/null' };
  const web = defined({ spec: { logs } });
  const desired = { services: new Map([[web.name, web]]), problems: [], files: 1, readable: true };
  const before = process.memoryUsage().rss;
  const view = await readHistory({ services: [], lines: 10_000 }, desired);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20);
  expect(view.logs.at(-1)?.line).toBe('last');
  expect(view.logs.reduce((sum, { line }) => sum + line.length, 0)).toBeLessThan(1 << 20);
  expect(view.problems.map(({ message }) => message).join()).toContain('64 MiB were looked through');
});
