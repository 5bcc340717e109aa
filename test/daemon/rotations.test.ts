import { describe, expect, it } from 'vitest';
import { LogKeeping } from '../../src/daemon/log-keeping.ts';
import { runId } from '../../src/model/names.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Defined, DesiredState, LogsSpec } from '../../src/model/spec.ts';
import { zoneRules } from '../../src/policy/time-zone.ts';
import type { CaredLog, LogCare, RotationCall } from '../../src/world/log-care.ts';
import type { Rotated } from '../../src/world/log-rotation.ts';
import type { Failure } from '../../src/world/world.ts';
import { defined, name, WEB } from '../builders.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const MIDNIGHT = Date.UTC(2026, 10, 22);
const DAY = 24 * 3_600_000;
const OUT = '/srv/web/stdout.log';
/** What a compressed file takes; bytes. */
const NEEDED = 1e8;

interface Disk {
  size: number;
  born: number;
  /** Size of each rotated file, and when it was written last. */
  files: Map<string, { size: number; modified: number }>;
}

/** A daemon's care for logs, on a disk that is a map, in a time that goes on only when told to. */
class Keeping {
  readonly time = { now: NOON };
  readonly agenda = new Agenda();
  readonly disks = new Map<string, Disk>();
  readonly complaints: Problem[] = [];
  readonly wrote: string[] = [];
  readonly told: string[] = [];
  readonly marked: string[] = [];
  readonly calls: RotationCall[] = [];
  readonly looked: string[] = [];
  readonly grown = new Map<string, () => void>();
  readonly squeezed: string[] = [];
  refusal: Problem | Rotated | undefined;
  breaks = false;
  /** What cannot be done on this disk. */
  readonly unable = new Set<'compress' | 'remove'>();
  /** While it is there, a rotation copies; it goes on when this is fulfilled. */
  copying: Promise<void> | undefined;
  free = 1e9;
  freeForRoot: number | undefined;
  /** Where a path leads, if not to itself. */
  readonly moved = new Map<string, string>();
  memory: string | undefined;
  /** Why it cannot be written down. */
  forgets: Failure | undefined;
  readonly logs: LogKeeping;

  constructor(maxTotalSize: number | null = null) {
    this.logs = new LogKeeping({
      care: this.#care(),
      appendMarker: (path, _credentials, line) => {
        this.marked.push(`${path} ${line.split(' ')[2]}`);
        return undefined;
      },
      clock: simulatedClock(this.time, 0, this.agenda),
      zone: zoneRules(() => 0),
      freezer: (services) => ({ cgroups: services, freeze: () => ({ holds: () => true, thaw: () => 0 }) }),
      maxTotalSize,
      desired: () => state(),
      complain: (problem) => this.complaints.push(problem),
      wrote: (part, problem) => this.wrote.push(`${part} ${problem?.code ?? 'well'}`),
      tell: (message) => this.told.push(message),
    });
  }

  /** Rotations go on copying until the answer is called. */
  copies(): () => void {
    let copied = () => {};
    this.copying = new Promise((resolve) => {
      copied = resolve;
    });
    return copied;
  }

  disk(path: string, size: number, files: Record<string, [size: number, modified: number]> = {}): Disk {
    const all = Object.entries(files).map(
      ([file, [bytes, modified]]) => [file, { size: bytes, modified }] as const,
    );
    const disk = { size, born: NOON - 3_600_000, files: new Map(all) };
    this.disks.set(path, disk);
    return disk;
  }

  /** Lets time pass, and what was begun meanwhile come to its end. */
  async until(instant: number): Promise<void> {
    for (;;) {
      await settled();
      const next = this.agenda.next;
      if (next === undefined || next > instant) break;
      this.time.now = Math.max(this.time.now, next);
      this.agenda.take(this.time.now)?.act();
    }
    this.time.now = instant;
    await settled();
  }

