import { beforeEach, describe, expect, it, test } from 'vitest';
import { STATE_FORMAT } from '../../src/daemon/state-format.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Intent } from '../../src/model/memory.ts';
import type { Durability, Failure } from '../../src/world/world.ts';
import {
  exited,
  hash,
  memory,
  NOW,
  name,
  run,
  runsRemembered,
  slot,
  spec,
  stopProgress,
  WEB,
} from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

/** Notes how each file was written, and may refuse to be read. */
class NotingFiles extends MemoryFiles {
  readonly writes: { path: string; mode: number; durable: Durability }[] = [];
  /** Reading these files fails with this code. */
  readonly unreadable = new Map<string, string>();

  override read(path: string, limit: number): string | Failure {
    const failed = this.unreadable.get(path);
    return failed === undefined ? super.read(path, limit) : { failed };
  }

  override replace(
    path: string,
    text: string,
    options?: { mode: number; durable: Durability },
  ): Failure | undefined {
    if (options !== undefined) this.writes.push({ path, ...options });
    return super.replace(path, text);
  }
}

let files: NotingFiles;

beforeEach(() => {
  files = new NotingFiles(new Injector());
});

/** What a daemon finds that starts with these files. */
function next(bootId = 'boot-1'): Store {
  const store = new Store(files, '/state', bootId);
  expect(store.load()).toBeUndefined();
  return store;
}

const STOPPED: Intent = { stopped: { by: 'bob', at: NOW } };
const of = (intent: Intent): ReadonlyMap<typeof WEB, Intent> => new Map([[WEB, intent]]);

describe('a host that cannot tell which boot it is', () => {
  it('is not taken for one that was booted again: nothing is decided and nothing written', () => {
    const first = next();
    first.setMemory(WEB, memory({ slots: { 0: slot({ attempt: 3 }) } }));
    expect(first.flush()).toBeUndefined();
    files.writes.length = 0;
    expect(new Store(files, '/state', undefined).load()).toMatchObject({
      code: 'state-unreadable',
      message: expect.stringContaining('boot_id'),
    });
    expect(files.writes).toEqual([]);
    expect(next().memory(WEB)).toEqual(first.memory(WEB));
  });
});

describe('an empty state directory', () => {
  it('means that nobody asked for anything and nothing was noticed', () => {
    const store = next();
    expect(store.problems).toEqual([]);
    expect(store.names()).toEqual([]);
    expect(store.intent(WEB)).toEqual({});
    expect(store.memory(WEB)).toEqual(memory());
    expect(store.applied(WEB).size).toBe(0);
  });
});

describe('intents', () => {
  it('are on disk, durably, before it is answered', () => {
    expect(next().setIntents(of(STOPPED))).toBeUndefined();
    expect(files.writes).toEqual([{ path: '/state/intent.json', mode: 0o600, durable: true, spare: true }]);
    expect(next().intent(WEB)).toEqual(STOPPED);
  });

  it('do not change when they cannot be written', () => {
    const store = next();
    store.setIntents(of(STOPPED));
    files.failing = 'ENOSPC';
    expect(store.setIntents(of({}))).toMatchObject({ code: 'state-unwritable', severity: 'error' });
    expect(store.intent(WEB)).toEqual(STOPPED);
    files.failing = undefined;
    expect(next().intent(WEB)).toEqual(STOPPED);
  });

  it('that were refused are taken out of a file that says them all the same', () => {
    const store = next();
    files.failing = 'EIO';
    expect(store.setIntents(of(STOPPED))).toMatchObject({ code: 'state-unwritable' });
    // The rename had come through, and only the disk would not vouch for it.
    files.set('/state/intent.json', JSON.stringify({ version: STATE_FORMAT, services: { web: STOPPED } }));
    expect(store.flush()).toMatchObject({ code: 'state-unwritable' });
    expect(store.dirty).toBe(true);
    files.failing = undefined;
    expect(store.flush()).toBeUndefined();
    expect(store.dirty).toBe(false);
    expect(next().intent(WEB)).toEqual({});
  });

  it('of several services change together, the others stay', () => {
    const store = next();
    const db = name('db');
    store.setIntents(new Map([[db, STOPPED]]));
    store.setIntents(new Map([[WEB, { pardon: 1 }]]));
    expect(files.writes).toHaveLength(2);
    expect(next().intent(db)).toEqual(STOPPED);
    expect(next().intent(WEB)).toEqual({ pardon: 1 });
  });

  it('that say nothing are not kept', () => {
    const store = next();
    store.setIntents(of(STOPPED));
    store.setIntents(of({}));
    expect(store.names()).toEqual([]);
    expect(next().names()).toEqual([]);
  });
});

