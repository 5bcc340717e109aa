/** A user database in memory. */
import type { Credentials } from '../../src/model/spec.ts';
import type { Group, Users } from '../../src/world/world.ts';

/** root, daemon, www-data, and toor: root under another name. */
export function twinUsers(
  as: 'root' | 'www-data' = 'root',
): Users & { add(name: string, uid: number): void } {
  const users = new Map<string, Credentials>();
  const groups = new Map<string, Group>();
  const add = (name: string, uid: number): void => {
    const home = uid === 0 ? '/root' : `/home/${name}`;
    users.set(name, { uid, gid: uid, groups: null, user: name, home, shell: '/bin/sh' });
    groups.set(name, { name, gid: uid });
  };
  add('root', 0);
  add('toor', 0);
  add('daemon', 1);
  add('www-data', 33);
  return {
    add,
    user: (name) => users.get(name) ?? [...users.values()].find(({ uid }) => String(uid) === name),
    group: (name) => groups.get(name) ?? [...groups.values()].find(({ gid }) => String(gid) === name),
    self: users.get(as)!,
  };
}
