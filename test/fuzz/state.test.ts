/** Whatever became of what an earlier daemon wrote: is it read back as it was, or refused in words? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseTokens, tokenLine } from '../../src/api/tokens.ts';
import { LastGood } from '../../src/config/last-good.ts';
import { ForwardMarks } from '../../src/daemon/forward-marks.ts';
import { Freeze } from '../../src/daemon/freeze.ts';
import { blobOf, type Snapshot, Snapshots, snapshotId } from '../../src/daemon/snapshots.ts';
import { Store } from '../../src/daemon/store.ts';
import { eventLine, readEventLine } from '../../src/model/event-line.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { parseExitRecord } from '../../src/world/launch-record.ts';
import * as b from '../builders.ts';
import { TwinFiles } from '../twins/files.ts';
import { anyText, damaged } from './noise.ts';
import { fuzz } from './share.ts';

const asText = (value: unknown) => `${JSON.stringify(value)}\n`;

const INTENT = asText({
  version: 1,
  services: {
    web: { stopped: { by: 'bob', at: b.NOW, reason: 'x' }, pardon: 3, minGeneration: 2 },
    db: {
      held: { by: 'bob', at: b.NOW, until: b.NOW + 1000 },
      scale: { by: 'bob', at: b.NOW, instances: 2, file: 1 },
    },
  },
});
const one = b.run();
const MEMORY = asText({
  version: 1,
  boot_id: 'boot-1',
  services: {
    web: b.memory({
      generation: 3,
      slots: {
        0: b.slot({
          restarts: 1,
          exits: [{ outcome: b.exited(1), at: b.NOW, by: 'itself', run: one.key.id, uptime: 5 }],
          crashes: [b.NOW],
          next: { at: b.NOW, delay: 1000, digest: 'd', pardon: 0 },
        }),
      },
      runs: b.runsRemembered([one, { stop: b.stopProgress() }]),
    }),
  },
});
const SNAPSHOT_FILES = [
  { path: 'web.yaml', blob: blobOf('x'), service: 'web', hash: 'h', digest: 'd', env_files: {} },
];
const SNAPSHOT: Snapshot = {
  ...{ number: 1, id: snapshotId(SNAPSHOT_FILES), at: b.NOW, trigger: 'command', by: 'bob', commit: null },
  ...{ files: SNAPSHOT_FILES, added: ['web'], changed: [], removed: [], results: { web: 'converged' } },
};
const ENTRY = `/state/snapshots/00000001-${SNAPSHOT.id}.json`;
const FROZEN = {
  snapshot: '0123456789ab',
  since: 1000,
  by: 'bob',
  reason: 'r',
  texts: [{ path: 'web.yaml', text: 'x' }],
};

const files = {
  '/state/intent.json': INTENT,
  '/state/memory.json': MEMORY,
  '/state/applied.json': asText({ version: 1, services: { web: { aaaaaaaaaaaa: b.defined().spec } } }),
  '/state/frozen.json': asText({ version: 1, frozen: FROZEN }),
  [ENTRY]: asText({ version: 1, ...SNAPSHOT }),
  [`/state/snapshots/blobs/${blobOf('x')}`]: 'x',
  '/state/last-good/web.json': asText({ file: '/etc/pm/config.d/web.yaml', text: 'x' }),
  '/state/forward.json': asText({ format: 1, logs: { '/a': { after: null, position: 5, tail: 'x' } } }),
};

/** Cut off, with bits that have flipped, or with other JSON in a place of it. */
const harmed = fc.constantFrom(...Object.keys(files)).chain((path) => {
  const text = files[path as keyof typeof files]!;
  const swapped = fc
    .tuple(
      fc.nat(text.length),
      fc.constantFrom('null', '0', '-1', '"x"', '[]', '{}', 'true', '1e999', '[null]'),
    )
    .map(([at, value]) => {
      // The value that begins behind the next colon.
      const from = text.indexOf(':', at) + 1;
      const end = /^("[^"]*"|[^,{}[\]]+|\{\}|\[\])/.exec(text.slice(from))?.[0].length ?? 0;
      return from === 0 ? value : text.slice(0, from) + value + text.slice(from + end);
    });
  const cut = fc.nat(text.length).map((length) => text.slice(0, length));
  return fc.tuple(fc.constant(path), fc.oneof(cut, damaged(fc.constant(text), 3), swapped, anyText));
});

