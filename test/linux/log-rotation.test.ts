import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { placement, rotatedName } from '../../src/policy/rotation-names.ts';
import { cgroupFreezer } from '../../src/world/cgroup-freeze.ts';
import { type Rotated, type RotationOrder, rotateLog, type Step } from '../../src/world/log-rotation.ts';
import { resumeRotation } from '../../src/world/rotation-finish.ts';
import { rotationOrder } from '../world/rotation-order.ts';
import {
  bundledFixture,
  cgroupsMissing,
  freshBaseName,
  mountPoint,
  removeTree,
  temporaryDirectory,
  until,
} from './ground.ts';

let directory: string;
let cgroup: string;
let log: string;
let journal: string;

beforeEach(() => {
  directory = temporaryDirectory();
  log = join(directory, 'stdout.log');
  journal = join(directory, 'state', 'journal');
  cgroup = `${mountPoint}/${freshBaseName()}`;
  if (!cgroupsMissing) fs.mkdirSync(cgroup);
});
afterEach(() => {
  if (!cgroupsMissing) removeTree(cgroup);
  fs.rmSync(directory, { recursive: true });
});

/** Numbers from `from` to `count` into the log, in the cgroup. */
function writer(
  count: number,
  block = 65_536,
  cut: 'whole' | 'split' = 'whole',
  from = 1,
  step = 1,
): ChildProcess {
  // Made once: a writer that is just starting must not find it half written by the next one.
  const made = join(directory, 'numbered-lines.mjs');
  const program = fs.existsSync(made) ? made : bundledFixture('numbered-lines', directory);
  const fd = fs.openSync(log, 'a');
  const args = [program, count, block, cut, from, step].map(String);
  const shell = 'echo 0 >"$0/cgroup.procs" && exec "$@"';
  const child = spawn('/bin/sh', ['-c', shell, cgroup, process.execPath, ...args], {
    stdio: ['ignore', fd, 'inherit'],
  });
  fs.closeSync(fd);
  return child;
}

function order(changes: Partial<RotationOrder> = {}): RotationOrder {
  return rotationOrder(log, journal, { freezer: () => cgroupFreezer([cgroup]), ...changes });
}

async function rotated(changes: Partial<RotationOrder> = {}): Promise<Extract<Rotated, { kind: 'rotated' }>> {
  const answer = await rotateLog(order(changes));
  if (!('kind' in answer) || answer.kind !== 'rotated') throw new Error(JSON.stringify(answer));
  return answer;
}

/** Rotated files, oldest first, and the active one. */
function parts(): readonly string[] {
  const number = (name: string) => {
    const found = rotatedName('stdout.log', name);
    return found?.kind === 'numbered' ? found.number : 0;
  };
  const names = fs.readdirSync(directory).filter((name) => number(name) > 0);
  return [...names.sort((a, b) => number(b) - number(a)), 'stdout.log'];
}

/** Every number that `step` writers wrote is there once; those of each writer are in order. */
function expectEveryNumberOnce(count: number, writers = 1): void {
  const last = new Map<number, number>();
  let rest = '';
  let lines = 0;
  for (const part of parts()) {
    for (const piece of piecesOf(join(directory, part))) {
      const split = `${rest}${piece}`.split('\n');
      rest = split.pop() ?? '';
      for (const line of split) {
        const number = Number(line);
        const writer = number % writers;
        const before = last.get(writer) ?? writer - (writer === 0 ? 0 : writers);
        if (number !== before + writers) throw new Error(`${part}: ${line} after ${before}`);
        last.set(writer, number);
        lines += 1;
      }
    }
  }
  expect({ rest, lines }).toEqual({ rest: '', lines: count });
}

