import { describe, expect, it } from 'vitest';
import { whyNotInForce, whyView } from '../../src/daemon/why.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { sentence } from '../../src/model/problem.ts';
import { defined, exited, memory, NOW, problem, run, situation, slot } from '../builders.ts';
import { serviceView } from '../cli/sample-views.ts';

const BROKEN = problem({ message: 'it must be a list', file: 'config.d/web.yaml', line: 2, column: 1 });
const NOTHING = { change: undefined, warnings: [], stderr: { stderr_tail: [] }, excerpts: [] };

describe('why a service that files define is not known', () => {
  it.each([
    [
      'because files are not followed, and until when',
      ['frozen since noon', 'pmctl resume'],
      'frozen since noon',
    ],
    ['because nobody has applied them', [], 'pmctl update applies it'],
  ])('%s', (_, frozen, says) => {
    const desired = defined({ file: 'config.d/web.yaml', problems: [BROKEN] });
    const why = whyNotInForce(serviceView('web', { state: 'starting' }), desired, frozen);
    expect(why.service).toMatchObject({ name: 'web', state: 'stopped', drift: 'pending' });
    expect(why.because[0]).toBe('config.d/web.yaml defines it, and is not in force yet');
    expect(why.because).toEqual(expect.arrayContaining([sentence(BROKEN), says]));
    expect(why.problems).toEqual([BROKEN]);
  });
});

