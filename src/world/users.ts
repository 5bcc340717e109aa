/** Which users and groups does this host know? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { Credentials } from '../model/spec.ts';
import { type PasswdEntry, parseGroup, parsePasswd } from './user-database.ts';
import type { Group, Users } from './world.ts';

/** The largest id; 2^32-1 is (uid_t)-1 and means "leave unchanged" to the kernel (setresuid(2)). */
const LARGEST_ID = 2 ** 32 - 2;

/** How long an answer of getent, good or bad, is believed; milliseconds. A directory server may be slow. */
const BELIEVED_FOR = 30_000;

/** The user database: the two files first, then whatever else the name service knows (getent(1)). */
export function systemUsers(): Users {
  return { user: userOf, group: groupOf, self: selfOf() };
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

function userOf(name: string): Credentials | undefined {
  const found = lookUp('/etc/passwd', 'passwd', name, parsePasswd, (entry) => entry.uid);
  if (found !== undefined) return credentialsOf(found);
  const uid = idOf(name);
  // A user that exists only as a number has no groups but one of the same number.
  if (uid === undefined) return undefined;
  return { uid, gid: uid, groups: [], user: String(uid), home: '/', shell: '/bin/sh' };
}

function groupOf(name: string): Group | undefined {
  const found = lookUp('/etc/group', 'group', name, parseGroup, (entry) => entry.gid);
  if (found !== undefined) return { name: found.name, gid: found.gid };
  const gid = idOf(name);
  return gid === undefined ? undefined : { name: String(gid), gid };
}

function selfOf(): Credentials {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [];
  const found = lookUp('/etc/passwd', 'passwd', String(uid), parsePasswd, (entry) => entry.uid);
  if (found === undefined) return { uid, gid, groups, user: String(uid), home: '/', shell: '/bin/sh' };
  return { ...credentialsOf(found), uid, gid, groups };
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
  database: string,
  name: string,
  parse: (text: string) => readonly Entry[],
  id: (entry: Entry) => number,
): Entry | undefined {
  const entries = parse(contentOf(file));
  const wanted = idOf(name);
  const fits = (entry: Entry) => entry.name === name;
  const numbered = (entry: Entry) => wanted !== undefined && id(entry) === wanted;
  const own = entries.find(fits) ?? entries.find(numbered);
  return own ?? parse(askNameService(database, name)).find((entry) => fits(entry) || numbered(entry));
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

const answers = new Map<string, { readonly text: string; readonly until: number }>();

function askNameService(database: string, name: string): string {
  // Anything else cannot be a name (useradd(8)), and must not be taken for an option.
  if (!/^[A-Za-z0-9_.][A-Za-z0-9_.@\\-]*\$?$/.test(name)) return '';
  const question = `${database} ${name}`;
  const known = answers.get(question);
  if (known !== undefined && known.until > performance.now()) return known.text;
  const { stdout } = spawnSync('getent', [database, name], { encoding: 'utf8', timeout: 5000 });
  const text = stdout ?? '';
  answers.set(question, { text, until: performance.now() + BELIEVED_FOR });
  return text;
}