/** A writer that is as fast as it can makes files that are longer than any string. */
function* piecesOf(path: string): Generator<string> {
  const block = Buffer.alloc(16 << 20);
  const fd = fs.openSync(path, 'r');
  try {
    for (;;) {
      const count = fs.readSync(fd, block);
      if (count === 0) return;
      yield block.toString('latin1', 0, count);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** The last line may be cut where the writer was killed. */
function expectEveryNumberOnceButTheLast(): void {
  let [end, at] = [0, 0];
  for (const piece of piecesOf(log)) {
    if (piece.includes('\n')) end = at + piece.lastIndexOf('\n') + 1;
    at += piece.length;
  }
  fs.truncateSync(log, end);
  expectEveryNumberOnce(parts().reduce((sum, part) => sum + fs.statSync(join(directory, part)).size, 0) / 31);
}

function expectWholeLines(): void {
  for (const part of parts().slice(0, -1)) {
    const text = fs.readFileSync(join(directory, part), 'latin1');
    expect(text.at(-1)).toBe('\n');
    expect(text.indexOf('\n')).toBe(30);
  }
}

function nothingLeft(): void {
  expect(fs.readdirSync(directory).filter((name) => name.startsWith('.pm-'))).toEqual([]);
  expect(fs.existsSync(journal)).toBe(false);
}

const grown = (size: number) =>
  until(`${size} bytes`, () => (fs.statSync(log).size >= size ? true : undefined));

describe.skipIf(cgroupsMissing)('a writer at full speed', () => {
  test.each([
    ['of whole lines', 65_536, 'whole'],
    ['whose blocks end anywhere', 4096, 'split'],
  ] as const)('%s loses no line, and rotated files end with one', async (_what, block, cut) => {
    const count = 4_000_000;
    const child = writer(count, block, cut);
    const ended = once(child, 'exit');
    const began = performance.now();
    const pauses: number[] = [];
    while (child.exitCode === null) {
      if (fs.statSync(log).size >= 1_000_000) pauses.push((await rotated()).pause);
      else await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const seconds = (performance.now() - began) / 1000;
    expect(await ended).toEqual([0, null]);
    expectEveryNumberOnce(count);
    expectWholeLines();
    nothingLeft();
    pauses.sort((a, b) => a - b);
    const [median, most] = [pauses[pauses.length >> 1], pauses.at(-1)].map((ms) => ms?.toFixed(2));
    const speed = (count * 31) / 1e6 / seconds;
    console.info(
      `${pauses.length} rotations, pause median ${median} ms, longest ${most} ms, ${speed.toFixed(0)} MB/s`,
    );
    expect(pauses.length).toBeGreaterThan(3);
    expect(pauses.at(-1)).toBeLessThan(1000);
  });

  it('and four of them on one file', async () => {
    const count = 2_000_000;
    const children = [1, 2, 3, 4].map((from) => writer(count, 4096, 'whole', from, 4));
    const ended = Promise.all(children.map((child) => once(child, 'exit')));
    let rotations = 0;
    while (children.some((child) => child.exitCode === null)) {
      if (fs.statSync(log).size >= 1_000_000) rotations += (await rotated()).rounds > 0 ? 1 : 0;
      else await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await ended).toEqual([1, 2, 3, 4].map(() => [0, null]));
    expectEveryNumberOnce(count, 4);
    expect(rotations).toBeGreaterThan(1);
  });
});

const STEPS: readonly Step[] = [
  ...(['begun', 'created', 'copied', 'frozen', 'rest copied', 'cutting', 'truncated'] as const),
  ...(['written back', 'cut', 'thawed', 'named'] as const),
];

const isFrozen = () => fs.readFileSync(`${cgroup}/cgroup.freeze`, 'utf8').trim() === '1';

describe.skipIf(cgroupsMissing)('the daemon is killed', () => {
  async function dies(step: Step): Promise<void> {
    const program = bundledFixture('rotates-and-dies', directory);
    const child = spawn(process.execPath, [program, log, journal, cgroup, step], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  }

  function resume(): string {
    const answer = resumeRotation(journal, placement);
    if (!('kind' in answer)) throw new Error(answer.message);
    return answer.kind;
  }

  test.each(['at once', 'when the guard has thawed the writer and it has written more'] as const)(
    'after every step, and the next one comes %s',
    async (when) => {
      const count = 100_000_000;
      const child = writer(count, 4096, 'split');
      const found: Record<string, string> = {};
      try {
        for (const step of STEPS) {
          await grown(500_000);
          await dies(step);
          if (when !== 'at once') {
            const from = performance.now();
            await until('the guard to thaw', () => (isFrozen() ? undefined : true));
            expect(performance.now() - from).toBeLessThan(2000);
            await grown(200_000);
          }
          found[step] = resume();
          expect(isFrozen()).toBe(false);
          nothingLeft();
          expect(resume()).toBe('nothing');
        }
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      const undone = ['begun', 'created', 'copied', 'frozen', 'rest copied', 'cutting'];
      expect(found).toEqual(
        Object.fromEntries(STEPS.map((step) => [step, undone.includes(step) ? 'undone' : 'finished'])),
      );
      expectEveryNumberOnceButTheLast();
    },
  );

  test.each([
    ['cutting', 'undone'],
    ['truncated', 'finished'],
  ] as const)('after "%s": %s, though every line that is written is the same', async (step, kind) => {
    fs.writeFileSync(log, 'same\n'.repeat(1000));
    const fd = fs.openSync(log, 'a');
    const script = 'echo 0 >"$0/cgroup.procs" && while :; do echo same; done';
    const child = spawn('/bin/sh', ['-c', script, cgroup], { stdio: ['ignore', fd, 'inherit'] });
    fs.closeSync(fd);
    try {
      await grown(10_000);
      await dies(step);
      await until('the guard to thaw', () => (isFrozen() ? undefined : true));
      const copy = fs.readdirSync(directory).find((name) => name.endsWith('.rotating')) ?? '';
      // Now the log begins with the copy, whether it was cut or not.
      await grown(fs.statSync(join(directory, copy)).size + 5);
      expect(resume()).toBe(kind);
      nothingLeft();
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('or is only held up for longer than the guard waits, and does not cut what is written meanwhile', async () => {
    const count = 100_000_000;
    const child = writer(count, 4096, 'split');
    await grown(500_000);
    const program = bundledFixture('rotates-and-dies', directory);
    const daemon = spawn(process.execPath, [program, log, journal, cgroup, 'cutting', 'SIGSTOP'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    daemon.stdout.on('data', (text) => {
      told += text;
    });
    try {
      await until('the freezing', () => (isFrozen() ? true : undefined));
      await until('the guard to thaw', () => (isFrozen() ? undefined : true));
      const { size } = fs.statSync(log);
      await grown(size + 200_000);
      daemon.kill('SIGCONT');
      expect(await once(daemon, 'close')).toEqual([0, null]);
      expect(JSON.parse(told)).toMatchObject({ kind: 'rotated', rounds: 2 });
    } finally {
      daemon.kill('SIGKILL');
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expectEveryNumberOnceButTheLast();
    nothingLeft();
  });

  it('is no reason for a guard that comes late to thaw what the next one has frozen', async () => {
    fs.writeFileSync(log, 'line\n');
    const child = spawn('/bin/sh', ['-c', `echo 0 >${cgroup}/cgroup.procs && exec sleep 60`]);
    try {
      await until('the sleeper', () =>
        fs.readFileSync(`${cgroup}/cgroup.procs`, 'utf8') === '' ? undefined : true,
      );
      await dies('frozen');
      expect(isFrozen()).toBe(true);
      expect(resume()).toBe('undone');
      fs.writeFileSync(`${cgroup}/cgroup.freeze`, '1');
      // The guard of the dead one comes a second after the freezing; this must outlast it.
      const guards = () =>
        fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(journal));
      expect(guards()).not.toEqual([]);
      await until('the guard to end', () => (guards().length === 0 ? true : undefined), guards);
      expect(isFrozen()).toBe(true);
    } finally {
      fs.writeFileSync(`${cgroup}/cgroup.freeze`, '0');
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});

describe.skipIf(cgroupsMissing)('a writer that does not stand still', () => {
  it('is let go, and the log is as it was', async () => {
    fs.writeFileSync(log, 'line\n');
    const held = {
      cgroups: [cgroup],
      freeze: () => ({ code: 'log-not-rotated', severity: 'error', message: 'no' }) as const,
    };
    expect(await rotateLog(order({ freezer: () => held }))).toMatchObject({ message: 'no' });
    expect(fs.readFileSync(log, 'utf8')).toBe('line\n');
    nothingLeft();
  });

  it('of a service that somebody else has frozen stays frozen', async () => {
    fs.writeFileSync(log, 'line\n');
    fs.writeFileSync(`${cgroup}/cgroup.freeze`, '1');
    expect((await rotated()).bytes).toBe(5);
    expect(isFrozen()).toBe(true);
    fs.writeFileSync(`${cgroup}/cgroup.freeze`, '0');
  });
});

function commandOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
