import { describe, expect, it } from 'vitest';
import { NOTHING } from '../../src/daemon/following.ts';
import { Hands } from '../../src/daemon/hands.ts';
import { Store } from '../../src/daemon/store.ts';
import { defined, memory, run, runsRemembered, situation, spec, stopProgress, WEB } from '../builders.ts';
import { fakeTools } from '../executor/fake-tools.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { twinUsers } from '../twins/users.ts';

describe('the stop command of a run whose definition is outdated', () => {
  const outdated = run({ hash: 'b' });
  const process = {
    stop_command: ['flush'],
    user: 'www-data',
    group: 'daemon',
    supplementary_groups: ['root'],
  };

  /** @param known whether the host still knows the user */
  function stop(known: boolean) {
    const fake = fakeTools();
    const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
    const remembered = memory({
      runs: runsRemembered([outdated, { stop: { ...stopProgress(), step: 'command' } }]),
    });
    store.setMemory(WEB, remembered);
    const twin = twinUsers();
    const users = known ? twin : { ...twin, user: () => undefined };
    const clock = { now: () => 0, wall: () => 0, after: () => () => {} };
    const world = { ...fake.world, users, clock };
    const settings = { ...fake.settings, pools: { start_port: 4000, end_port: 4099 } };
    const hands = new Hands({
      ...{ ...fake, settings, world, store, loop: { desired: NOTHING } },
      report: () => {},
      mark: () => {},
    });
    const action = { do: 'stop_command', run: outdated.key, because: 'stop_requested' } as const;
    const applied = { b: spec({ process }) };
    hands.carryOut(action, situation({ desired: defined({ hash: 'a' }), applied, memory: remembered }));
    return { ...fake, step: store.memory(WEB).runs[outdated.key.id]?.stop?.step };
  }

  it('runs with the user, the group and the further groups of that definition', () => {
    expect(stop(true)).toMatchObject({
      launches: [{ argv: ['flush'], credentials: { uid: 33, gid: 1, groups: [0] } }],
      complaints: [],
      step: 'command',
    });
  });

  it('does not run as the daemon when its user is gone: that is told, and the signal is sent instead', () => {
    expect(stop(false)).toMatchObject({
      launches: [],
      complaints: [{ code: 'user-unknown', service: 'web' }],
      step: 'unsent',
    });
  });
});
