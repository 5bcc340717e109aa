/** What is seen of a tree whose control files misbehave as no real kernel can be asked to. */
import fs from 'node:fs';
import os from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRunDirectory, type ServiceName } from '../../src/model/names.ts';
import { Cgroups } from '../../src/world/cgroups.ts';
import { systemClock } from '../../src/world/clock.ts';

const WEB = 'web' as ServiceName;

describe('a tree of control files', () => {
  let services: string;
  let containment: Cgroups;
  const run = () => join(services, WEB, '0.1.abcdef012345.0mabcdef1-abcd');

  beforeEach(() => {
    services = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
    containment = new Cgroups({ services, shortcomings: [], leave: () => {} }, systemClock());
    fs.mkdirSync(run(), { recursive: true });
  });
  afterEach(() => {
    containment.close();
    fs.rmSync(services, { recursive: true });
  });

  const look = (main: { pid: number; ticks: number | null } | null = null) => {
    const observed = containment.look(WEB, () => main);
    return observed.kind === 'seen' ? observed.runs : observed;
  };

  it('shows a run that cannot be read as unseen: neither alive nor gone', () => {
    fs.mkdirSync(join(run(), 'cgroup.events'));
    const problem = { code: 'observe-failed', message: expect.stringContaining('EISDIR') };
    const unseen = { members: { is: 'unseen', problem }, main: { is: 'unknown' }, everRan: true };
    expect(look()).toMatchObject([unseen]);
    expect(look({ pid: process.pid, ticks: null })).toMatchObject([unseen]);
  });

  it('says nothing of an empty run of which cannot be read whether anybody ever was in it', () => {
    fs.writeFileSync(join(run(), 'cgroup.events'), 'populated 0\nfrozen 0\n');
    fs.mkdirSync(join(run(), 'cpu.stat'));
    expect(look()).toMatchObject({ kind: 'unseen', problem: { message: expect.stringContaining('EISDIR') } });
    fs.rmdirSync(join(run(), 'cpu.stat'));
    fs.writeFileSync(join(run(), 'cpu.stat'), 'usage_usec 0\n');
    expect(look()).toMatchObject([{ members: { is: 'none' }, everRan: false }]);
    // A kernel that does not count it.
    fs.rmSync(join(run(), 'cpu.stat'));
    expect(look()).toMatchObject([{ members: { is: 'none' }, everRan: true }]);
  });

  it('shows a service that cannot be listed as unseen', () => {
    fs.writeFileSync(join(services, 'file'), '');
    expect(containment.look('file/x' as ServiceName, () => null)).toMatchObject({ kind: 'unseen' });
  });

  it('does not show a run whose cgroup is gone', () => {
    expect(look()).toEqual([]);
  });

  it('sees who came and who went, also where their number stays the same', () => {
    const [first, second, third] = ['0.1', '0.2', '1.2'].map((place) =>
      join(services, WEB, `${place}.abcdef012345.0mabcdef1-abc${place.replace('.', '')}`),
    ) as [string, string, string];
    const come = (directory: string) => {
      fs.mkdirSync(directory);
      fs.writeFileSync(join(directory, 'cgroup.events'), 'populated 1\nfrozen 0\n');
    };
    const go = (directory: string) => fs.rmSync(directory, { recursive: true });
    const places = () => {
      const runs = look();
      if ('problem' in runs) throw new Error(runs.problem.message);
      return runs.map(({ key: { slot, generation } }) => `${slot}.${generation}`).sort();
    };
    go(run());
    expect(places()).toEqual([]);
    come(first);
    expect(places()).toEqual(['0.1']);
    expect(places()).toEqual(['0.1']);
    go(first);
    come(second);
    expect(places()).toEqual(['0.2']);
    come(third);
    expect(places()).toEqual(['0.2', '1.2']);
    go(second);
    fs.mkdirSync(join(services, WEB, 'somebody-else'));
    expect(places()).toEqual(['1.2']);
    go(third);
    come(first);
    expect(places()).toEqual(['0.1']);
    go(join(services, WEB));
    expect(places()).toEqual([]);
  });

  it.each([
    ['the OOM killer', 'low 0\noom 3\noom_kill 1\n', true],
    ['nobody knows what', 'low 0\noom 3\noom_kill 0\n', false],
  ])('tells that an adopted run was ended by %s', (_, events, oom) => {
    fs.writeFileSync(join(run(), 'cgroup.events'), 'populated 0\nfrozen 0\n');
    fs.writeFileSync(join(run(), 'memory.events'), events);
    fs.writeFileSync(join(run(), 'cpu.stat'), 'usage_usec 17\nuser_usec 1\n');
    const first = look({ pid: 2 ** 30, ticks: 5 });
    expect(first).toMatchObject([
      { main: { is: 'ended', outcome: { kind: 'unknown', oom } }, members: { is: 'none' }, everRan: true },
    ]);
    // The moment is that of the first look, however often it is looked at.
    expect(look({ pid: 2 ** 30, ticks: 5 })).toEqual(first);
  });

  it('tells of the OOM killer also where no daemon wrote down which process was the first', () => {
    fs.writeFileSync(join(run(), 'cgroup.events'), 'populated 0\nfrozen 0\n');
    fs.writeFileSync(join(run(), 'memory.events'), 'low 0\noom 3\noom_kill 1\n');
    const ended = { is: 'ended', outcome: { kind: 'unknown', oom: true } };
    expect(look()).toMatchObject([{ main: ended, members: { is: 'none' }, everRan: true }]);
    // One of them was ended, and others go on: that may be as the service wants it.
    fs.writeFileSync(join(run(), 'cgroup.events'), 'populated 1\nfrozen 0\n');
    expect(look()).toMatchObject([{ main: { is: 'unknown' }, members: { is: 'some' } }]);
    fs.writeFileSync(join(run(), 'cgroup.events'), 'populated 0\nfrozen 0\n');
    fs.writeFileSync(join(run(), 'memory.events'), 'low 0\noom 3\noom_kill 0\n');
    expect(look()).toMatchObject([{ main: { is: 'unknown' }, members: { is: 'none' } }]);
  });

  it('tells how much a run uses', () => {
    fs.writeFileSync(join(run(), 'cpu.stat'), 'usage_usec 17\nuser_usec 1\n');
    fs.writeFileSync(join(run(), 'memory.current'), '4096\n');
    const key = parseRunDirectory(WEB, basename(run()));
    expect(containment.usage(key!)).toEqual({ cpuMicroseconds: 17, memoryBytes: 4096 });
  });
});
