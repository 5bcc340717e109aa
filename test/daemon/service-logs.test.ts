import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogsRequest } from '../../src/api/contract.ts';
import { readHistory, readLogs } from '../../src/daemon/service-logs.ts';
import type { Defined, LogsSpec } from '../../src/model/spec.ts';
import { defined, name } from '../builders.ts';

describe('the history of logs', () => {
  const NOON = Date.UTC(2026, 10, 21, 12);
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const write = (name: string, lines: readonly string[], minutes = 0) => {
    const path = join(directory, name);
    const text = lines.map((line) => `${line}\n`).join('');
    fs.writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    const modified = NOON / 1000 + minutes * 60;
    fs.utimesSync(path, modified, modified);
  };
  const stamped = (minutes: number, text: string) =>
    `${new Date(NOON + minutes * 60_000).toISOString()} ${text}`;
  const read = (request: Partial<LogsRequest>, mostBytes?: number) => {
    const logs = {
      stdout: join(directory, 'out-${instance}.log'),
      stderr: join(directory, 'err.log'),
      hints: [join(directory, 'hint.log')],
    };
    const web = defined({ spec: { instances: 2, logs } });
    const desired = { services: new Map([[web.name, web]]), problems: [], files: 1, readable: true };
    return readHistory({ services: [], lines: 50, ...request }, desired, mostBytes);
  };
  const shown = async (request: Partial<LogsRequest>) =>
    (await read(request)).logs.map(({ line }) => line.split(' ').at(-1));

  it('says of a descriptor of the daemon that is no file that nothing is kept', async () => {
    write('out.log', ['written']);
    const [file, none] = [fs.openSync(join(directory, 'out.log'), 'r'), fs.openSync(directory, 'r')];
    const logs = { stdout: `/proc/self/fd/${file}`, stderr: `/proc/self/fd/${none}`, hints: [] };
    const worker = defined({ name: name('worker'), spec: { logs } });
    const desired = { services: new Map([[worker.name, worker]]), problems: [], files: 1, readable: true };
    const view = await readHistory({ services: [], lines: 50 }, desired);
    for (const fd of [file, none]) fs.closeSync(fd);
    expect(view.logs).toMatchObject([{ stream: 'stdout', line: 'written' }]);
    expect(view.problems).toMatchObject([
      { code: 'log-unreadable', service: 'worker', message: expect.stringContaining(logs.stderr) },
    ]);
  });

  it('is answered by every part of the request', async () => {
    write('out-0.log.1.gz', [stamped(-9, 'a'), stamped(-8, 'b')], -8);
    write('out-0.log', [stamped(-6, 'd')]);
    write('out-1.log', [stamped(-7, 'c'), 'no time']);
    write('err.log', [stamped(-5, 'e')]);
    write('hint.log', [stamped(-4, 'f')]);
    write('hint.log.1', [stamped(-10, 'not ours')]);
    expect(await shown({})).toEqual(['a', 'b', 'c', 'time', 'd', 'e', 'f']);
    expect(await shown({ lines: 1 })).toEqual(['time', 'd', 'e', 'f']);
    expect(await shown({ instance: 0 })).toEqual(['a', 'b', 'd']);
    expect(await shown({ stream: 'hint' })).toEqual(['f']);
    expect(await shown({ file: 'err.log' })).toEqual(['e']);
    expect(await shown({ since: NOON - 8 * 60_000, until: NOON - 5 * 60_000 })).toEqual([
      'b',
      'c',
      'time',
      'd',
      'e',
    ]);
    expect(await shown({ grep: '[ad]$' })).toEqual(['a', 'd']);
    const { files, logs } = await read({ instance: 1 });
    const path = join(directory, 'out-1.log');
    const uid = process.geteuid?.();
    expect(files).toEqual([{ service: 'web', stream: 'stdout', path, instance: 1, uid }]);
    expect(logs.map(({ time, instance }) => ({ time, instance }))).toEqual([
      { time: '2026-11-21T11:53:00.000Z', instance: 1 },
      { time: null, instance: 1 },
    ]);
    // An instance that there is no more.
    expect((await read({ instance: 7, lines: 0 })).files.map((file) => file.path)).toEqual([
      join(directory, 'out-7.log'),
    ]);
  });

  it('shows beside other things what was written before the last rotation', () => {
    write('err.log.2', ['one'], -3);
    write('err.log.1', ['two', 'three'], -2);
    write('err.log', ['four']);
    const web = defined({
      spec: { logs: { stdout: join(directory, 'out.log'), stderr: join(directory, 'err.log') } },
    });
    const desired = { services: new Map([[web.name, web]]), problems: [], files: 1, readable: true };
    const { logs, problems } = readLogs({ services: ['web'], lines: 2 }, desired);
    expect(logs.map(({ line }) => line)).toEqual(['three', 'four']);
    expect(problems).toEqual([]);
  });

  it('holds nobody up for long, and says what was not looked at', async () => {
    write(
      'err.log',
      Array.from({ length: 200_000 }, (_, index) => `line ${index}`),
    );
    let turns = 0;
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        turns += 1;
      }
    })();
    const { logs, problems } = await read({ grep: '777$', lines: 1000 }, 1 << 20);
    isOver = true;
    await others;
    expect(logs.length).toBeGreaterThan(10);
    expect(logs.length).toBeLessThan(200);
    expect(logs.at(-1)?.line).toBe('line 199777');
    expect(problems.map(({ message }) => message)).toEqual([
      'only the last 1 MiB were looked through; pmctl logs on the host has no such limit',
    ]);
    expect(turns).toBeGreaterThan(10);
  });

  it('is not held up by a pattern that takes for ever', async () => {
    write('err.log', [`${'a'.repeat(100)}b`]);
    const { logs, problems } = await read({ grep: '(a+)+$' });
    expect(logs).toEqual([]);
    expect(problems.map(({ message }) => message)).toEqual([
      'the pattern takes too long: write it without one repetition inside another',
    ]);
  });

  const desired = (...services: readonly Defined[]) => ({
    services: new Map(services.map((each) => [each.name, each])),
    problems: [],
    files: 1,
    readable: true,
  });
  const every = async (...services: readonly Defined[]) => {
    const { logs } = await readHistory({ services: [], lines: 50 }, desired(...services));
    return logs.map(({ service, instance, line }) => `${service}[${instance ?? ''}] ${line}`);
  };
  const named = (called: string, logs: Partial<LogsSpec>, changes: Partial<Defined> = {}) =>
    defined({ ...changes, name: name(called), spec: { logs: { stderr: '/dev/null', ...logs } } });

  it('has a file once that services name by several paths', async () => {
    fs.mkdirSync(join(directory, 'real'));
    fs.symlinkSync('real', join(directory, 'link'));
    fs.symlinkSync('real/out.log', join(directory, 'file.log'));
    write('real/out.log', ['one']);
    fs.linkSync(join(directory, 'real/out.log'), join(directory, 'second-name.log'));
    const paths = ['link/out.log', 'real/out.log', 'real/../file.log', 'second-name.log'];
    const services = paths.map((path, at) => named(`s${at}`, { stdout: `${directory}/${path}` }));
    expect(await every(...services)).toEqual(['s0[] one']);
    // Also before it is there.
    fs.rmSync(join(directory, 'second-name.log'));
    fs.rmSync(join(directory, 'real/out.log'));
    const { files } = await readHistory({ services: [], lines: 0 }, desired(...services.slice(0, 3)));
    expect(files.map(({ path }) => path)).toEqual([join(directory, 'link/out.log'), '/dev/null']);
  });

  it.runIf(process.getuid?.() === 0)('is not hidden by a link that another user has planted', async () => {
    fs.chmodSync(directory, 0o755);
    fs.mkdirSync(join(directory, 'home'));
    write('out.log', ['one']);
    fs.symlinkSync('../out.log', join(directory, 'home/out.log'));
    fs.chownSync(join(directory, 'home'), 54321, 54321);
    const app = { uid: 54321, gid: 54321, groups: [], user: 'app', home: '/', shell: '/bin/sh' };
    const planted = named('planted', { stdout: join(directory, 'home/out.log') }, { credentials: app });
    expect(await every(planted, named('web', { stdout: join(directory, 'out.log') }))).toEqual(['web[] one']);
  });

  it('has the files of all instances: also of those that somebody scaled to, or that are gone', async () => {
    write('web-0.log', [stamped(0, 'zero')]);
    write('web-12.log', [stamped(2, 'twelve')]);
    write('web-3.log.1', [stamped(-5, 'three, before')], -5);
    write('web-3.log', [stamped(1, 'three')]);
    write('web-4.log', [stamped(4, 'of another service')]);
    write('web-4.log.1', [stamped(3, 'of another service')]);
    const web = named('web', { stdout: join(directory, 'web-${instance}.log') });
    const other = named('other', { stdout: join(directory, 'web-4.log') });
    const shown = await every(web, other);
    expect(shown.map((line) => line.replace(/\S+Z /, ''))).toEqual([
      'web[3] three, before',
      'web[0] zero',
      'web[3] three',
      'web[12] twelve',
      'other[] of another service',
      'other[] of another service',
    ]);
    // Beside a failure, old instances would only mislead.
    expect(readLogs({ services: ['web'], lines: 5 }, desired(web)).files).toHaveLength(2);
  });
});
