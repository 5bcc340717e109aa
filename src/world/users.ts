/** Which users and groups does this host know? */
import fs from 'node:fs';
import type { Credentials } from '../model/spec.ts';
import { getent } from './getent.ts';
import { type Database, NameService } from './name-service.ts';
import { type PasswdEntry, parseGroup, parsePasswd } from './user-database.ts';
import { type Failure, type Group, isFailure, type Users } from './world.ts';

/** The largest id; 2^32-1 is (uid_t)-1 and means "leave unchanged" to the kernel (setresuid(2)). */
const LARGEST_ID = 2 ** 32 - 2;

/** One for all who ask in this process. */
const NAMES = new NameService(getent, () => performance.now());

/** The user database: the two files first, then whatever else the name service knows. */
export function systemUsers(names: NameService = NAMES): Users {
  return {
    user: (name) => userOf(name, names),
    group: (name) => groupOf(name, names),
    self: selfOf(names),
  };
}

/**
 * The groups of a user as the files tell. Only for questions that are asked beforehand: a process gets its groups
 * from initgroups(3), which asks the whole name service.
 */
export function groupsOf(user: string): readonly number[] {
  return parseGroup(contentOf('/etc/group'))
    .filter((group) => group.members.includes(user))
    .map((group) => group.gid);
}

function userOf(name: string, names: NameService): Credentials | Failure | undefined {
  const found = passwdEntry(name, names);
  if (isFailure(found)) return found;
  if (found !== undefined) return credentialsOf(found);
  const uid = idOf(name);
  // A user that exists only as a number has no groups but one of the same number.
  if (uid === undefined) return undefined;
  return { uid, gid: uid, groups: [], user: String(uid), home: '/', shell: '/bin/sh' };
}

function groupOf(name: string, names: NameService): Group | Failure | undefined {
  const found = lookUp('/etc/group', 'group', name, names, parseGroup, (entry) => entry.gid);
  if (isFailure(found)) return found;
  if (found !== undefined) return { name: found.name, gid: found.gid };
  const gid = idOf(name);
  return gid === undefined ? undefined : { name: String(gid), gid };
}

function selfOf(names: NameService): Credentials {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [];
  const found = passwdEntry(String(uid), names);
  if (found === undefined || isFailure(found)) {
    return { uid, gid, groups, user: String(uid), home: '/', shell: '/bin/sh' };
  }
  return { ...credentialsOf(found), uid, gid, groups };
}

function passwdEntry(name: string, names: NameService): PasswdEntry | Failure | undefined {
  return lookUp('/etc/passwd', 'passwd', name, names, parsePasswd, (entry) => entry.uid);
}

function credentialsOf(entry: PasswdEntry): Credentials {
  const { uid, gid, name, home, shell } = entry;
  return { uid, gid, groups: null, user: name, home, shell };
}

function idOf(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= LARGEST_ID ? id : undefined;
}

/** A name wins over an id: a user may be called `1000`. */
function lookUp<Entry extends { readonly name: string }>(
  file: string,
  database: Database,
  name: string,
  names: NameService,
  parse: (text: string) => readonly Entry[],
  id: (entry: Entry) => number,
): Entry | Failure | undefined {
  const entries = parse(contentOf(file));
  const wanted = idOf(name);
  const fits = (entry: Entry) => entry.name === name;
  const numbered = (entry: Entry) => wanted !== undefined && id(entry) === wanted;
  const own = entries.find(fits) ?? entries.find(numbered);
  // Anything else cannot be a name (useradd(8)), and must not be taken for an option.
  if (own !== undefined || !/^[A-Za-z0-9_.][A-Za-z0-9_.@\\-]*\$?$/.test(name)) return own;
  const said = names.ask(database, name);
  return isFailure(said) ? said : parse(said).find((entry) => fits(entry) || numbered(entry));
}

const contents = new Map<string, { readonly version: string; readonly text: string }>();

function contentOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = fs.statSync(file);
    const version = `${ino}.${size}.${mtimeMs}.${ctimeMs}`;
    const known = contents.get(file);
    if (known?.version === version) return known.text;
    const text = fs.readFileSync(file, 'utf8');
    contents.set(file, { version, text });
    return text;
  } catch {
    return '';
  }
}
