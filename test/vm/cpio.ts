/**
 * How does an initramfs become one file? The "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst),
 * written here because packing a device node would otherwise take root.
 */
import fs from 'node:fs';

export type Entry = { readonly path: string } & (
  | { readonly kind: 'directory'; readonly mode: number; readonly owner?: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'device'; readonly major: number; readonly minor: number }
  | { readonly kind: 'file'; readonly mode: number; readonly from: string }
  | { readonly kind: 'text'; readonly mode: number; readonly text: string }
);

const TYPE = {
  directory: 0o040000,
  link: 0o120000,
  device: 0o020000,
  file: 0o100000,
  text: 0o100000,
} as const;

/** @param entries parents first, paths without a slash at their beginning; all of them belong to root */
export function writeCpio(path: string, entries: readonly Entry[]): void {
  const fd = fs.openSync(path, 'w', 0o600);
  try {
    for (const [index, entry] of entries.entries()) writeEntry(fd, entry, index + 1);
    write(fd, { ino: 0, mode: 0, owner: 0, major: 0, minor: 0 }, 'TRAILER!!!', Buffer.alloc(0));
  } finally {
    fs.closeSync(fd);
  }
}

function writeEntry(fd: number, entry: Entry, ino: number): void {
  const permissions = 'mode' in entry ? entry.mode : entry.kind === 'link' ? 0o777 : 0o600;
  const { major, minor } = entry.kind === 'device' ? entry : { major: 0, minor: 0 };
  const owner = entry.kind === 'directory' ? (entry.owner ?? 0) : 0;
  write(fd, { ino, mode: TYPE[entry.kind] | permissions, owner, major, minor }, entry.path, contentOf(entry));
}

function contentOf(entry: Entry): Buffer {
  if (entry.kind === 'file') return fs.readFileSync(entry.from);
  if (entry.kind === 'link') return Buffer.from(entry.target);
  return Buffer.from(entry.kind === 'text' ? entry.text : '');
}

interface Header {
  readonly ino: number;
  readonly mode: number;
  readonly owner: number;
  readonly major: number;
  readonly minor: number;
}

/** Magic, inode, mode, uid, gid, links, mtime, size, device, rdev, length of the name, checksum; then name and content. */
function write(fd: number, header: Header, name: string, content: Buffer): void {
  const { ino, mode, owner, major, minor } = header;
  const fields = [ino, mode, owner, owner, 1, 0, content.length, 0, 0, major, minor, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  for (const part of [Buffer.from(head), content]) {
    const padding = Buffer.alloc((4 - (part.length % 4)) % 4);
    fs.writeSync(fd, Buffer.concat([part, padding]));
  }
}
