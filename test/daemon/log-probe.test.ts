import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogProbe, openLogProbe } from '../../src/daemon/log-probe.ts';
import { rotatedName } from '../../src/policy/rotation-names.ts';
import { Compressor } from '../../src/world/compress.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { rotationOrder, STILL } from '../world/rotation-order.ts';

let directory: string;
let log: string;
let probes: LogProbe[];

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  log = join(directory, 'stdout.log');
  probes = [];
});
afterEach(() => {
  for (const probe of probes) probe.close();
  expect(opened()).toEqual([]);
  fs.rmSync(directory, { recursive: true });
});

function opened(): readonly string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return [];
    }
  });
}

/** Of a run that was started a second ago, and has written nothing yet: the clock of a file system stands still at times. */
function probeOf(pattern: string): LogProbe {
  const from = fs.existsSync(log) ? fs.statSync(log).size : 0;
  return asking(pattern, from, Date.now() - 1000);
}

function asking(pattern: string, from: number, since: number): LogProbe {
  const probe = openLogProbe({ path: log, credentials: null, since, from, pattern });
  probes.push(probe);
  return probe;
}

const write = (text: string) => fs.appendFileSync(log, text);

it('finds a line that was written since the run was started, and no older one', async () => {
  write('ready long ago\n');
  const probe = probeOf('^ready');
  write('starting\n');
  expect(await probe.ask()).toMatchObject({ ok: false, detail: 'no line matches ^ready yet' });
  write('ready now\n');
  expect(await probe.ask()).toMatchObject({ ok: true, detail: 'ready now' });
  write('more\n');
  expect(await probe.ask()).toMatchObject({ ok: true, detail: 'ready now' });
  expect(opened()).toEqual([]);
});

it('reads a log that somebody has cut from its beginning', async () => {
  write('ready\n');
  expect(await asking('^ready', 1000, Date.now()).ask()).toMatchObject({ ok: true });
});

it('finds a line that is not ended, and one that comes in pieces', async () => {
  const probe = probeOf('^ready to serve$');
  write('ready');
  expect(await probe.ask()).toMatchObject({ ok: false });
  write(' to serve');
  expect(await probe.ask()).toMatchObject({ ok: true, detail: 'ready to serve' });
});

it('takes a pattern as the configuration does: without the flag that makes some of them invalid', async () => {
  write('it is-ready\n');
  expect(await asking('is\\-ready', 0, 0).ask()).toMatchObject({ ok: true });
});

it('looks at the beginning of a line only, however long it is', async () => {
  write(`${'x'.repeat(100_000)} ready\n`);
  expect(await asking('ready', 0, 0).ask()).toMatchObject({ ok: false });
});

it('finds a line behind more than it looks through at once, the next time', async () => {
  const probe = probeOf('^ready');
  const line = `${'x'.repeat(1023)}\n`;
  for (let mebibyte = 0; mebibyte < 18; mebibyte++) write(line.repeat(1024));
  write('ready\n');
  expect(await probe.ask()).toMatchObject({ ok: false });
  expect(await probe.ask()).toMatchObject({ ok: true });
});

it('is told that there is no log', async () => {
  const said = await probeOf('ready').ask();
  expect(said).toMatchObject({ ok: false, detail: expect.stringContaining('stdout.log') });
});

it('leaves nothing open that is closed while it reads', async () => {
  for (let mebibyte = 0; mebibyte < 4; mebibyte++) write('x\n'.repeat(1 << 19));
  const probe = asking('ready', 0, 0);
  const said = probe.ask();
  await Promise.resolve();
  probe.close();
  expect(await said).toMatchObject({ ok: false });
  expect(opened()).toEqual([]);
});

describe('a rotation', () => {
  const rotate = async () => {
    const done = await rotateLog(rotationOrder(log, join(directory, 'journal'), { freezer: () => STILL }));
    expect(done).toMatchObject({ kind: 'rotated' });
  };
  const isRotated = (base: string, name: string) => rotatedName(base, name) !== null;

  it('hides no line that was written between two questions', async () => {
    const probe = probeOf('^ready to serve$');
    write('starting\n');
    expect(await probe.ask()).toMatchObject({ ok: false });
    write('ready to serve\n');
    await rotate();
    write('much more\n');
    expect(await probe.ask()).toMatchObject({ ok: true });
  });

  it.each([false, true])('hides no line of before the first question; compressed: %s', async (compressed) => {
    write('ready long ago\n');
    await rotate();
    fs.utimesSync(`${log}.1`, new Date(0), new Date(0));
    write('ready before the start\n');
    const probe = probeOf('^ready');
    const late = probeOf('^late');
    write('starting\n');
    await rotate();
    write('late\n');
    await rotate();
    write('much more\n');
    if (compressed) {
      const compressor = new Compressor();
      for (const name of ['stdout.log.3', 'stdout.log.2', 'stdout.log.1']) {
        expect(await compressor.compress(log, null, name, isRotated)).toMatchObject({ kind: 'compressed' });
      }
    }
    expect(await probe.ask()).toMatchObject({ ok: false });
    expect(await late.ask()).toMatchObject({ ok: true, detail: 'late' });
  });
});