describe('memory', () => {
  const noticed = memory({
    generation: 3,
    generationHash: hash('a'),
    slots: { 0: slot({ restarts: 2, generation: 3, crashes: [NOW] }) },
    runs: runsRemembered([run(), { main: { pid: 7, ticks: 9 }, stop: stopProgress() }]),
  });

  it('is read back by the next daemon of the same boot', () => {
    const store = next();
    store.setMemory(WEB, noticed);
    expect(store.dirty).toBe(true);
    expect(store.flush()).toBeUndefined();
    expect(store.dirty).toBe(false);
    expect(next().memory(WEB)).toEqual(noticed);
  });

  it('is not dirty when it says the same in new objects', () => {
    const store = next();
    store.setMemory(WEB, noticed);
    store.flush();
    store.setMemory(WEB, structuredClone(noticed));
    expect(store.dirty).toBe(false);
  });

  it('stays dirty when it cannot be written, and is written later', () => {
    const store = next();
    store.setMemory(WEB, noticed);
    files.failing = 'ENOSPC';
    expect(store.flush()).toMatchObject({ code: 'state-unwritable' });
    expect(store.dirty).toBe(true);
    files.failing = undefined;
    expect(store.flush()).toBeUndefined();
    expect(next().memory(WEB)).toEqual(noticed);
  });
});

describe('urgent', () => {
  const completed = (at: number) =>
    slot({ end: { kind: 'completed', at, reason: '', under: 'h', pardon: 0, retryAt: null } });

  it('is a completion, until it is on disk', () => {
    const store = next();
    store.setMemory(WEB, memory({ slots: { 0: completed(NOW) } }));
    expect(store.urgent).toBe(true);
    store.flush();
    expect(store.urgent).toBe(false);
  });

  it('is also a completion that takes the place of another one', () => {
    const store = next();
    store.setMemory(WEB, memory({ slots: { 0: completed(NOW), 1: slot() } }));
    store.flush();
    store.setMemory(WEB, memory({ slots: { 0: slot(), 1: completed(NOW) } }));
    expect(store.urgent).toBe(true);
    store.flush();
    store.setMemory(WEB, memory({ slots: { 0: slot(), 1: completed(NOW + 1) } }));
    expect(store.urgent).toBe(true);
  });

  it('is no crash and no wait', () => {
    const store = next();
    store.setMemory(WEB, memory({ slots: { 0: slot({ crashes: [NOW], attempt: 1 }) } }));
    expect(store.urgent).toBe(false);
  });
});

describe('a reboot', () => {
  const exits = [{ outcome: exited(1), at: NOW, by: 'itself', run: null, uptime: 5 }] as const;

  beforeEach(() => {
    const store = next('boot-1');
    store.setIntents(of(STOPPED));
    const end = { kind: 'failed', at: NOW, reason: '', under: 'd', pardon: 0, retryAt: null } as const;
    const wait = { at: NOW, delay: 1000, digest: 'd', pardon: 0 };
    store.setMemory(
      WEB,
      memory({
        generation: 3,
        generationHash: hash('a'),
        slots: {
          0: slot({ restarts: 2, exits, end, crashes: [NOW], attempt: 3, generation: 3 }),
          1: slot({ next: wait }),
        },
        runs: runsRemembered([run(), { stop: stopProgress() }]),
      }),
    );
    store.flush();
  });

  it('leaves what people asked for', () => {
    expect(next('boot-2').intent(WEB)).toEqual(STOPPED);
  });

  it('clears failures and waits, and forgets runs that cannot exist any more', () => {
    const { slots, runs } = next('boot-2').memory(WEB);
    expect(slots[0]).toMatchObject({ end: null, next: null, crashes: [], attempt: 0, generation: 0 });
    expect(slots[1]).toMatchObject({ next: null });
    expect(runs).toEqual({});
  });

  it('keeps the history and goes on counting generations', () => {
    const remembered = next('boot-2').memory(WEB);
    expect(remembered).toMatchObject({ generation: 3, generationHash: hash('a') });
    expect(remembered.slots[0]).toMatchObject({ restarts: 2, exits });
  });

  it('is none when the boot is the same', () => {
    expect(next('boot-1').memory(WEB).slots[0]?.end?.kind).toBe('failed');
  });
});