fuzz('state: damaged', harmed, async ([path, text]) => {
  const disk = new TwinFiles({ ...files, [path]: text });
  const store = new Store(disk, '/state', 'boot-1');
  const problem = store.load();
  const told = [...(problem === undefined ? [] : [problem]), ...store.problems];
  for (const { message } of told) expect(message).toMatch(/^\/state\/\w+\.json /);
  const isOther = !/intent|memory|applied/.test(path);
  if (isOther) expect([told, store.intent(b.WEB).stopped?.by]).toEqual([[], 'bob']);
  if (problem === undefined) {
    // What was read is good enough to decide with, and to be written again.
    for (const name of store.names()) {
      const own = { intent: store.intent(name), memory: store.memory(name) };
      expect(() => decide(b.situation({ ...own, desired: b.defined({ name }), runs: [one] }))).not.toThrow();
      store.setMemory(name, { ...own.memory, triggered: 7 });
    }
    expect([store.flush(), store.setIntents(new Map([[b.WEB, {}]]))]).toEqual([undefined, undefined]);
  }
  const freeze = new Freeze(disk, '/state', '/etc/pm/config.d');
  const unfit = freeze.load();
  const isFrozen = freeze.state !== undefined || unfit !== undefined;
  // Never taken for not frozen, but where it says so.
  if (!isFrozen) expect(JSON.parse(text).frozen).toBeNull();
  if (path !== '/state/frozen.json') expect(freeze.state).toEqual(FROZEN);
  const snapshots = new Snapshots(disk, '/state', async () => undefined);
  for (const found of snapshots.all()) {
    expect([found.id, found.number]).toEqual([SNAPSHOT.id, 1]);
    for (const { blob } of found.files) {
      const kept = snapshots.text(blob);
      if (typeof kept === 'string') expect(blobOf(kept)).toBe(blob);
    }
  }
  await snapshots.prune(1);
  for (const [name, good] of new LastGood(disk, '/state').entries()) {
    expect([name, typeof good.file, typeof good.text]).toEqual(['web', 'string', 'string']);
  }
  const marks = new ForwardMarks(disk, '/state/forward.json');
  const lost = marks.load();
  if (lost !== undefined) expect([path, lost.code]).toEqual(['/state/forward.json', 'state-corrupt']);
});

const tokenText = fc
  .array(
    fc.tuple(
      fc.stringMatching(/^[\w.@+-]{1,5}$/),
      fc.constantFrom('read', 'operate', 'admin'),
      fc.stringMatching(/^[0-9a-f]{64}$/),
    ),
    { maxLength: 4 },
  )
  .map((all) => all.map(([name, role, hash]) => tokenLine({ name, role: role as 'read', hash })).join(''));
const record = fc
  .tuple(fc.constantFrom('exited', 'signaled', 'exit'), fc.nat(300))
  .map(([how, code]) => `${how} ${code}\n`);
const event = fc.constant(
  eventLine({ id: 7, at: b.NOW, name: 'worker_started', service: b.WEB, fields: { reason: 'r', pid: 5 } }),
);

fuzz(
  'state: tokens and records',
  fc.tuple(
    fc.oneof(damaged(tokenText), anyText),
    fc.oneof(damaged(record, 2), anyText),
    fc.oneof(damaged(event, 3), anyText),
  ),
  ([tokens, ended, happened]) => {
    const lines = tokens.split('\n');
    const { tokens: valid, wrong } = parseTokens(tokens);
    for (const { name, role, hash } of valid) {
      // Whoever is let in stands in the file, as a line of his own.
      const own = lines.filter(
        (line) =>
          line.split(/\s+/).filter(Boolean).join(' ').toLowerCase() ===
          `${name} ${role} ${hash}`.toLowerCase(),
      );
      expect(own.length).toBeGreaterThan(0);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
    }
    const said = lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
    expect(valid.length + wrong.length).toBe(said.length);
    const outcome = parseExitRecord(ended);
    if (outcome !== undefined) {
      const [, how, code] = /(?:^|\n)(\w+) (\d+)\n$/.exec(ended)!;
      expect(['exited', 'signaled']).toContain(how);
      if (outcome.kind === 'exited') expect([how, outcome.code]).toEqual(['exited', Number(code)]);
      if (outcome.kind === 'signaled') expect(how).toBe('signaled');
    }
    const read = readEventLine(happened);
    if (read !== undefined)
      expect([Number.isSafeInteger(read.id), typeof read.name]).toEqual([true, 'string']);
  },
);