  #care(): LogCare {
    return {
      resume: () => [],
      placeOf: (path) => this.moved.get(path) ?? path,
      exists: (path) => this.disks.has(path),
      look: async ({ path }, wanted) => {
        this.looked.push(path);
        const disk = this.disks.get(path);
        const base = path.slice(path.lastIndexOf('/') + 1);
        if (disk === undefined) return null;
        const files = [...disk.files].map(([file, facts]) => ({ name: file, ...facts }));
        return { base, active: disk, files: files.filter((file) => wanted(base, file.name)) };
      },
      rotate: async (order) => {
        this.calls.push(order);
        await this.copying;
        return this.#rotate(order);
      },
      remove: ({ path }, names) => {
        if (this.unable.has('remove')) return unable(path);
        for (const each of names) this.disks.get(path)?.files.delete(each);
        return undefined;
      },
      compress: async (log: CaredLog, file) => {
        this.squeezed.push(file);
        if (this.unable.has('compress')) return unable(log.path);
        if (this.free < NEEDED) return { kind: 'no-room', bytes: NEEDED };
        const files = this.disks.get(log.path)?.files;
        const facts = files?.get(file);
        if (files === undefined || facts === undefined) return { kind: 'nothing' };
        files.delete(file);
        files.set(`${file}.gz`, { ...facts, size: facts.size / 10 });
        return { kind: 'compressed', name: `${file}.gz` };
      },
      watchGrowth: (path, _limit, reached) => {
        this.grown.set(path, reached);
        return { rotated: () => {}, close: () => this.grown.delete(path) };
      },
      space: () => ({ device: '1', free: this.free, freeForRoot: this.freeForRoot ?? this.free }),
      recall: () => this.memory,
      remember: (text) => {
        if (this.forgets !== undefined) return this.forgets;
        this.memory = text;
        return undefined;
      },
      close: async () => {},
    };
  }

  #rotate(order: RotationCall): Rotated | Problem {
    if (this.breaks) throw new Error('a mistake of ours');
    if (this.refusal !== undefined) return this.refusal;
    const disk = this.disks.get(order.path);
    if (disk === undefined || disk.size === 0) return { kind: 'nothing' };
    const base = order.path.slice(order.path.lastIndexOf('/') + 1);
    const { shifts, name: given } = order.naming(order.target, base, [...disk.files.keys()]);
    for (const { from, to } of shifts) {
      const moved = disk.files.get(from);
      if (moved === undefined || disk.files.has(to)) throw new Error(`${from} cannot become ${to}`);
      disk.files.delete(from);
      disk.files.set(to, moved);
    }
    if (disk.files.has(given)) throw new Error(`${given} is there already`);
    disk.files.set(given, { size: disk.size, modified: this.time.now });
    disk.size = 0;
    return { kind: 'rotated', name: given, bytes: 1, pause: 0, rounds: 1 };
  }
}

