import { expect, it } from 'vitest';
import { CpuSampler } from '../../src/observe/cpu-sampler.ts';
import { NOW, name, runKey, WEB } from '../builders.ts';

/** Microseconds of CPU. */
const SECOND = 1_000_000;
const KEY = runKey();

it('is told since the start at first, then since the look before, unless that was a moment ago', () => {
  const cpu = new CpuSampler();
  expect(cpu.percent(KEY, NOW, 2 * SECOND, NOW + 4000)).toBe(50);
  expect(cpu.percent(KEY, NOW, 3 * SECOND, NOW + 5000)).toBe(100);
  // 499 ms after the last one that counts: it is measured from the one before that.
  expect(cpu.percent(KEY, NOW, 3 * SECOND, NOW + 5499)).toBe(66.7);
  expect(cpu.percent(KEY, NOW, 3 * SECOND, NOW + 6000)).toBe(0);
});

it('nothing is kept of a service that is gone', () => {
  const cpu = new CpuSampler();
  const [gone, there] = [runKey({ service: name('gone') }), runKey()];
  for (const key of [gone, there]) cpu.percent(key, NOW, 0, NOW + 4000);
  cpu.keepOnly([WEB]);
  const later = [gone, there].map((key) => cpu.percent(key, NOW, 4 * SECOND, NOW + 8000));
  expect(later).toEqual([50, 100]);
});

it('nothing is kept of a run that is gone', () => {
  const cpu = new CpuSampler();
  const [gone, there] = [runKey({ slot: 0 }), runKey({ slot: 1 })];
  for (const key of [gone, there]) cpu.percent(key, NOW, 0, NOW + 4000);
  cpu.keep(WEB, new Set([there.id]));
  const later = [gone, there].map((key) => cpu.percent(key, NOW, 4 * SECOND, NOW + 8000));
  expect(later).toEqual([50, 100]);
});