describe('definitions that runs were started with', () => {
  const secretless = spec({ description: 'one' });

  it('are read back by the next daemon', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), secretless);
    expect(store.flushApplied()).toBeUndefined();
    expect(next().applied(WEB)).toEqual(new Map([[hash('a'), secretless]]));
  });

  it('are written once for all that is going to be started', () => {
    const store = next();
    const db = name('db');
    store.prepare(
      new Map([
        [WEB, { hash: hash('a'), spec: secretless }],
        [db, { hash: hash('b'), spec: secretless }],
      ]),
    );
    expect(store.dirty).toBe(false);
    for (const [service, which] of [
      [WEB, hash('a')],
      [db, hash('b')],
    ] as const) {
      store.setApplied(service, which, secretless);
      store.flushApplied();
      expect(next().applied(service)).toEqual(new Map([[which, secretless]]));
    }
    expect(files.writes).toHaveLength(1);
  });

  it('keep the live fields that were applied, whatever the file says by now', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), secretless);
    store.prepare(new Map([[WEB, { hash: hash('a'), spec: spec({ description: 'two' }) }]]));
    store.flush();
    expect(next().applied(WEB)).toEqual(new Map([[hash('a'), secretless]]));
  });

  it('that no run needs any more are dropped', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), secretless);
    store.setApplied(WEB, hash('b'), secretless);
    store.keepApplied(WEB, new Set([hash('b')]));
    store.flush();
    expect([...next().applied(WEB).keys()]).toEqual([hash('b')]);
  });

  it('are not written again when nothing changed', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), secretless);
    store.flushApplied();
    store.setApplied(WEB, hash('a'), secretless);
    expect(store.dirty).toBe(false);
    store.flushApplied();
    expect(files.writes).toHaveLength(1);
  });
});

describe('forget', () => {
  it('leaves nothing of a service, and everything of the others', () => {
    const db = name('db');
    const store = next();
    for (const one of [WEB, db]) {
      store.setIntents(new Map([[one, STOPPED]]));
      store.setMemory(one, memory({ generation: 1 }));
      store.setApplied(one, hash('a'), spec());
    }
    store.flush();
    expect(store.forget(WEB, NOW)).toBeUndefined();
    store.flush();
    const later = next();
    expect(later.names()).toEqual([db]);
    expect(later.applied(WEB).size).toBe(0);
    expect(later.memory(WEB)).toEqual(memory());
    expect(later.intent(db)).toEqual(STOPPED);
    expect([...later.applied(db).keys()]).toEqual([hash('a')]);
    expect(files.contents.get('/state/applied.json')).not.toContain('"web":{');
  });

  it('is not undone by a late look that notices nothing', () => {
    const store = next();
    store.setMemory(WEB, memory());
    expect(store).toMatchObject({ dirty: false });
    expect(store.names()).toEqual([]);
  });

  it('is tried again when it cannot be written', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), spec());
    store.setIntents(of(STOPPED));
    store.flush();
    files.failing = 'EROFS';
    expect(store.forget(WEB, NOW)).toMatchObject({ code: 'state-unwritable' });
    expect(store.intent(WEB)).toEqual(STOPPED);
    files.failing = undefined;
    expect(store.forget(WEB, NOW)).toBeUndefined();
    store.flush();
    expect(next().names()).toEqual([]);
  });
});