function unable(path: string): Problem {
  return { code: 'log-not-rotated', severity: 'error', message: `${path}: no room` };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function service(logs: Partial<LogsSpec> = {}, called = WEB): Defined {
  return defined({
    name: called,
    spec: { logs: { stdout: `/srv/${called}/stdout.log`, stderr: '/dev/null', ...logs } },
  });
}

function state(...services: readonly Defined[]): DesiredState {
  return {
    services: new Map(services.map((each) => [each.name, each])),
    problems: [],
    files: 1,
    readable: true,
  };
}

const names = (disk: Disk) => [...disk.files.keys()].sort();

describe('time mode', () => {
  it('rotates at the end of the period, under the date of the period', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service()));
    await keeping.until(MIDNIGHT - 1);
    expect(names(disk)).toEqual([]);
    await keeping.until(MIDNIGHT + 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21']);
    disk.size = 7;
    await keeping.until(MIDNIGHT + DAY + 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21', 'stdout.log.2026-11-22']);
  });

  it('rotates at once what was due while no daemon was there, and counts from the last rotation', async () => {
    const keeping = new Keeping();
    const late = keeping.disk(OUT, 500);
    late.born = NOON - 5 * DAY;
    const rotatedToday = keeping.disk('/srv/db/stdout.log', 500, {
      'stdout.log.2026-11-20': [9, NOON - 3_600_000],
    });
    rotatedToday.born = NOON - 50 * DAY;
    keeping.logs.arrange(state(service(), service({}, name('db'))));
    await keeping.until(NOON + 60_000);
    expect(names(late)).toEqual(['stdout.log.2026-11-16']);
    expect(names(rotatedToday)).toEqual(['stdout.log.2026-11-20']);
  });

  it('removes what has become too old, also where nothing is written any more', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0, { 'stdout.log.2026-11-15': [9, NOON - 6 * DAY] });
    disk.files.set('stdout.log.important', { size: 1, modified: 0 });
    keeping.logs.arrange(state(service({ rotation_max_age: 7 * DAY })));
    await keeping.until(NOON + DAY - 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-15', 'stdout.log.important']);
    await keeping.until(NOON + DAY + 3_600_000);
    expect(names(disk)).toEqual(['stdout.log.important']);
  });

  it('looks at a quiet log once an hour at most', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 10 * 3_600_000);
    expect(keeping.looked.length).toBeLessThan(13);
  });

  it('follows a log from the first start of its service on', async () => {
    const keeping = new Keeping();
    keeping.logs.arrange(state(service({ rotation_frequency: 'minutely' })));
    await keeping.until(NOON + 10_000);
    const disk = keeping.disk(OUT, 500);
    disk.born = NOON + 10_000;
    keeping.logs.happened({ at: NOON + 10_000, name: 'worker_started', service: WEB, fields: {} });
    await keeping.until(NOON + 61_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21T12-00']);
  });

  it('does nothing with `none`', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service({ rotation_frequency: 'none' })));
    await keeping.until(MIDNIGHT + 40 * DAY);
    expect(names(disk)).toEqual([]);
  });
});

describe('a clock that cannot be relied on', () => {
  it('does not keep a log from being rotated when it was set back, or a file was touched', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500, { 'stdout.log.2026-11-20': [9, NOON + 900 * DAY] });
    disk.born = NOON + 900 * DAY;
    keeping.logs.arrange(state(service()));
    await keeping.until(MIDNIGHT + 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-20', 'stdout.log.2026-11-21']);
  });

  it('counts from the first look where the file system keeps no time of birth', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    disk.born = 0;
    keeping.logs.arrange(state(service()));
    await keeping.until(MIDNIGHT + 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21']);
  });

  it('rotates nothing before its time when the clock is set back after a rotation', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service({ rotation_frequency: 'hourly' })));
    await keeping.until(NOON + 3_600_000);
    disk.size = 5;
    const rotated = names(disk);
    keeping.time.now = NOON - 5 * 3_600_000;
    keeping.logs.happened({ at: 0, name: 'worker_started', service: WEB, fields: {} });
    await keeping.until(NOON - 5 * 3_600_000 + 10_000);
    expect(names(disk)).toEqual(rotated);
  });
});

