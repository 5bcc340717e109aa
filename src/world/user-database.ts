/** What do lines in the format of passwd(5) and group(5) say? */

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Lines that are no entries (comments, `+` of NIS, broken ones) are passed over, as the C library does. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  return rowsOf(text).flatMap(([name, , uid, gid, , home, shell]) => {
    const entry = { name: name ?? '', uid: numberOf(uid), gid: numberOf(gid) };
    if (entry.name === '' || entry.uid === undefined || entry.gid === undefined) return [];
    // An empty shell field means /bin/sh, by passwd(5).
    return [{ ...entry, uid: entry.uid, gid: entry.gid, home: home || '/', shell: shell || '/bin/sh' }];
  });
}

export function parseGroup(text: string): readonly GroupEntry[] {
  return rowsOf(text).flatMap(([name, , number, members]) => {
    const gid = numberOf(number);
    if (name === undefined || name === '' || gid === undefined) return [];
    return [{ name, gid, members: (members ?? '').split(',').filter((member) => member !== '') }];
  });
}

function rowsOf(text: string): readonly string[][] {
  return text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.split(':'));
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
