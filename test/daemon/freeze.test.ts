import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Freeze, type Frozen } from '../../src/daemon/freeze.ts';
import { TwinFiles } from '../twins/files.ts';

const PATH = '/state/frozen.json';

const FROZEN: Frozen = {
  snapshot: '0123456789ab',
  since: 1000,
  by: 'bob',
  reason: 'rolled back',
  texts: [{ path: 'web.yaml', text: 'process: {command: x}\n' }],
};

function open(files: TwinFiles): Freeze {
  const freeze = new Freeze(files, '/state', '/etc/config.d');
  expect(freeze.load()).toBeUndefined();
  return freeze;
}

test('nothing is there: the files are followed, and nothing is written', () => {
  const files = new TwinFiles();
  const freeze = open(files);
  expect([freeze.state, freeze.texts]).toEqual([undefined, undefined]);
  expect(freeze.clear()).toBeUndefined();
  expect(files.status(PATH)).toEqual({ failed: 'ENOENT' });
});

test('the next daemon is frozen at the same texts, until somebody follows the files again', () => {
  const files = new TwinFiles();
  expect(open(files).set(FROZEN)).toBeUndefined();
  const next = open(files);
  expect(next.state).toEqual(FROZEN);
  expect(next.texts).toEqual([{ file: '/etc/config.d/web.yaml', text: 'process: {command: x}\n' }]);
  expect(next.clear()).toBeUndefined();
  expect([next.texts, open(files).state]).toEqual([undefined, undefined]);
});

test.each([
  [FROZEN, false],
  [{ ...FROZEN, reason: 'update failed: web: exit_3', failed: true }, true],
] as const)('the next daemon knows as well what a newer commit ends', (frozen, untilNewer) => {
  const files = new TwinFiles();
  open(files).set(frozen);
  expect(open(files).hold).toEqual({
    text: `the files are not followed: frozen at snapshot 0123456789ab since 1970-01-01T00:00:01.000Z by bob (${frozen.reason})`,
    untilNewer,
  });
});

test('what cannot be written has not happened', () => {
  const files = new TwinFiles();
  const freeze = open(files);
  files.fail('replace', PATH, 'ENOSPC');
  expect(freeze.set(FROZEN)).toMatchObject({ code: 'state-unwritable' });
  expect(freeze.state).toBeUndefined();
});

test('damage at any byte: never another state, and never the files', () => {
  const files = new TwinFiles();
  open(files).set(FROZEN);
  const text = files.read(PATH, 1e6) as string;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.trimEnd().length - 1 }), (length) => {
      files.write(PATH, text.slice(0, length));
      const freeze = open(files);
      expect(freeze.state).toMatchObject({ snapshot: 'unknown', texts: null });
      expect(freeze.texts).toHaveProperty('unknown');
      // Nothing is said of what is not known.
      expect(freeze.hold).toEqual({
        text: 'the files are not followed: what was rolled back to cannot be read back',
        untilNewer: false,
      });
      expect(freeze.problems.map(({ code }) => code)).toEqual(['state-corrupt']);
      expect(freeze.clear()).toBeUndefined();
      expect(open(files).state).toBeUndefined();
    }),
  );
});

test('a file that cannot be read, or is of a newer release, stops the daemon from starting', () => {
  const files = new TwinFiles({ [PATH]: '{"version":999,"frozen":{}}\n' });
  expect(new Freeze(files, '/state', '/c').load()).toMatchObject({ code: 'state-newer' });
  files.fail('read', PATH, 'EIO');
  expect(new Freeze(files, '/state', '/c').load()).toMatchObject({ code: 'state-unreadable' });
});
