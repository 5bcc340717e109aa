/** Is a log rotated without losing a line, whatever happens to the daemon, the disk and the directory meanwhile? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { bundledFixture, isRoot } from '../linux/ground.ts';
import { Chance } from '../twins/random.ts';
import { GROUND, GROUNDS, NOBODY } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { countLines, logParts, WIDTH } from './numbered-lines.ts';
import { isGone, readOr } from './processes.ts';

const SIZE = 1 << 20;

interface WriterOptions {
  readonly instances?: number;
  /** Lines that are written at once. */
  readonly lines?: number;
  /** MB/s of each instance at most; 0: as fast as it can. */
  readonly rate?: number;
  /** After so many lines it rests until the test says `more`. */
  readonly restAt?: number;
  readonly logs?: Readonly<Record<string, unknown>>;
}

/** A service that writes numbered lines into `logs/stdout.log` until it is told to stop. */
class Writer {
  readonly directory: string;
  readonly #host: Host;
  readonly #instances: number;

  constructor(host: Host, { instances = 1, lines = 1, rate = 0, restAt = 0, logs = {} }: WriterOptions) {
    this.#host = host;
    this.#instances = instances;
    this.directory = join(host.work, 'logs');
    fs.mkdirSync(this.directory, { recursive: true });
    const program = bundledFixture('endless-lines', host.work);
    host.service('writer', {
      instances,
      process: { command: [process.execPath, program, host.work, ...[lines, rate, restAt].map(String)] },
      logs: {
        stdout: join(this.directory, 'stdout.log'),
        stderr: join(host.work, 'stderr.log'),
        rotation_mode: 'size',
        rotation_size: String(SIZE),
        rotation_backups: 10_000,
        ...logs,
      },
    });
  }

  get parts(): readonly string[] {
    return logParts(this.directory, 'stdout.log');
  }

  /** Rotated files. */
  get rotations(): number {
    return this.parts.length - 1;
  }

  hasRotated(count: number, bound = 120_000): Promise<true> {
    const look = () => (this.rotations >= count ? true : undefined);
    return this.#host.until(`${count} rotations`, look, () => this.#seen(), bound);
  }

  /** Answers how many lines each instance wrote, and how many writes failed. */
  async stops(): Promise<{ readonly lines: Record<number, number>; readonly failures: number }> {
    fs.writeFileSync(join(this.#host.work, 'stop'), '');
    const told: { readonly lines: number; readonly failures: number }[] = [];
    for (let instance = 0; instance < this.#instances; instance++) {
      told.push(JSON.parse(await this.#host.says(`last.${instance}`)));
    }
    return {
      lines: Object.fromEntries(told.map(({ lines }, instance) => [instance, lines])),
      failures: told.reduce((sum, { failures }) => sum + failures, 0),
    };
  }

  /** Waits until nothing is rotated or compressed any more, and the log is as small as it should be. */
  async rests(compressed = false): Promise<void> {
    const isDone = () =>
      fs.statSync(join(this.directory, 'stdout.log')).size < SIZE &&
      !fs.readdirSync(this.directory).some((name) => name.startsWith('.pm-')) &&
      (!compressed || this.parts.slice(0, -1).every((part) => part.endsWith('.gz')));
    await this.#host.until(
      'rotation to be done',
      () => isDone() || undefined,
      () => this.#seen(),
      60_000,
    );
  }

  #seen(): object {
    const size = fs.statSync(join(this.directory, 'stdout.log'), { throwIfNoEntry: false })?.size;
    const names = fs.readdirSync(this.directory);
    const others = names.filter((name) => name.startsWith('.pm-'));
    return {
      rotations: this.rotations,
      size,
      others,
      last: this.parts.slice(-12).map((part) => basename(part)),
    };
  }
}

/** Kills the daemon at moments that belong to the seed until there are enough rotations; answers how often. */
async function killUntil(host: Host, writer: Writer, chance: Chance, rotations: number): Promise<number> {
  const deadline = Date.now() + 120_000;
  let kills = 0;
  while (kills < 5 || writer.rotations < rotations) {
    if (Date.now() > deadline) throw new Error(`${writer.rotations} rotations and ${kills} kills`);
    // A daemon that has just started looks at everything else first.
    await after(chance.happens(0.25) ? chance.between(0, 2000) : chance.between(2500, 9000));
    await host.crash();
    kills += 1;
    await after(chance.between(0, 300));
    await host.start();
  }
  return kills;
}

function seeded(): Chance {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`the same moments again: SEED=${seed}`));
  return new Chance(seed, 'kills');
}

