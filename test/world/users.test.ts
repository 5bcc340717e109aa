import { describe, expect, it } from 'vitest';
import { parseGroup, parsePasswd } from '../../src/world/user-database.ts';
import { systemUsers } from '../../src/world/users.ts';

describe('the user database', () => {
  it('passes over what is no entry, and fills in what passwd(5) says about empty fields', () => {
    const text =
      '# comment\n+::::::\nbroken\nnoid:x:::::\nroot:x:0:0:root:/root:/bin/bash\n\nbin:x:2:2:,,,::\n';
    expect(parsePasswd(text)).toEqual([
      { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/bash' },
      { name: 'bin', uid: 2, gid: 2, home: '/', shell: '/bin/sh' },
    ]);
  });

  it('lists the members of groups', () => {
    expect(parseGroup('disk:x:6:\ndocker:!:999:alice,bob\nodd:x:-1:\n')).toEqual([
      { name: 'disk', gid: 6, members: [] },
      { name: 'docker', gid: 999, members: ['alice', 'bob'] },
    ]);
  });
});

describe('the users of this host', () => {
  const users = systemUsers();

  it('has root, by name and by number, with the groups of the name service', () => {
    const root = users.user('root');
    expect(root).toMatchObject({ uid: 0, gid: 0, groups: null, user: 'root' });
    expect(users.user('0')).toEqual(root);
    expect(users.group('root')).toEqual({ name: 'root', gid: 0 });
    expect(users.group('0')).toEqual({ name: 'root', gid: 0 });
  });

  it('takes a number without a name for what it is', () => {
    expect(users.user('54321')).toEqual({
      uid: 54321,
      gid: 54321,
      groups: [],
      user: '54321',
      home: '/',
      shell: '/bin/sh',
    });
    expect(users.group('54321')).toEqual({ name: '54321', gid: 54321 });
  });

  it.each([
    'no-such-user',
    '',
    '-1',
    '1e3',
    '0x10',
    '4294967295',
    '99999999999',
    'a b',
    '--help',
    'root:x',
    'ro\0ot',
  ])('has nobody called %j', (name) => {
    expect(users.user(name)).toBeUndefined();
    expect(users.group(name)).toBeUndefined();
  });

  it('knows who we are', () => {
    expect(users.self).toMatchObject({ uid: process.geteuid?.(), gid: process.getegid?.() });
    expect(users.self.groups).toEqual(process.getgroups?.());
  });
});