describe('size mode', () => {
  const SIZE: Partial<LogsSpec> = { rotation_mode: 'size', rotation_size: 1000, rotation_backups: 2 };

  it('rotates what has grown to the size, and keeps as many files as it should', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0);
    keeping.logs.arrange(state(service(SIZE)));
    for (let round = 1; round <= 4; round++) {
      disk.size = 1000 + round;
      keeping.grown.get(OUT)?.();
      await keeping.until(NOON + round * 10_000);
    }
    expect([...disk.files].sort()).toMatchObject([
      ['stdout.log.1', { size: 1004 }],
      ['stdout.log.2', { size: 1003 }],
    ]);
  });

  it('watches a log only once it is there', async () => {
    const keeping = new Keeping();
    keeping.logs.arrange(state(service(SIZE)));
    expect([...keeping.grown.keys()]).toEqual([]);
    keeping.disk(OUT, 0);
    keeping.logs.happened({ at: NOON, name: 'worker_started', service: WEB, fields: {} });
    expect([...keeping.grown.keys()]).toEqual([OUT]);
  });

  it('follows new rules at once, and lets go of what is no log any more', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 5000);
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 5000);
    expect(names(disk)).toEqual([]);
    keeping.logs.arrange(state(service(SIZE)));
    await keeping.until(NOON + 10_000);
    expect(names(disk)).toEqual(['stdout.log.1']);
    keeping.logs.arrange(state());
    expect([...keeping.grown.keys()]).toEqual([]);
  });

  it('strands nothing when the mode is changed', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0, {
      'stdout.log.2026-11-18': [1, NOON - 3 * DAY],
      'stdout.log.2026-11-19': [1, NOON - 2 * DAY],
      'stdout.log.1': [1, NOON - DAY],
    });
    keeping.logs.arrange(state(service(SIZE)));
    await keeping.until(NOON + 5000);
    expect(names(disk)).toEqual(['stdout.log.1', 'stdout.log.2026-11-19']);
  });
});

describe('a shared file', () => {
  it('is rotated once, with every service that writes to it standing still', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500).born = NOON - 5 * DAY;
    keeping.logs.arrange(state(service(), service({ stdout: OUT }, name('zeta'))));
    await keeping.until(NOON + 5000);
    expect(keeping.calls.map(({ path, freezer }) => [path, freezer()?.cgroups])).toEqual([
      [OUT, ['web', 'zeta']],
    ]);
  });

  it('is still frozen for a service that has moved its log elsewhere: its process may write on', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service(), service({ stdout: OUT }, name('zeta'))));
    keeping.logs.arrange(state(service(), service({}, name('zeta'))));
    disk.born = NOON - 5 * DAY;
    await keeping.until(NOON + 5000);
    expect(keeping.calls[0]?.freezer()?.cgroups).toEqual(['web', 'zeta']);
  });
});

describe('a process that the directory does not name', () => {
  const told = (event: string, instance: number) => {
    const run_id = runId(NOON, `run${instance}`);
    return { at: NOON, name: event, service: WEB, run_id, fields: { instance } };
  };

  it('has its log rotated when it is an instance that somebody scaled to, also of an earlier daemon', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk('/srv/web/3.log', 500);
    disk.born = NOON - 5 * DAY;
    const web = service({ stdout: '/srv/web/${instance}.log' });
    keeping.logs.happened(told('worker_started', 3));
    keeping.logs.arrange(state(web));
    await keeping.until(NOON + 5000);
    expect(names(disk)).toEqual(['3.log.2026-11-16']);
    keeping.logs.happened(told('worker_exited', 3));
    disk.size = 5;
    await keeping.until(MIDNIGHT + 5000);
    expect(names(disk)).toEqual(['3.log.2026-11-16', '3.log.2026-11-21']);
    keeping.logs.arrange(state(web, service({}, name('db'))));
    disk.size = 5;
    await keeping.until(MIDNIGHT + DAY + 5000);
    expect(names(disk)).toEqual(['3.log.2026-11-16', '3.log.2026-11-21']);
    keeping.logs.happened(told('worker_started', 3));
    await keeping.until(MIDNIGHT + DAY + 10_000);
    expect(names(disk).length).toBe(3);
  });

  it('has its end marked in its log though its file is gone, also when an earlier daemon has started it', () => {
    const keeping = new Keeping();
    keeping.logs.happened(told('worker_started', 0));
    keeping.logs.arrange(state(service({ markers: true })));
    keeping.logs.arrange(state());
    keeping.logs.happened(told('worker_stopped', 0));
    expect(keeping.marked).toEqual([`${OUT} event=stopped`]);
  });

  it('has its log rotated as long as it runs though its file is gone', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    keeping.logs.happened(told('worker_started', 0));
    keeping.logs.arrange(state(service()));
    keeping.logs.arrange(state());
    await keeping.until(MIDNIGHT + 5000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21']);
    keeping.logs.happened(told('worker_stopped', 0));
    disk.size = 5;
    await keeping.until(MIDNIGHT + 2 * DAY);
    expect(names(disk)).toEqual(['stdout.log.2026-11-21']);
  });
});