describe('a lost intent.json', () => {
  const end = { kind: 'completed', at: NOW, reason: '', under: 'h', retryAt: null } as const;
  const wait = { at: NOW, delay: 1000, digest: 'd' };
  const rejected = { generation: 2, digest: 'd', at: NOW, reason: '', run: null };

  function afterLossOf(intent: Intent, changes: Parameters<typeof memory>[0]): Intent {
    const store = next();
    store.setIntents(of(intent));
    store.setMemory(WEB, memory(changes));
    store.flush();
    files.contents.delete('/state/intent.json');
    return next().intent(WEB);
  }

  it.each([
    ['a completion', { slots: { 0: slot(), 1: slot({ end: { ...end, pardon: 3 } }) } }],
    ['a wait', { slots: { 0: slot({ next: { ...wait, pardon: 3 } }) } }],
    ['a rejection', { rejected: { ...rejected, pardon: 3 } }],
  ])('forgives nothing: %s was noted under a count that has been reached', (_, changes) => {
    expect(afterLossOf({ ...STOPPED, pardon: 3 }, changes)).toEqual({ pardon: 3 });
  });

  it('fulfils nothing ahead: the next reload and the next trigger are new ones', () => {
    const runs = runsRemembered([run(), { reloaded: 2 }]);
    expect(afterLossOf({ reloads: 2, triggers: 4 }, { runs, triggered: 4 })).toEqual({
      reloads: 2,
      triggers: 4,
    });
  });

  it('leaves a service of which nothing was counted without intent', () => {
    expect(afterLossOf(STOPPED, { slots: { 0: slot({ end: { ...end, pardon: 0 } }) } })).toEqual({});
  });

  it('that is only older counts on from what was noted', () => {
    const store = next();
    store.setIntents(of({ ...STOPPED, pardon: 1, triggers: 7 }));
    store.setMemory(WEB, memory({ slots: { 0: slot({ end: { ...end, pardon: 3 } }) }, triggered: 5 }));
    store.flush();
    expect(next().intent(WEB)).toEqual({ ...STOPPED, pardon: 3, triggers: 7 });
  });
});

describe('a file that is there but cannot be read', () => {
  test.each(['/state/intent.json', '/state/memory.json'])('%s: nothing may be decided', (path) => {
    for (const code of ['EIO', 'EACCES', 'EMFILE', 'EISDIR']) {
      files.unreadable.set(path, code);
      expect(new Store(files, '/state', 'boot-1').load()).toMatchObject({
        code: 'state-unreadable',
        severity: 'error',
        message: `${path} cannot be read (${code})`,
      });
    }
    expect(files.writes).toEqual([]);
  });

  it('of definitions is told, and the daemon goes on', () => {
    const store = next();
    store.setApplied(WEB, hash('a'), spec());
    store.flush();
    files.unreadable.set('/state/applied.json', 'EIO');
    const later = next();
    expect(later.applied(WEB).size).toBe(0);
    expect(later.problems).toMatchObject([{ code: 'state-unreadable', severity: 'warning' }]);
  });

  it('of definitions is no reason to forget them where the host is short of something', () => {
    files.set('/state/applied.json', '{"version":1,"services":{}}');
    files.unreadable.set('/state/applied.json', 'EMFILE');
    expect(new Store(files, '/state', 'boot-1').load()).toMatchObject({ code: 'state-unreadable' });
  });
});

