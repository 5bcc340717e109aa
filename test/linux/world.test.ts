/** Which containment a host gets, by what the master file says. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWorld, type WorldSettings } from '../../src/world/linux.ts';
import { temporaryDirectory } from './ground.ts';

describe('the world', () => {
  let state: string;
  beforeEach(() => {
    state = temporaryDirectory();
  });
  afterEach(() => fs.rmSync(state, { recursive: true }));

  /** On this root there can be no cgroups. */
  const open = (containment: WorldSettings['containment']) =>
    openWorld({
      containment,
      cgroup_root: '/proc',
      cgroup_name: 'processmaster',
      cgroup_cpu_max: null,
      cgroup_memory_max: null,
      cgroup_memory_swap_max: null,
      state_directory: state,
    });

  it('falls back to process groups and says why', () => {
    const answer = open('auto');
    if ('problem' in answer) throw new Error(answer.problem.message);
    const { containment } = answer.world;
    expect(containment.kind).toBe('process_group');
    expect(containment.shortcomings).toMatchObject([
      {
        code: 'containment-weak',
        message: expect.stringMatching(/^cgroup_root \/proc is no directory of a cgroup2/),
      },
    ]);
    containment.close();
  });

  it('does not fall back where cgroups were demanded', () => {
    expect(open('cgroup')).toMatchObject({ problem: { code: 'containment-weak', severity: 'error' } });
    expect(fs.readdirSync(state)).toEqual([]);
  });

  it('takes process groups where they were demanded, and only once', () => {
    const first = open('process_group');
    if ('problem' in first) throw new Error(first.problem.message);
    expect(open('process_group')).toMatchObject({ problem: { code: 'daemon-running' } });
    first.world.containment.close();
  });
});