describe('while a large log is copied', () => {
  it('is not rotated a second time when its service goes and comes back', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    disk.born = NOON - 5 * DAY;
    const copied = keeping.copies();
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 5000);
    for (let round = 0; round < 2; round++) {
      keeping.logs.arrange(state());
      keeping.logs.arrange(state(service()));
    }
    await keeping.until(NOON + 60_000);
    expect(keeping.calls.length).toBe(1);
    copied();
    await keeping.until(NOON + 70_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-16']);
    disk.size = 5;
    await keeping.until(MIDNIGHT + 1000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-16', 'stdout.log.2026-11-21']);
  });

  it('a service that begins to write there is frozen, too', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500).born = NOON - 5 * DAY;
    const copied = keeping.copies();
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 5000);
    keeping.logs.arrange(state(service(), service({ stdout: OUT }, name('zeta'))));
    expect(keeping.calls[0]?.freezer()?.cgroups).toEqual(['web', 'zeta']);
    copied();
  });
});

describe('compression', () => {
  it('takes one rotated file after the other, the oldest first, and never those that go', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0, {
      'stdout.log.3': [100, NOON - 3 * DAY],
      'stdout.log.2': [100, NOON - 2 * DAY],
      'stdout.log.1': [100, NOON - DAY],
    });
    const logs: Partial<LogsSpec> = { rotation_mode: 'size', rotation_backups: 2, compress: true };
    keeping.logs.arrange(state(service(logs)));
    await keeping.until(NOON + 10_000);
    expect(keeping.squeezed).toEqual(['stdout.log.2', 'stdout.log.1']);
    expect(names(disk)).toEqual(['stdout.log.1.gz', 'stdout.log.2.gz']);
  });
});

