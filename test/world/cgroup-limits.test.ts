import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flatKeyed } from '../../src/world/cgroup-files.ts';
import { cpuMax, enableControllers, missingLimits, writeLimits } from '../../src/world/cgroup-limits.ts';

const NONE = {
  max_cpu: null,
  max_memory: null,
  memory_high: null,
  max_swap: null,
  max_pids: null,
  cpu_weight: null,
  io_weight: null,
};

describe('limits', () => {
  let cgroup: string;
  const read = (file: string) => fs.readFileSync(join(cgroup, file), 'utf8');
  const write = (file: string, text: string) => fs.writeFileSync(join(cgroup, file), text);

  beforeEach(() => {
    cgroup = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => fs.rmSync(cgroup, { recursive: true }));

  it.each([
    [1500, '150000 100000'],
    [500, '50000 100000'],
    [1, '1000 100000'],
  ])('of %d thousandths of a core are %j', (milli, text) => expect(cpuMax(milli)).toBe(text));

  it('are written to the files of the kernel', () => {
    const expected = {
      'cpu.max': '25000 100000',
      'memory.max': '1073741824',
      'memory.high': '1048576',
      'memory.swap.max': '0',
      'pids.max': '20',
      'cpu.weight': '7',
      'io.weight': 'default 9',
    };
    for (const file of Object.keys(expected)) write(file, '');
    const limits = {
      max_cpu: 250,
      max_memory: 1024 ** 3,
      memory_high: 1024 ** 2,
      max_swap: 0,
      max_pids: 20,
      cpu_weight: 7,
      io_weight: 9,
    };
    expect(writeLimits(cgroup, limits)).toEqual([]);
    for (const [file, text] of Object.entries(expected))
      expect(`${file}: ${read(file)}`).toBe(`${file}: ${text}`);
  });

  it('that are taken away restore what a fresh cgroup has', () => {
    const fresh = { 'cpu.max': 'max 100000', 'memory.max': 'max', 'pids.max': 'max', 'cpu.weight': '100' };
    for (const file of Object.keys(fresh)) write(file, '1');
    writeLimits(cgroup, NONE);
    for (const [file, text] of Object.entries(fresh)) expect(read(file)).toBe(text);
  });

  it('that nobody asked for are not missed; those that cannot be are named', () => {
    expect(writeLimits(cgroup, NONE)).toEqual([]);
    expect(writeLimits(cgroup, { ...NONE, max_swap: 5 })).toEqual([
      {
        code: 'limit-unapplied',
        severity: 'warning',
        message: 'max_swap cannot be applied: there is no memory.swap.max here',
      },
    ]);
  });

  it('need controllers, which are enabled as far as they are there', () => {
    write('cgroup.controllers', 'cpu memory hugetlb\n');
    write('cgroup.subtree_control', '');
    enableControllers(cgroup, ['memory', 'pids']);
    expect(read('cgroup.subtree_control')).toBe('+memory');
  });

  it('are missed by the controller that is not there, and by the file that the kernel lacks', () => {
    write('cgroup.controllers', 'cpu memory io\n');
    write('cgroup.subtree_control', 'memory io\n');
    write('io.weight', 'default 100\n');
    expect(missingLimits(cgroup).map((problem) => problem.message)).toEqual([
      'max_cpu, cpu_weight cannot be applied: the cpu controller could not be enabled here',
      'max_pids cannot be applied: the pids controller is not available here',
      'max_swap cannot be applied: this kernel offers no memory.swap.max',
    ]);
    expect(missingLimits(cgroup).map(({ missing }) => missing)).toEqual([
      ['max_cpu', 'cpu_weight'],
      ['max_pids'],
      ['max_swap'],
    ]);
  });
});

describe('a flat keyed file', () => {
  it('has a number for each key', () => {
    expect(flatKeyed('populated 1\nfrozen 0\n')).toEqual(
      new Map([
        ['populated', 1],
        ['frozen', 0],
      ]),
    );
    expect(flatKeyed('usage_usec 18446744073\n').get('usage_usec')).toBe(18446744073);
  });
});
