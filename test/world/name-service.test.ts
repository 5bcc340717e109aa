import { expect, test } from 'vitest';
import { type Getent, NameService, type Said } from '../../src/world/name-service.ts';
import { systemUsers } from '../../src/world/users.ts';

const ANN = 'ann:*:44042:44100:Ann:/home/ann:/bin/bash\n';
const REFUSED: Said = { failed: 'getent exited with 1', late: false };
const LATE: Said = { failed: 'getent gave no answer', late: true };

/** A name service that says what it is told to, and who waits for it. */
function scripted() {
  let now = 0;
  let says: Said = ANN;
  const waited: string[] = [];
  const pending: { readonly name: string; readonly done: (said: Said) => void }[] = [];
  const getent: Getent = {
    now: (_, name) => {
      waited.push(name);
      return says;
    },
    soon: (_, name, __, done) => pending.push({ name, done }),
  };
  const names = new NameService(getent, () => now);
  return {
    names,
    users: systemUsers(names),
    waited,
    pending,
    says: (said: Said) => {
      says = said;
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    /** What was asked in the background is answered, each as it is then said. */
    answer: (said: Said) => pending.shift()?.done(said),
  };
}

const HALF_A_MINUTE = 30_000;

test('a number keeps the group of its user while nobody can be asked', () => {
  const { users, says, pass, answer } = scripted();
  expect(users.user('44042')).toMatchObject({ uid: 44042, gid: 44100 });
  for (const said of [REFUSED, LATE, REFUSED]) {
    says(said);
    pass(HALF_A_MINUTE);
    expect(users.user('44042')).toMatchObject({ uid: 44042, gid: 44100 });
    answer(said);
    expect(users.user('44042')).toMatchObject({ uid: 44042, gid: 44100 });
  }
});

test('nothing is made up of a number, nor of a name, of which nobody could tell', () => {
  const { users, says } = scripted();
  says(REFUSED);
  expect(users.user('44042')).toEqual(REFUSED);
  expect(users.user('ann')).toEqual(REFUSED);
  expect(users.group('44100')).toEqual(REFUSED);
});

test('what surely does not exist is a number of its own, or nobody', () => {
  const { users, says, waited } = scripted();
  says('');
  expect(users.user('44042')).toMatchObject({ uid: 44042, gid: 44042, groups: [] });
  expect(users.user('ann')).toBeUndefined();
  expect(waited.slice(-2)).toEqual(['44042', 'ann']);
});

test('what the two files know needs no answer', () => {
  const { users, says, waited } = scripted();
  says(LATE);
  expect(users.user('root')).toMatchObject({ uid: 0 });
  expect(users.group('0')).toMatchObject({ gid: 0 });
  expect(waited).not.toContain('root');
  expect(waited).not.toContain('0');
});

test('a known entry is asked for in the background, and what changed counts from the next time', () => {
  const { names, waited, pending, pass, answer } = scripted();
  names.ask('passwd', 'ann');
  pass(HALF_A_MINUTE - 1);
  expect(names.ask('passwd', 'ann')).toBe(ANN);
  expect(pending).toEqual([]);
  pass(1);
  expect(names.ask('passwd', 'ann')).toBe(ANN);
  expect(names.ask('passwd', 'ann')).toBe(ANN);
  expect(pending.map(({ name }) => name)).toEqual(['ann']);
  answer('ann:*:44042:7::/:\n');
  expect(names.ask('passwd', 'ann')).toBe('ann:*:44042:7::/:\n');
  expect(waited.filter((name) => name === 'ann')).toEqual(['ann']);
});

test('while it hangs, one name is waited for and no other, until there is an answer again', () => {
  const { names, waited, pending, says, pass, answer } = scripted();
  const six = ['a', 'b', 'c', 'd', 'e', 'f'];
  const askAll = () => six.map((name) => names.ask('passwd', name));
  says(LATE);
  const before = waited.length;
  expect(askAll()).toEqual(six.map(() => LATE));
  expect(waited.slice(before)).toEqual(['a']);
  // One process at a time, and none for those that would wait as long.
  expect(pending.map(({ name }) => name)).toEqual(['b']);
  answer(LATE);
  expect(pending).toEqual([]);
  pass(HALF_A_MINUTE);
  expect(askAll()).toEqual(six.map(() => LATE));
  expect(waited.slice(before)).toEqual(['a']);
  says(ANN);
  answer(ANN);
  while (pending.length > 0) answer(ANN);
  expect(askAll()).toEqual(six.map(() => ANN));
  expect(names.ask('passwd', 'g')).toBe(ANN);
  expect(waited.slice(before)).toEqual(['a', 'g']);
});

test('what failed at once is asked again soon, and waited for', () => {
  const { names, waited, says, pass } = scripted();
  says(REFUSED);
  expect(names.ask('passwd', 'ann')).toEqual(REFUSED);
  says(ANN);
  expect(names.ask('passwd', 'ann')).toEqual(REFUSED);
  pass(5000);
  expect(names.ask('passwd', 'ann')).toBe(ANN);
  expect(waited.filter((name) => name === 'ann')).toHaveLength(2);
});