describe('a service that is gone', () => {
  const WEEK: Partial<LogsSpec> = { rotation_max_age: 7 * DAY };
  const old = () => ({
    'stdout.log.2026-11-15': [9, NOON - 6 * DAY] as [number, number],
    'stdout.log.2026-11-20': [9, NOON - DAY] as [number, number],
  });

  it('has its rotated files removed by the rules that held last', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500, old());
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    keeping.logs.arrange(state());
    await keeping.until(NOON + DAY - 60_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-15', 'stdout.log.2026-11-20']);
    await keeping.until(NOON + DAY + 60_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-20']);
    await keeping.until(NOON + 7 * DAY);
    expect(names(disk)).toEqual([]);
    expect(disk.size).toBe(500);
    // Then it is forgotten.
    keeping.looked.length = 0;
    await keeping.until(NOON + 20 * DAY);
    expect(keeping.looked).toEqual([]);
  });

  it('is remembered by the next daemon, also when that never knew it', async () => {
    const first = new Keeping();
    first.disk(OUT, 500, old());
    first.logs.arrange(state(service(WEEK)));
    await first.until(NOON + 60_000);
    await first.logs.close();
    const second = new Keeping();
    second.memory = first.memory;
    const disk = second.disk(OUT, 500, old());
    second.logs.arrange(state());
    await second.until(NOON + DAY + 60_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-20']);
    await second.until(NOON + 8 * DAY);
    expect(names(disk)).toEqual([]);
    expect(JSON.parse(second.memory ?? '')).toEqual({ format: 1, logs: [] });
  });

  it('is tried to be remembered until that can be written, and the trouble is told as long as it lasts', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500, old());
    keeping.forgets = { failed: 'EROFS' };
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    expect(new Set(keeping.wrote)).toEqual(new Set(['rotations state-unwritable']));
    keeping.forgets = undefined;
    await keeping.until(NOON + 75_000);
    expect(keeping.wrote.at(-1)).toBe('rotations well');
    expect(keeping.memory).toContain(OUT);
  });

  it('costs nothing as long as nothing was rotated', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500);
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 60_000);
    expect(keeping.memory).toBeUndefined();
  });

  it('does not count as gone for what others make of its log later', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500, old());
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    keeping.logs.arrange(state(service({ stdout: `${OUT}.2026-11-20` }, name('taker'))));
    disk.files.set('stdout.log.1', { size: 500, modified: NOON - 10_000 });
    await keeping.until(NOON + 20 * DAY);
    expect(names(disk)).toEqual(['stdout.log.1', 'stdout.log.2026-11-20']);
  });

  it('leaves the place to the one that a link leads to now', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500, old());
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    keeping.logs.arrange(state());
    keeping.moved.set(OUT, '/srv/other/stdout.log');
    await keeping.until(NOON + 20 * DAY);
    expect(names(keeping.disks.get(OUT) as Disk)).toEqual(Object.keys(old()));
  });

  it('is kept in order again when it comes back', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500, old());
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    keeping.logs.arrange(state());
    await keeping.until(NOON + 120_000);
    keeping.logs.arrange(state(service({ ...WEEK, rotation_max_age: null })));
    await keeping.until(NOON + 20 * DAY);
    expect(names(disk)).toEqual([...Object.keys(old()), 'stdout.log.2026-11-21']);
  });

  it('is not named for the trouble of the one that has its log now', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500, old());
    keeping.logs.arrange(state(service(WEEK)));
    await keeping.until(NOON + 60_000);
    keeping.logs.arrange(state());
    await keeping.until(NOON + 120_000);
    disk.size = 500;
    keeping.refusal = { code: 'log-not-rotated', severity: 'error', message: 'it cannot be rotated' };
    keeping.logs.arrange(state(service({ ...WEEK, stdout: OUT }, name('heir'))));
    await keeping.until(MIDNIGHT + 60_000);
    expect(keeping.complaints.map(({ service: one }) => one)).toEqual(['heir']);
    expect(keeping.calls.at(-1)?.freezer()?.cgroups).toEqual(['heir']);
  });

  it('is counted in the budget', async () => {
    const keeping = new Keeping(250);
    const size: Partial<LogsSpec> = { rotation_mode: 'size' };
    const gone = keeping.disk(OUT, 0, { 'stdout.log.2': [100, NOON - 2], 'stdout.log.1': [100, NOON - 1] });
    keeping.logs.arrange(state(service(size)));
    await keeping.until(NOON + 5000);
    keeping.logs.arrange(state(service(size, name('db'))));
    const db = keeping.disk('/srv/db/stdout.log', 0, { 'stdout.log.1': [90, NOON - 9] });
    await keeping.until(NOON + DAY);
    expect(names(gone)).toEqual(['stdout.log.1']);
    expect(names(db)).toEqual(['stdout.log.1']);
  });

  it.each(['noise', '{"logs": {}}', '{"logs": [{"place": "/srv/web/stdout.log", "newest": 1e15}]}'])(
    'is not guessed at: %s',
    async (memory) => {
      const keeping = new Keeping();
      keeping.memory = memory;
      const disk = keeping.disk(OUT, 500, old());
      keeping.logs.arrange(state(service({}, name('db'))));
      await keeping.until(NOON + 90 * DAY);
      expect(names(disk)).toEqual(Object.keys(old()));
      expect(keeping.complaints.map(({ code }) => code)).toEqual(
        memory.includes('[') ? [] : ['state-corrupt'],
      );
    },
  );
});

