import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogsRequest } from '../../src/api/contract.ts';
import { readHistory, readLogs } from '../../src/daemon/service-logs.ts';
import { defined } from '../builders.ts';

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
});
