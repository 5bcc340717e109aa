import { describe, expect, it, test } from 'vitest';
import type { MainProcess, Members, Outcome } from '../../src/model/observed.ts';
import { lifeOf, type RunLife } from '../../src/policy/run-life.ts';
import { exited, NOW, run, spec } from '../builders.ts';

const ended = (outcome: Outcome): MainProcess => ({ is: 'ended', outcome, at: NOW });

const MAINS = {
  running: { is: 'running', pid: 100 },
  well: ended(exited(0)),
  badly: ended(exited(1)),
  killed: ended({ kind: 'signaled', signal: 'SIGSEGV', oom: false }),
  unseen: ended({ kind: 'unknown', oom: false }),
  unknown: { is: 'unknown' },
} as const satisfies Record<string, MainProcess>;

const ROWS: readonly [
  exitOn: 'main' | 'empty' | 'auto',
  main: keyof typeof MAINS,
  some: RunLife,
  none: RunLife,
][] = [
  ['main', 'running', 'alive', 'alive'],
  ['main', 'well', 'leftovers', 'over'],
  ['main', 'badly', 'leftovers', 'over'],
  ['main', 'killed', 'leftovers', 'over'],
  ['main', 'unseen', 'leftovers', 'over'],
  ['main', 'unknown', 'alive', 'over'],
  ['empty', 'running', 'alive', 'alive'],
  ['empty', 'well', 'alive', 'over'],
  ['empty', 'badly', 'alive', 'over'],
  ['empty', 'killed', 'alive', 'over'],
  ['empty', 'unseen', 'alive', 'over'],
  ['empty', 'unknown', 'alive', 'over'],
  ['auto', 'running', 'alive', 'alive'],
  ['auto', 'well', 'alive', 'over'],
  ['auto', 'badly', 'leftovers', 'over'],
  ['auto', 'killed', 'leftovers', 'over'],
  ['auto', 'unseen', 'alive', 'over'],
  ['auto', 'unknown', 'alive', 'over'],
];

describe('is a run over?', () => {
  for (const [exitOn, main, some, none] of ROWS) {
    const own = spec({ process: { exit_on: exitOn } });
    const life = (members: Members['is']): RunLife => lifeOf(run({ main: MAINS[main], members }), own);
    it(`exit_on ${exitOn}, main ${main}: with processes ${some}, without ${none}`, () => {
      expect(life('some')).toBe(some);
      expect(life('none')).toBe(none);
    });
    it(`exit_on ${exitOn}, main ${main}: what could not be seen counts as running`, () => {
      expect(life('unseen')).toBe('alive');
    });
  }

  it('with auto, a code of success_exit_codes ends the first process well', () => {
    const own = spec({ restart_policy: { success_exit_codes: [3] } });
    expect(lifeOf(run({ main: ended(exited(3)) }), own)).toBe('alive');
    expect(lifeOf(run({ main: ended(exited(0)) }), own)).toBe('leftovers');
  });

  test.each(['well', 'badly'] as const)('a lost definition is judged as auto (%s)', (main) => {
    const judged = lifeOf(run({ main: MAINS[main] }), undefined);
    expect(judged).toBe(main === 'well' ? 'alive' : 'leftovers');
  });

  it('a place in which nothing ever lived is unborn, unless its first process is known to have ended', () => {
    const empty = { members: 'none', everRan: false } as const;
    expect(lifeOf(run({ ...empty, main: { is: 'unknown' } }), spec())).toBe('unborn');
    expect(lifeOf(run({ ...empty, main: MAINS.badly }), spec())).toBe('over');
  });

  it('who cannot be found in a place that nobody ever reached has not ended: it may be on its way there', () => {
    const notFound = run({ members: 'none', everRan: false, main: MAINS.unseen });
    expect(lifeOf(notFound, spec())).toBe('unborn');
  });
});