describe('a file that is damaged', () => {
  test.each([
    ['cut off in the middle', '{"version":1,"services":{"web":{"sto'],
    ['empty', ''],
    ['no object', '[]'],
    ['of no version that ever was', '{"version":"two","services":{}}'],
    ['without a version', '{"services":{}}'],
    ['null', 'null'],
  ])('%s: it is set aside, named, and the daemon goes on', (_title, text) => {
    files.set('/state/intent.json', text);
    const store = next();
    expect(store.problems).toMatchObject([{ code: 'state-corrupt', severity: 'error' }]);
    expect(store.problems[0]?.message).toContain('it was set aside as /state/intent.json.broken');
    expect(files.contents.get('/state/intent.json.broken')).toBe(text);
    expect(store.setIntents(of(STOPPED))).toBeUndefined();
    expect(next().intent(WEB)).toEqual(STOPPED);
  });

  it('is said to be lost when it cannot be set aside either', () => {
    files.set('/state/intent.json', 'garbage');
    files.failing = 'ENOSPC';
    expect(next().problems[0]?.message).toContain('it was not kept (ENOSPC)');
  });

  it('takes nothing of the other files with it', () => {
    const store = next();
    store.setIntents(of(STOPPED));
    store.setMemory(WEB, memory({ generation: 4 }));
    store.flush();
    files.set('/state/memory.json', 'garbage');
    expect(next().intent(WEB)).toEqual(STOPPED);
    expect(next().memory(WEB)).toEqual(memory());
  });

  test.each([
    ['intent.json', '{"version":1}'],
    ['intent.json', '{"version":1,"services":null}'],
    ['intent.json', '{"version":1,"services":{"web":{"stopped":true}}}'],
    ['intent.json', '{"version":1,"services":{"web":{"held":{"by":"bob","at":1,"until":"x"}}}}'],
    ['intent.json', '{"version":1,"services":{"web":{"held":{"by":"bob","at":1,"until":1e999}}}}'],
    ['intent.json', '{"version":1,"services":{"web":{"scale":{"by":"bob","at":1,"instances":[]}}}}'],
    ['memory.json', '{"version":1,"boot_id":"boot-1","services":{"web":{"runs":{"r":{"probes":null}}}}}'],
    ['memory.json', '{"version":1,"boot_id":"boot-1","services":{"web":{"slots":{"0":{"exits":[null]}}}}}'],
    ['memory.json', '{"version":1,"boot_id":"boot-1","services":{"web":{"due":5}}}'],
    ['applied.json', '{"version":1,"services":{"web":{"aaaaaaaaaaaa":{"process":{"command":"x"}}}}}'],
  ])('%s of another form, %s, is set aside and named', (file, text) => {
    files.set(`/state/${file}`, text);
    const store = next();
    expect(store.problems).toMatchObject([{ code: 'state-corrupt' }]);
    expect([store.problems[0]?.message, files.contents.get(`/state/${file}.broken`)]).toEqual([
      expect.stringContaining(`/state/${file} cannot be read back`),
      text,
    ]);
    expect([store.intent(WEB), store.memory(WEB)]).toEqual([{}, memory()]);
  });

  it('is not missed where it told of what ran before a reboot: a power cut may leave it empty', () => {
    const before = next();
    before.setMemory(WEB, memory({ generation: 4 }));
    before.flush();
    files.set('/state/applied.json', '');
    expect(next('boot-2').problems).toEqual([]);
    expect(next('boot-1').problems).toMatchObject([{ code: 'state-corrupt' }]);
  });

  it('is never what a power cut leaves of what has to outlive it', () => {
    const before = next();
    before.setIntents(of(STOPPED));
    before.setMemory(WEB, memory({ generation: 4 }));
    before.flush();
    const durable = new Map(files.writes.map((write) => [write.path, write.durable]));
    expect(durable.get('/state/intent.json')).toBe(true);
    expect(durable.get('/state/memory.json')).toBe('content');
  });

  it('with odd content in it does no harm', () => {
    files.set('/state/memory.json', '{"version":1,"boot_id":"boot-0","services":{"web":null,"db":{}}}');
    expect(next().memory(WEB)).toEqual(memory());
    expect(next().memory(name('db'))).toEqual(memory());
  });
});

describe('a file that a newer release wrote', () => {
  test.each(['intent.json', 'memory.json', 'applied.json'])(
    '%s: nothing is decided and nothing written',
    (file) => {
      const before = next();
      before.setIntents(of(STOPPED));
      before.setMemory(WEB, memory({ generation: 4 }));
      before.setApplied(WEB, hash('a'), spec());
      before.flush();
      const newer = JSON.stringify({ version: STATE_FORMAT + 1, services: [], more: 'than we know' });
      files.set(`/state/${file}`, newer);
      const contents = new Map(files.contents);
      expect(new Store(files, '/state', 'boot-1').load()).toMatchObject({
        code: 'state-newer',
        severity: 'error',
        message: `/state/${file} was written by a newer processmaster (format 2; this one knows 1)`,
      });
      expect(new Map(files.contents)).toEqual(contents);
    },
  );

  it('is told before another one that cannot be read', () => {
    files.set('/state/applied.json', '{"version":7}');
    files.unreadable.set('/state/intent.json', 'EACCES');
    expect(new Store(files, '/state', 'boot-1').load()).toMatchObject({ code: 'state-newer' });
  });
});