function expectEveryLineOnce(writer: Writer, lines: Readonly<Record<number, number>>): void {
  const { parts } = writer;
  const counted = countLines(parts);
  expect(counted.troubles).toEqual([]);
  expect(counted).toMatchObject({ lost: 0, again: 0, torn: 0, split: 0, lines, last: lines });
}

describe.runIf(GROUND.containment === 'cgroup')(
  'a log that is rotated while it is written at full speed',
  () => {
    test.each([
      ['one writer', { instances: 1 }, 200],
      ['four writers on one file', { instances: 4, rate: 10 }, 200],
      ['one writer, rotated files compressed', { rate: 10, logs: { compress: true } }, 40],
    ] as const)(
      '%s: every line is there once and whole, though the daemon is killed again and again',
      { timeout: 240_000 },
      async (_what, options, rotations) => {
        const chance = seeded();
        const host = openHost({ ground: GROUND });
        const writer = new Writer(host, options);
        const instances = 'instances' in options ? options.instances : 1;
        await host.start();
        const pids = await host.runs('writer', instances);
        const began = performance.now();
        const kills = await killUntil(host, writer, chance, rotations);
        const seconds = (performance.now() - began) / 1000;
        const { lines, failures } = await writer.stops();
        expect(failures).toBe(0);
        expect([...(await host.runs('writer', instances))].sort()).toEqual([...pids].sort());
        await writer.rests('logs' in options);
        expect(await host.stop()).toBe(0);
        expectEveryLineOnce(writer, lines);
        const speed = (Object.values(lines).reduce((sum, each) => sum + each, 0) * WIDTH) / 1e6 / seconds;
        console.info(
          `${writer.rotations} rotations, ${kills} kills, ${seconds.toFixed(0)} s, ${speed.toFixed(0)} MB/s`,
        );
      },
    );
  },
);

test('where nobody can be frozen, files are rotated all the same, nothing is there twice, and little is lost', {
  timeout: 120_000,
}, async () => {
  const ground = GROUNDS.find(({ title }) => title === 'in process groups') ?? GROUND;
  const host = openHost({ ground });
  const writer = new Writer(host, { lines: 1 });
  await host.start();
  const { pid } = host;
  await host.runs('writer');
  await writer.hasRotated(100);
  const { lines } = await writer.stops();
  await writer.rests();
  expect(host.pid).toBe(pid);
  expect(isGone(pid)).toBe(false);
  const counted = countLines(writer.parts);
  const most = lines[0] ?? 0;
  console.info(`${writer.rotations} rotations, lost ${counted.lost} of ${most} lines, torn ${counted.torn}`);
  expect(counted.again).toBe(0);
  // What a writer that never rests writes in about two milliseconds, each time: 1 to 2 % here, more on a busy machine.
  expect(counted.lost).toBeLessThan(most / 10);
});

test.runIf(GROUND.containment === 'cgroup')(
  'the guard of a rotation that a killed daemon leaves behind does not keep the next one out',
  async () => {
    const host = openHost({ ground: GROUND });
    await host.start();
    // Whatever a guard does, it is a process in the cgroup of the daemon that goes after a second.
    const guard = host.run(['sleep', '1.1']);
    fs.writeFileSync(join(host.base, 'daemon', 'cgroup.procs'), String(guard.child.pid));
    await host.crash();
    expect(guard.isOver).toBe(false);
    await host.start();
    expect(guard.isOver).toBe(true);
  },
);

const canMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (isRoot && !canMount) console.warn('skipped: a log on a full disk, because nothing can be mounted here');

test.runIf(canMount)(
  'a full disk: the service goes on, the daemon says it once, and rotates when there is room again',
  { timeout: 120_000 },
  async () => {
    const host = openHost({ ground: GROUND });
    const directory = join(host.work, 'logs');
    fs.mkdirSync(directory);
    mountSmall(directory);
    const filler = join(directory, 'filler');
    fs.writeFileSync(filler, Buffer.alloc(30 << 20));
    // 20 MB, and then no more until there is room.
    const restAt = 20e6 / WIDTH;
    const writer = new Writer(host, { lines: 32, rate: 5, restAt, logs: { rotation_backups: 2 } });
    await host.start();
    const writing = await host.pidOf('writer');
    const { pid } = host;
    const said = () => host.stderr.split('\n').filter((line) => line.includes('cannot be rotated'));
    await host.until(
      'a word on it',
      () => (said().length > 0 ? true : undefined),
      () => host.stderr,
    );
    expect(said()[0]).toContain('no space');
    const why = await host.pmctl('why', 'writer', '--json');
    expect(JSON.stringify(why.json.problems)).toContain('cannot be rotated');
    await host.says('rests');
    expect(fs.statfsSync(directory).bfree).toBe(0);
    expect(isGone(writing)).toBe(false);

    fs.rmSync(filler);
    await writer.hasRotated(1, 60_000);
    fs.writeFileSync(join(host.work, 'more'), '');
    await writer.hasRotated(2, 60_000);
    const size = () => fs.statSync(join(directory, 'stdout.log')).size;
    await host.until('the log to be small', () => (size() < SIZE ? true : undefined), size);
    const { json } = await host.pmctl('why', 'writer', '--json');
    expect(JSON.stringify(json.problems)).not.toContain('cannot be rotated');
    const { failures } = await writer.stops();
    expect(failures).toBeGreaterThan(0);
    await writer.rests();
    expect(said()).toHaveLength(1);
    expect(await host.pidOf('writer')).toBe(writing);
    expect(host.pid).toBe(pid);
  },
);

