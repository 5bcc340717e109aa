/** As which user, with which groups, does a service run on this host? */
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { Credentials, ProcessSpec } from '../model/spec.ts';
import { type Failure, type Group, isFailure, type Users } from '../world/world.ts';
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
  return { problems: [refusal(origin, ['process', key], { code: 'privilege-missing', says })] };
}

/** Why a name cannot be used. */
export interface NameRefusal {
  readonly code: ProblemCode;
  readonly says: string;
  readonly passing?: true;
}

/** Root under another name is refused: nobody expects it. */
export function userRefusal(name: string, found: ReturnType<Users['user']>): NameRefusal | undefined {
  if (found === undefined) return unknown('user', name);
  if (isFailure(found)) return unanswered('user', name, found);
  if (found.uid !== 0 || name === 'root' || name === '0') return undefined;
  const says = `user ${JSON.stringify(name)} is root under another name: write root if you mean it`;
  return { code: 'user-unknown', says };
}

export function groupRefusal(name: string, found: ReturnType<Users['group']>): NameRefusal | undefined {
  if (found === undefined) return unknown('group', name);
  return isFailure(found) ? unanswered('group', name, found) : undefined;
}

function unknown(what: 'user' | 'group', name: string): NameRefusal {
  return { code: 'user-unknown', says: `this host knows no ${what} ${JSON.stringify(name)}` };
}

function unanswered(what: 'user' | 'group', name: string, { failed }: Failure): NameRefusal {
  const says = `nobody can tell who ${what} ${JSON.stringify(name)} is: ${failed}`;
  return { code: 'user-database-unavailable', says, passing: true };
}

function findUser(name: string, users: Users, origin: Origin, problems: Problem[]): Credentials | undefined {
  const found = users.user(name);
  const refused = userRefusal(name, found);
  if (refused === undefined) return isFailure(found) ? undefined : found;
  problems.push(refusal(origin, ['process', 'user'], refused));
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
  const refused = groupRefusal(name, found);
  if (refused === undefined) return isFailure(found) ? undefined : found;
  problems.push(refusal(origin, path, refused));
  return undefined;
}

function wantedText({ user, group, supplementary_groups: groups }: WhoWanted): string {
  if (user !== undefined) return `user ${user}`;
  return group === undefined ? `a member of ${groups?.join(', ') || 'no group'}` : `group ${group}`;
}

function refusal(origin: Origin, path: Path, { passing, ...detail }: NameRefusal): Problem {
  const problem = problemAt(origin, path, detail);
  return passing === undefined ? problem : { ...problem, passing };
}