describe('why a service is in its state', () => {
  it('is said once, also when the state is that of a broken file', () => {
    const desired = defined({ problems: [BROKEN] });
    const view = serviceView('web', { reason: sentence(BROKEN) });
    const { because } = whyView({ ...NOTHING, situation: situation({ desired }), view });
    expect(because.filter((text) => text === sentence(BROKEN))).toHaveLength(1);
  });

  it.each([
    [1, '1 failure in a row (3 count as failed)'],
    [13, '13 failures in a row (3 count as failed)'],
  ])('counts %i failures of a probe beside what counts as failed', (failures, words) => {
    const [instance] = serviceView('web').instances;
    if (instance === undefined) throw new Error('the sample has an instance');
    const probe = { kind: 'liveness', ok: false, detail: 'no answer', at: 'noon', failures, threshold: 3 };
    const instances = [{ ...instance, probes: [probe as (typeof instance.probes)[number]] }];
    const view = serviceView('web', { instances });
    const { because } = whyView({ ...NOTHING, situation: situation(), view });
    expect(because).toContain(
      `liveness of instance ${instance.instance} failed at noon: no answer, ${words}`,
    );
  });

  it('blames no file for a directory that is not read', () => {
    const unread = problem({ code: 'directory-unreadable', file: 'config.d', hint: 'make it' });
    const advised = [[unread], [unread, BROKEN]].map((problems) => {
      const view = serviceView('web', { reason: 'up' });
      return whyView({ ...NOTHING, situation: situation({ desired: defined({ problems }) }), view }).because;
    });
    const mend = expect.stringContaining('it is read again when it is saved');
    expect(advised).toEqual([expect.not.arrayContaining([mend]), expect.arrayContaining([mend])]);
    expect(advised[0]).toContainEqual(expect.stringContaining('make it'));
  });

  it.each([
    ['keep_old', 'the older one goes on'],
    ['replace', 'replaces the older one all the same'],
  ] as const)('tells what follows from a newer definition that failed: %s', (on_failure, follows) => {
    const rejected = { generation: 9, digest: 'd', pardon: 0, at: NOW, reason: 'it ended', run: null };
    const desired = defined({ spec: { rollout: { on_failure } } });
    const now = situation({ desired, memory: memory({ rejected }) });
    const { because } = whyView({ ...NOTHING, situation: now, view: serviceView('web') });
    expect(because).toContainEqual(
      expect.stringMatching(new RegExp(`failed at .* and ${follows}: it ended$`)),
    );
  });

  it.each([
    ['stops', [run()]],
    ['removes', []],
  ])('of one whose file is gone says what --prune does: it %s', (does, runs) => {
    const gone = situation({ desired: undefined, observed: { kind: 'seen', runs } });
    const { because } = whyView({ ...NOTHING, situation: gone, view: serviceView('web') });
    expect(because).toContain(`put its file back, or pmctl update --prune ${does} it`);
  });

  it('tells of a main process that has left its cgroup', () => {
    const outside = { is: 'running', pid: 4242, outside: '/elsewhere' } as const;
    const because = [{ is: 'running', pid: 17 } as const, outside].map((main) => {
      const observed = { kind: 'seen', runs: [run({ main })] } as const;
      return whyView({ ...NOTHING, situation: situation({ observed }), view: serviceView('web') }).because;
    });
    const told = expect.stringContaining('main process 4242 has left its cgroup and is in /elsewhere');
    expect(because).toEqual([expect.not.arrayContaining([told]), expect.arrayContaining([told])]);
  });

  it('of one that is disabled and was stopped by hand tells both, and advises nothing that would be refused', () => {
    const disabled = { desired: defined({ spec: { enabled: false } }) };
    const view = serviceView('web', { enabled: false, reason: 'stopped by bob' });
    const stopped = situation({ ...disabled, intent: { stopped: { by: 'bob', at: NOW } } });
    const { because } = whyView({ ...NOTHING, situation: stopped, view });
    expect(because).toContain('disabled in its file');
    expect(because.filter((text) => text.startsWith('stopped by bob'))).toEqual([
      expect.stringContaining('it stays so until somebody starts it'),
    ]);
    expect(because.filter((text) => text.includes('pmctl'))).toEqual([
      `pmctl enable web sets enabled: true in ${disabled.desired.file}; then pmctl start web starts it`,
    ]);
    const only = whyView({ ...NOTHING, situation: situation(disabled), view: { ...view, reason: '' } });
    expect(only.because).toEqual([`pmctl enable web sets enabled: true in ${disabled.desired.file}`]);
  });

  it('names a dependency once, and also those of which the reason does not speak', () => {
    const waiting = { state: 'waiting', condition: 'ready' } as const;
    const dependencies = [
      { ...waiting, name: 'db' as ServiceName, detail: 'db is not ready: starting' },
      { ...waiting, name: 'queue' as ServiceName, detail: 'queue is not ready' },
    ];
    const view = serviceView('web', { reason: 'db is not ready: starting' });
    const { because } = whyView({ ...NOTHING, situation: situation({ dependencies }), view });
    expect(because.filter((text) => text.includes('not ready'))).toEqual([
      'db is not ready: starting',
      'dependency: queue is not ready',
    ]);
  });

  it('tells of the last end in words, not in those of the lifecycle lines', () => {
    const end = { by: 'itself', run: null, uptime: 2057 } as const;
    const slots = {
      0: slot({ exits: [{ ...end, outcome: exited(3), at: Date.UTC(2026, 0, 1, 9) }] }),
      1: slot({
        exits: [
          {
            ...end,
            outcome: { kind: 'signaled', signal: 'SIGABRT', oom: false },
            at: Date.UTC(2026, 0, 1, 10),
          },
        ],
      }),
    };
    const remembered = situation({ memory: memory({ slots }) });
    const { because } = whyView({ ...NOTHING, situation: remembered, view: serviceView('web') });
    expect(because).toContain(
      'its last run ended by itself at 2026-01-01T10:00:00.000Z after 2s: killed by SIGABRT',
    );
    expect(because.filter((text) => text.includes('its last run'))).toHaveLength(1);
  });

  it.each([
    ['stop', 'unknown', 'its last run ended when it was stopped at'],
    ['itself', 'unknown', 'its last run ended by itself at'],
  ] as const)('says of an end by %s only what is known', (by, kind, begins) => {
    const exit = { outcome: { kind, oom: false }, by, run: null, uptime: 2057, at: NOW } as const;
    const remembered = situation({ memory: memory({ slots: { 0: slot({ exits: [exit] }) } }) });
    const { because } = whyView({ ...NOTHING, situation: remembered, view: serviceView('web') });
    const [told = ''] = because.filter((text) => text.includes('its last run'));
    expect(told.startsWith(begins)).toBe(true);
    expect(told.endsWith(' after 2s: its exit code is not known')).toBe(true);
  });

  it('calls a start that was refused no run', () => {
    const outcome = { kind: 'not_started', problem: problem({ message: 'no program' }) } as const;
    const exit = { outcome, by: 'itself', run: null, uptime: 0, at: Date.UTC(2026, 0, 1, 10) } as const;
    const remembered = situation({ memory: memory({ slots: { 0: slot({ exits: [exit] }) } }) });
    const { because } = whyView({ ...NOTHING, situation: remembered, view: serviceView('web') });
    expect(because).toContain('its last start was refused at 2026-01-01T10:00:00.000Z: no program');
  });
});
