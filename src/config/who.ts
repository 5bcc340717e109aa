/** As which user, with which groups, does a service run on this host? */
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { Credentials, ProcessSpec } from '../model/spec.ts';
import type { Group, Users } from '../world/world.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

/** What the file says. */
export interface WhoWanted {
  readonly user?: string;
  readonly group?: string;
  readonly supplementary_groups?: readonly string[];
}

export type Who = { readonly credentials: Credentials | null } | { readonly problems: readonly Problem[] };

/** What a definition says, without what it leaves to the daemon. */
export function whoWanted(process: Pick<ProcessSpec, 'user' | 'group' | 'supplementary_groups'>): WhoWanted {
  const { user, group, supplementary_groups } = process;
  return {
    ...(user === null ? {} : { user }),
    ...(group === null ? {} : { group }),
    ...(supplementary_groups === null ? {} : { supplementary_groups }),
  };
}

/** Credentials of `process.user`, `group` and `supplementary_groups`; null: as the daemon itself. */
export function whoRuns(wanted: WhoWanted, users: Users, origin: Origin): Who {
  const { user: userName, group: groupName, supplementary_groups: groupNames } = wanted;
  if (userName === undefined && groupName === undefined && groupNames === undefined)
    return { credentials: null };
  const problems: Problem[] = [];
  const user = userName === undefined ? users.self : findUser(userName, users, origin, problems);
  const group =
    groupName === undefined ? null : findGroup(groupName, ['process', 'group'], users, origin, problems);
  const groups = groupNames?.map((name, index) => {
    return findGroup(name, ['process', 'supplementary_groups', index], users, origin, problems);
  });
  if (user === undefined || problems.length > 0) return { problems };
  const credentials: Credentials = {
    ...user,
    gid: group?.gid ?? user.gid,
    groups:
      groups === undefined ? user.groups : groups.flatMap((each) => (each === undefined ? [] : [each.gid])),
  };
  if (users.self.uid === 0) return { credentials };
  const same = credentials.uid === users.self.uid && credentials.gid === users.self.gid;
  if (same && groups === undefined) return { credentials: null };
  const key = userName === undefined ? (groupName === undefined ? 'supplementary_groups' : 'group') : 'user';
  const says = `only root may run a process as ${wantedText(wanted)}; the daemon runs as ${users.self.user}`;
  return { problems: [refusal(origin, ['process', key], 'privilege-missing', says)] };
}

/** Why this name is no user to be used, or undefined. Root under another name is refused: nobody expects it. */
export function userRefusal(name: string, found: Credentials | undefined): string | undefined {
  if (found === undefined) return `this host knows no user ${JSON.stringify(name)}`;
  if (found.uid === 0 && name !== 'root' && name !== '0') {
    return `user ${JSON.stringify(name)} is root under another name: write root if you mean it`;
  }
  return undefined;
}

function findUser(name: string, users: Users, origin: Origin, problems: Problem[]): Credentials | undefined {
  const found = users.user(name);
  const says = userRefusal(name, found);
  if (says === undefined) return found;
  problems.push(refusal(origin, ['process', 'user'], 'user-unknown', says));
  return undefined;
}

function findGroup(
  name: string,
  path: Path,
  users: Users,
  origin: Origin,
  problems: Problem[],
): Group | undefined {
  const found = users.group(name);
  if (found === undefined) {
    problems.push(refusal(origin, path, 'user-unknown', `this host knows no group ${JSON.stringify(name)}`));
  }
  return found;
}

function wantedText({ user, group, supplementary_groups: groups }: WhoWanted): string {
  if (user !== undefined) return `user ${user}`;
  return group === undefined ? `a member of ${groups?.join(', ') || 'no group'}` : `group ${group}`;
}

function refusal(origin: Origin, path: Path, code: ProblemCode, says: string): Problem {
  return problemAt(origin, path, { code, says });
}