function mountSmall(directory: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', directory], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  onTestFinished(() => {
    // Processes of the test may still have files open there: it goes when they do.
    spawnSync('umount', ['--lazy', directory]);
  });
}

describe.runIf(GROUND.containment === 'cgroup')(
  'rotation does not follow a link that the user planted',
  () => {
    test.each([
      ['in place of the directory', 'mv logs old && ln -s "$SECRET" logs', 'refused'],
      [
        'in place of the log',
        'mv logs/stdout.log logs/old && ln -s "$SECRET/stdout.log" logs/stdout.log',
        'refused',
      ],
      ['in place of a rotated file', 'ln -sf "$SECRET/stdout.log" logs/stdout.log.1', 'rotated'],
    ] as const)('%s', { timeout: 90_000 }, async (_what, deed, then) => {
      const host = openHost({ ground: GROUND });
      fs.chmodSync(host.directory, 0o755);
      const place = join(host.directory, 'of-nobody');
      fs.mkdirSync(join(place, 'logs'), { recursive: true });
      for (const each of [place, join(place, 'logs')]) fs.chownSync(each, NOBODY.uid, NOBODY.gid);
      const secret = join(host.directory, 'secret');
      fs.mkdirSync(secret, { mode: 0o755 });
      fs.writeFileSync(join(secret, 'stdout.log'), 'secret line\n'.repeat(300_000), { mode: 0o600 });
      const before = picture(secret);
      const more = `for i in 1 2 3 4 5; do yes mine | head -c 100000; sleep 0.05; done`;
      const first = `until [ -e logs/stdout.log.1 ] || [ -e logs/stdout.log.1.gz ]; do ${more}; done`;
      host.service('writer', {
        process: {
          command: `${first}; ${deed}; touch planted; while :; do ${more}; done`,
          user: 'nobody',
          working_directory: place,
          env: { SECRET: secret },
        },
        logs: {
          stdout: 'logs/stdout.log',
          rotation_mode: 'size',
          rotation_size: '1M',
          rotation_backups: 100,
          compress: true,
        },
      });
      await host.start();
      await host.until(
        'the link',
        () => (fs.existsSync(join(place, 'planted')) ? true : undefined),
        undefined,
        60_000,
      );
      if (then === 'refused') {
        const said = () => (host.stderr.includes('cannot be rotated') ? true : undefined);
        await host.until('a word on it', said, () => host.stderr, 60_000);
        expect((await host.view('writer'))?.state).toBe('running');
      } else {
        const names = () => fs.readdirSync(join(place, 'logs'));
        const isOn = () => (names().some((name) => /^stdout\.log\.5(\.gz)?$/.test(name)) ? true : undefined);
        await host.until('more rotations', isOn, names, 60_000);
        const isCompressed = () =>
          names().filter((name) => name.endsWith('.gz')).length >= 3 ? true : undefined;
        await host.until('compressed files', isCompressed, names, 60_000);
      }
      expect(await host.stop()).toBe(0);
      expect(picture(secret)).toEqual(before);
      for (const entry of fs.readdirSync(place, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const text = path.endsWith('.gz') ? gunzipSync(fs.readFileSync(path)) : fs.readFileSync(path);
        expect([path, text.includes('secret')]).toEqual([path, false]);
      }
    });
  },
);

/** Everything that could have been changed in a directory of files. */
function picture(directory: string): object {
  return fs.readdirSync(directory).map((name) => {
    const { uid, gid, mode, ino, nlink, mtimeMs } = fs.statSync(join(directory, name));
    return { name, uid, gid, mode, ino, nlink, mtimeMs, text: readOr(join(directory, name)).length };
  });
}