describe('the budget', () => {
  it('takes the oldest files of the largest service', async () => {
    const keeping = new Keeping(250);
    const web = keeping.disk(OUT, 0, { 'stdout.log.2': [100, NOON - 2], 'stdout.log.1': [100, NOON - 1] });
    const db = keeping.disk('/srv/db/stdout.log', 0, { 'stdout.log.1': [90, NOON - 9] });
    const size: Partial<LogsSpec> = { rotation_mode: 'size' };
    keeping.logs.arrange(state(service(size), service(size, name('db'))));
    await keeping.until(NOON + 5000);
    expect(names(web)).toEqual(['stdout.log.1']);
    expect(names(db)).toEqual(['stdout.log.1']);
  });
});

describe('trouble', () => {
  const full: Problem = {
    code: 'log-not-rotated',
    severity: 'error',
    message: `${OUT} cannot be rotated: no room`,
  };

  it('is told once, shown while it lasts, and tried again until it is well', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    disk.born = NOON - 5 * DAY;
    keeping.refusal = full;
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 600_000);
    expect(keeping.calls.length).toBeGreaterThan(5);
    expect(keeping.complaints).toEqual([{ ...full, service: WEB }]);
    expect(keeping.logs.warnings(WEB)).toEqual([{ ...full, service: WEB }]);
    keeping.refusal = undefined;
    await keeping.until(NOON + 700_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-16']);
    expect(keeping.logs.warnings(WEB)).toEqual([]);
    expect(keeping.told).toEqual([`${OUT} is rotated again`]);
  });

  it('with no room for a copy, what would be removed next goes first', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 5000, { 'stdout.log.2': [1, NOON - 2], 'stdout.log.1': [1, NOON - 1] });
    keeping.refusal = { kind: 'no-room', problem: full };
    keeping.logs.arrange(state(service({ rotation_mode: 'size', rotation_size: 1000, rotation_backups: 2 })));
    await keeping.until(NOON + 5000);
    expect(names(disk)).toEqual(['stdout.log.1']);
    expect(keeping.complaints).toEqual([{ ...full, service: WEB }]);
  });

  it('that is not a full disk takes no file before its time', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 5000, { 'stdout.log.1': [1, NOON - 1] });
    keeping.refusal = full;
    keeping.logs.arrange(state(service({ rotation_mode: 'size', rotation_size: 1000, rotation_backups: 1 })));
    await keeping.until(NOON + 600_000);
    expect(keeping.calls.length).toBeGreaterThan(5);
    expect(names(disk)).toEqual(['stdout.log.1']);
  });

  it('with compression is over when nothing is left to be compressed', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0, { 'stdout.log.1': [100, NOON - 1] });
    keeping.unable.add('compress');
    keeping.logs.arrange(state(service({ rotation_mode: 'size', compress: true })));
    await keeping.until(NOON + 60_000);
    expect(keeping.logs.warnings(WEB)).toHaveLength(1);
    disk.files.clear();
    await keeping.until(NOON + DAY);
    expect(keeping.logs.warnings(WEB)).toEqual([]);
  });

  it.each(['compress', 'remove'] as const)('a disk on which it cannot %s is told once', async (what) => {
    const keeping = new Keeping(150);
    keeping.disk(OUT, 0, { 'stdout.log.2': [100, NOON - 2], 'stdout.log.1': [100, NOON - 1] });
    keeping.unable.add(what);
    keeping.logs.arrange(state(service({ rotation_mode: 'size', compress: what === 'compress' })));
    await keeping.until(NOON + 3 * 3_600_000);
    expect(keeping.complaints.map(({ message }) => message)).toEqual([`${OUT}: no room`]);
    expect(keeping.told).toEqual([]);
    expect(keeping.logs.warnings(WEB).length).toBe(1);
    keeping.unable.clear();
    await keeping.until(NOON + 5 * 3_600_000);
    expect(keeping.told.length).toBe(1);
    expect(keeping.logs.warnings(WEB)).toEqual([]);
  });

  it('compression with too little room is told once, and begun again only when there is enough', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 0, { 'stdout.log.1': [100, NOON - 1] });
    keeping.free = NEEDED - 1;
    keeping.logs.arrange(state(service({ rotation_mode: 'size', compress: true })));
    await keeping.until(NOON + 3 * 3_600_000);
    expect(keeping.squeezed).toEqual(['stdout.log.1']);
    expect(keeping.complaints.map(({ code }) => code)).toEqual(['log-not-rotated']);
    expect(keeping.logs.warnings(WEB)).toEqual(keeping.complaints);
    keeping.free = NEEDED;
    await keeping.until(NOON + 3 * 3_600_000 + 60_000);
    expect(names(disk)).toEqual(['stdout.log.1.gz']);
    expect(keeping.told).toEqual([`rotated files of ${OUT} are compressed again`]);
    expect(keeping.logs.warnings(WEB)).toEqual([]);
  });

  it('compression that fails for ever is tried ever more seldom', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 0, { 'stdout.log.1': [100, NOON - 1] });
    keeping.unable.add('compress');
    keeping.logs.arrange(state(service({ rotation_mode: 'size', compress: true })));
    await keeping.until(NOON + DAY);
    expect(keeping.squeezed.length).toBeGreaterThan(24);
    expect(keeping.squeezed.length).toBeLessThan(34);
  });

  it('a log with the name of a rotated file keeps the other one from being rotated', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500).born = NOON - 5 * DAY;
    keeping.logs.arrange(state(service(), service({ stdout: `${OUT}.1` }, name('zeta'))));
    await keeping.until(NOON + 60_000);
    expect(keeping.calls).toEqual([]);
    expect(keeping.complaints.map(({ code, message }) => [code, message.includes(`${OUT}.1`)])).toEqual([
      ['log-not-rotated', true],
    ]);
  });

  it('a mistake of ours ends neither the daemon nor the care for this log', async () => {
    const keeping = new Keeping();
    const disk = keeping.disk(OUT, 500);
    disk.born = NOON - 5 * DAY;
    keeping.breaks = true;
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 10_000);
    expect(keeping.complaints).toMatchObject([{ code: 'log-not-rotated', service: WEB }]);
    keeping.breaks = false;
    await keeping.until(NOON + 60_000);
    expect(names(disk)).toEqual(['stdout.log.2026-11-16']);
  });

  it('a full disk is told once, shown while it lasts, and told once more when there is room again', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500);
    keeping.free = 0;
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 300_000);
    expect(keeping.complaints.map(({ code }) => code)).toEqual(['log-disk-full']);
    expect(keeping.logs.problems).toEqual(keeping.complaints);
    expect(keeping.logs.warnings(WEB)).toMatchObject([{ code: 'log-disk-full', service: WEB }]);
    keeping.free = 1e6;
    await keeping.until(NOON + 400_000);
    expect(keeping.told).toEqual(['there is room for logs again in /srv/web']);
    expect(keeping.logs.problems).toEqual([]);
    expect(keeping.logs.warnings(WEB)).toEqual([]);
  });

  it('whose last blocks are kept for root is no loss for services of root', async () => {
    const keeping = new Keeping();
    keeping.disk(OUT, 500);
    [keeping.free, keeping.freeForRoot] = [0, 1e6];
    keeping.logs.arrange(state(service()));
    await keeping.until(NOON + 120_000);
    keeping.freeForRoot = 0;
    await keeping.until(NOON + 300_000);
    expect(keeping.complaints.map(({ message }) => message.includes('of other users'))).toEqual([
      true,
      false,
    ]);
    expect(keeping.logs.problems).toEqual(keeping.complaints.slice(1));
  });
});

it('nothing is done any more after the end', async () => {
  const keeping = new Keeping();
  const disk = keeping.disk(OUT, 500);
  keeping.logs.arrange(state(service()));
  const closed = keeping.logs.close();
  await settled();
  await closed;
  await keeping.until(MIDNIGHT + DAY);
  expect(names(disk)).toEqual([]);
});
